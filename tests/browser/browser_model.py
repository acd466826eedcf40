"""A model folder with a real, small, untrained network, registered and in production."""

import time

from app_shop import CLASSES, settings_of

from mmcore.services.predictions import catch_up
from mmcore.services.registry import activate, register_folder


def put_model(shop, name: str) -> None:
    """Train next to nothing on the shop's products, and let that answer."""
    from mmcore.config import RunChoices
    from mmcore.services.training import train

    choices = RunChoices(weights="random", backbone="mobilenet_v2", epochs1=1)
    settings = settings_of(shop.home)
    for _ in train(shop.workspace, settings, choices, name):
        pass
    admin, now = shop.people["adam"], time.time()
    register_folder(shop.store, shop.workspace, name, now)
    activate(shop.store, admin, shop.workspace, name, now)
    catch_up(shop.store, admin, shop.workspace, settings)
    assert len(CLASSES) == 4
