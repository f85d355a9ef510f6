"""Many rows at once: inside the unit, or not at all."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import func, select

from lumio.storage import bulk
from lumio.storage.dialect import SqliteDialect
from lumio.storage.sealed import account_chain
from lumio.storage.unit import Unit
from tests.support.ground import Ground, ground

__all__ = ["ground"]
NAMES = ("account_id", "position", "chain", "count")
ROWS = [(f"account-{number}", number, bytes([number]) * 32, 1) for number in range(3)]


async def kept(ground: Ground) -> dict[str, tuple[int, bytes, int]]:
    """Return what is committed."""
    return {row[0]: tuple(row[1:]) for row in await ground.rows(select(account_chain)) if row[0] in dict.fromkeys(
        one[0] for one in ROWS
    )}  # fmt: skip


async def test_rows_are_added_and_those_that_are_there_are_changed(ground: Ground) -> None:
    moves = bulk.choose(ground.database.dialect)

    async def step(unit: Unit) -> None:
        await unit.execute(select(func.count()).select_from(account_chain))
        await moves.add(unit.connection, account_chain, NAMES, ROWS[:2])
        await moves.put(unit.connection, account_chain, NAMES, [("account-1", 9, b"x", 2), ROWS[2]])

    await ground.units.run(step)
    assert await kept(ground) == {"account-0": ROWS[0][1:], "account-1": (9, b"x", 2), "account-2": ROWS[2][1:]}


async def test_what_a_unit_added_goes_with_the_unit(ground: Ground) -> None:
    moves = bulk.choose(ground.database.dialect)

    async def step(unit: Unit) -> None:
        await unit.execute(select(func.count()).select_from(account_chain))
        await moves.add(unit.connection, account_chain, NAMES, ROWS[:2])
        await moves.put(unit.connection, account_chain, NAMES, ROWS[2:])
        raise LookupError

    with pytest.raises(LookupError):
        await ground.units.run(step)
    assert await kept(ground) == {}


@pytest.mark.parametrize("template", ["postgresql"], indirect=True)
async def test_a_connection_whose_transaction_has_not_begun_moves_nothing(ground: Ground) -> None:
    async with ground.database.writes.connect() as connection:
        with pytest.raises(RuntimeError, match="inside a unit"):
            await bulk.PostgresBulk().add(connection, account_chain, NAMES, ROWS)
    assert await kept(ground) == {}


async def test_sealed_rows_reach_the_file_itself_without_a_transaction_that_others_wait_for(
    ground: Ground, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dialect = ground.database.dialect
    if not isinstance(dialect, SqliteDialect):
        pytest.skip("a server moves its pages itself")
    monkeypatch.setattr(bulk, "CHECKPOINT_ROWS", 3)
    moves = bulk.choose(dialect)
    await moves.settle(3)
    await ground.units.run(lambda unit: moves.add(unit.connection, account_chain, NAMES, ROWS))

    def in_the_file() -> int:
        shutil.copy(dialect.path, tmp_path / "alone.db")
        with closing(sqlite3.connect(tmp_path / "alone.db")) as alone:
            ours = "SELECT count(*) FROM audit_account WHERE account_id LIKE 'account-_'"
            return int(alone.execute(ours).fetchone()[0])

    await moves.settle(2)
    assert in_the_file() == 0, "two of three: they are in the write-ahead log alone"
    await moves.settle(1)
    assert in_the_file() == 3
