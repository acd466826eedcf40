"""What a workspace holds, to compare it with what comes back."""

from sqlalchemy import select
from store_rows import add_products

from mmcore.photos import PhotoStore
from mmcore.services.backup import BackupOptions, backup
from mmcore.services.people import OPERATOR
from mmcore.settings import Settings
from mmcore.store.engine import Store, sqlite_url
from mmcore.store.migrate import migrate
from mmcore.store.tables import Base
from mmcore.workspace import Workspace

NOW = 1_700_000_000.0


def everything(store):
    """Return table -> its rows, as Python values."""
    with store.engine.connect() as connection:
        return {
            table.name: [
                tuple(r)
                for r in connection.execute(select(table).order_by(*table.primary_key.columns))
            ]
            for table in Base.metadata.sorted_tables
        }


def files(workspace):
    """Return relative path -> bytes of what a backup includes."""
    found = [*workspace.photos.rglob("*"), *workspace.models.rglob("*")]
    return {str(p.relative_to(workspace.home)): p.read_bytes() for p in found if p.is_file()}


def settings_of(workspace, url=None):
    return Settings(workspace.home, "cpu", 1, database_url=url)


def good_backup(folder):
    """Return the bytes of a small SQLite backup."""
    workspace = Workspace(folder / "home").create()
    store = Store(sqlite_url(workspace.database_file))
    migrate(store)
    add_products(store, 3)
    PhotoStore(workspace.photos).add(b"photo" * 100)
    path = backup(store, OPERATOR, workspace, BackupOptions(folder / "b"), NOW).target
    store.close()
    return path.read_bytes()
