"""A workspace, its store, a lead, and a function that imports the text of a file."""

import pytest
from import_content import NOW

from mmcore.services.catalogue import CsvImport, import_csv
from mmcore.services.opening import open_store
from mmcore.services.people import Actor, ensure_actor
from mmcore.settings import read_settings
from mmcore.store.engine import Store
from mmcore.workspace import Workspace


@pytest.fixture
def workspace(tmp_path) -> Workspace:
    return Workspace(tmp_path / "home")


@pytest.fixture
def store(workspace) -> Store:
    store = open_store(workspace, read_settings(workspace.home))
    yield store
    store.close()


@pytest.fixture
def lead(store) -> Actor:
    return ensure_actor(store, "lea", "lead", NOW)


@pytest.fixture
def shop(tmp_path, workspace, store, lead):
    """Return a function that imports the text of a CSV file, with photos from folder `photos`."""

    def run(text, photos=None, progress=None, actor=lead, **options):
        path = tmp_path / "shop.csv"
        path.write_text(text)
        folder = tmp_path / "photos"
        folder.mkdir(exist_ok=True)
        for name, data in (photos or {}).items():
            (folder / name).write_bytes(data)
        images = folder if photos is not None else None
        options = CsvImport(path, images=images, **options)
        return import_csv(store, actor, workspace, options, NOW, progress)

    return run
