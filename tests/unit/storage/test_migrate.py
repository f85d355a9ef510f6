"""Migrations: one history, the same schema as the models say, on both databases."""

import asyncio
import importlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from alembic import op
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Column, Connection, Integer, inspect, text

import lumio
from lumio.storage import migrate
from lumio.storage.columns import metadata
from lumio.storage.database import Database
from lumio.storage.migrate import upgrade
from tests.support.postgres import PostgresServer

BACKENDS = ("sqlite", "postgresql")
KEPT_BY_ALEMBIC = "alembic_version"


@pytest.fixture(params=BACKENDS)
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Give the address of an empty database."""
    if request.param == "sqlite":
        yield f"sqlite+aiosqlite:///{tmp_path / 'lumio.db'}"
        return
    server: PostgresServer = request.getfixturevalue("postgres_server")
    name = f"empty_{tmp_path.name.lower().replace('-', '_')[-40:]}_{id(request)}"
    yield server.create(name)
    server.drop(name)


def every_table() -> set[str]:
    """Import every store, so that the catalogue is whole."""
    root = Path(lumio.__file__).parent
    for path in [*root.glob("*/store.py"), *root.glob("storage/*.py"), *root.glob("authority/*.py")]:
        importlib.import_module(".".join(path.relative_to(root.parent).with_suffix("").parts))
    return set(metadata.tables)


async def look(url: str, question: Callable[[Connection], Any]) -> Any:
    database = Database(url)
    try:
        async with database.reads.connect() as connection:
            return await connection.run_sync(question)
    finally:
        await database.close()


def _differences(connection: Connection) -> list[object]:
    every_table()
    context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
    found = list(compare_metadata(context, metadata))
    if connection.dialect.name == "sqlite":  # numbers its rows by itself, where PostgreSQL has an identity
        found = [one for one in found if _numbered(one) != ("modify_default", "audit_hot", "n")]
    return found


def _numbered(difference: object) -> tuple[str, str, str] | None:
    match difference:
        case [(str(what), _, str(table), str(column), *_)]:
            return what, table, column
    return None


def _tables(connection: Connection) -> set[str]:
    return set(inspect(connection).get_table_names()) - {KEPT_BY_ALEMBIC}


def _shape(connection: Connection) -> object:
    seen = inspect(connection)
    return {
        name: (
            [(one["name"], str(one["type"]), one["nullable"]) for one in seen.get_columns(name)],
            seen.get_pk_constraint(name)["constrained_columns"],
            sorted(str(one["column_names"]) for one in seen.get_indexes(name)),
            sorted(str(one["column_names"]) for one in seen.get_unique_constraints(name)),
        )
        for name in sorted(seen.get_table_names())
    }


async def test_the_migrated_schema_is_the_one_that_the_models_describe(empty: str) -> None:
    await upgrade(empty)
    assert await look(empty, _differences) == []
    assert await look(empty, _tables) == every_table()


async def test_migrating_twice_is_the_same_as_once(empty: str) -> None:
    await upgrade(empty)
    before = await look(empty, _shape)
    await upgrade(empty)
    assert await look(empty, _shape) == before


async def test_nodes_that_start_at_once_all_find_the_newest_schema(empty: str) -> None:
    program = f"import asyncio; from lumio.storage.migrate import upgrade; asyncio.run(upgrade({empty!r}))"
    nodes = [await asyncio.create_subprocess_exec(sys.executable, "-c", program) for _ in range(3)]
    assert [await asyncio.wait_for(node.wait(), 30) for node in nodes] == [0, 0, 0]
    assert await look(empty, _tables) == every_table()
    assert await look(
        empty, lambda connection: connection.execute(text("SELECT n FROM revocation_counter")).all()
    ) == [(0,)]


async def test_a_migration_that_fails_leaves_the_schema_as_it_was(
    empty: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    last = ScriptDirectory.from_config(migrate._config()).get_current_head()
    run = ScriptDirectory.run_env

    def broken(script: ScriptDirectory) -> None:
        revision = script.get_revision(last or "")
        assert revision is not None
        monkeypatch.setattr(revision.module, "upgrade", _half_way, raising=True)
        run(script)

    monkeypatch.setattr(ScriptDirectory, "run_env", broken)
    with pytest.raises(LookupError):
        await upgrade(empty)
    assert await look(empty, _tables) == set()
    monkeypatch.undo()
    await upgrade(empty)
    assert await look(empty, _tables) == every_table()


def _half_way() -> None:
    op.create_table("half_made", Column("id", Integer))
    raise LookupError


def test_the_history_has_one_line_and_one_end() -> None:
    script = ScriptDirectory.from_config(migrate._config())
    history = list(script.walk_revisions())
    assert len(script.get_heads()) == 1
    assert [one.revision for one in reversed(history)] == [f"{number:04}" for number in range(1, len(history) + 1)]
