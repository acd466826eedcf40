"""Alembic's entry: runs on the connection, and in the transaction, that `migrate.py` opened."""

from alembic import context

from mmcore.store.search import is_in_tables
from mmcore.store.tables import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    include_name=is_in_tables,
    transactional_ddl=False,  # the caller's transaction holds it all
    render_as_batch=True,  # SQLite can't alter most things in place
)
context.run_migrations()
