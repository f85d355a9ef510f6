"""Alembic's entry: runs migrations on the connection that `lumio.storage.migrate` hands over."""

from alembic import context

from lumio.storage.columns import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transaction_per_migration=False,
    transactional_ddl=False,
)
context.run_migrations()
