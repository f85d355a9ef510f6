"""Bring a database to the newest schema; one history for both kinds, safe when two nodes start at once."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from lumio.storage.database import Database
from lumio.storage.dialect import PostgresDialect, choose, lock_number, migration_engine

FOLDER = Path(__file__).parent / "migrations"


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    return config


async def upgrade(url: str) -> None:
    """Run every migration that the database at `url` has not had yet."""
    dialect = choose(url)
    engine = migration_engine(dialect)

    def run(connection: Connection) -> None:
        if isinstance(dialect, PostgresDialect):
            connection.execute(text("SELECT pg_advisory_xact_lock(:n)"), {"n": lock_number("lumio/migrate")})
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")

    try:
        async with engine.connect() as connection:
            await connection.begin()  # one transaction from the first look to the last change, on SQLite too
            await connection.run_sync(run)
            await connection.commit()
    finally:
        await engine.dispose()


async def is_newest(database: Database) -> bool:
    """Tell whether a database has had every migration. Raises Unavailable when it does not answer."""
    newest = ScriptDirectory.from_config(_config()).get_current_head()
    async with database.reading() as connection:
        found = await connection.run_sync(lambda sync: MigrationContext.configure(sync).get_current_revision())
    return found == newest
