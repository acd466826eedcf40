"""The catalogue of a workspace, as the services read it."""

from mmcore.services.catalogue_frame import read_catalogue
from mmcore.settings import read_settings
from mmcore.workspace import Workspace


def catalogue_of(home):
    return read_catalogue(Workspace(home), read_settings(home))
