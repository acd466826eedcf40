"""Bring a database to this version's tables; safe when several processes start at once."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, text

from mmcore.errors import StoreError
from mmcore.store.engine import Store

_FOLDER = Path(__file__).parent / "migrations"
_ADVISORY_LOCK = 7_291_946  # any number, the same in every process


def migrate(store: Store) -> None:
    """Apply the migrations that are missing, one process at a time.

    Raises:
        StoreError: if the database was written by a newer version of Rayon.
    """
    with store.writing() as session:
        # SQLite: BEGIN IMMEDIATE has locked out every other writer already
        connection = session.connection()
        if not store.is_sqlite:
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ADVISORY_LOCK})
        _upgrade(connection)


def newest_revision() -> str:
    """Return the revision this version's tables stand at."""
    return str(ScriptDirectory(str(_FOLDER)).get_current_head())


def is_known(revision: str) -> bool:
    """Return whether this version can read tables of a revision, or bring them up to its own."""
    script = ScriptDirectory(str(_FOLDER))
    return revision in {known.revision for known in script.walk_revisions()}


def migrate_to(store: Store, revision: str) -> None:
    """Make the tables of an older, known revision in an empty database."""
    with store.writing() as session:
        _upgrade(session.connection(), revision)


def _upgrade(connection: Connection, revision: str = "head") -> None:
    current = MigrationContext.configure(connection).get_current_revision()
    if current == newest_revision():
        return
    config = Config()
    config.set_main_option("script_location", str(_FOLDER))
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, revision)
    except CommandError as error:
        raise StoreError(
            f"the database is at revision {current}, which this version of Rayon doesn't know "
            f"(its newest is {newest_revision()}); update Rayon, or restore an older backup"
        ) from error
