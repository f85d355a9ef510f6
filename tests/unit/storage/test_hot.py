"""Reads on every request's path: they see what was committed before, hold nothing, and fail as Unavailable."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import pytest
from sqlalchemy import bindparam, select

from lumio.kernel.errors import Unavailable
from lumio.storage.hot import HotQuery, PostgresReader, SqliteReader
from tests.support.ground import Ground, things

BY_NAME = HotQuery(select(things.c.name, things.c.n).where(things.c.name == bindparam("name")))


async def test_a_read_sees_what_was_committed_before_it_and_keeps_no_snapshot(ground: Ground) -> None:
    hot = ground.database.hot
    assert await hot.row(BY_NAME, name="a") is None
    await ground.units.run(lambda unit: ground.make(unit, "a"))
    assert tuple(await hot.row(BY_NAME, name="a") or ()) == ("a", 0)


async def test_in_a_turn_reads_see_one_state_and_after_it_the_newest(ground: Ground) -> None:
    hot = ground.database.hot
    if not isinstance(hot, SqliteReader):
        pytest.skip("a server's reads are a way each")
    before = hot.begin()
    assert await hot.row(BY_NAME, name="a") is None
    await ground.units.run(lambda unit: ground.make(unit, "a"))
    assert await hot.row(BY_NAME, name="a") is None
    hot.end()
    assert await hot.row(BY_NAME, name="a") is not None
    after = hot.begin()
    hot.end()
    assert after != before, "somebody has committed"
    assert hot.begin() == after, "nobody has"


async def test_values_are_passed_and_never_written_into_the_statement(ground: Ground) -> None:
    await ground.units.run(lambda unit: ground.make(unit, "a"))
    assert await ground.database.hot.row(BY_NAME, name="x' OR '1'='1") is None


async def test_it_cannot_write(ground: Ground) -> None:
    if not ground.database.dialect.single_writer:
        pytest.skip("the server's rights decide")
    reader: Any = ground.database.hot
    with pytest.raises(Exception, match="readonly"):
        reader._connection.execute("DELETE FROM revocation_counter")


class Failing:
    """A pool, and a connection of it, whose reads end in the way that was asked for."""

    def __init__(self, problem: Exception) -> None:
        self.problem = problem

    @asynccontextmanager
    async def acquire(self) -> AsyncIterator["Failing"]:
        yield self

    async def fetch(self, *_given: object) -> None:
        raise self.problem

    async def fetchrow(self, *_given: object) -> None:
        raise self.problem

    async def close(self) -> None:
        """Close nothing."""


@pytest.mark.parametrize(
    "problem",
    [
        asyncpg.InternalClientError("cannot switch to state 12; another operation (2) is in progress"),
        asyncpg.InterfaceError("connection is closed"),
        asyncpg.AdminShutdownError("terminating connection due to administrator command"),
        ConnectionResetError(),
        TimeoutError(),
    ],
    ids=lambda problem: type(problem).__name__,
)
async def test_a_connection_that_breaks_off_in_any_way_is_unavailable(ground: Ground, problem: Exception) -> None:
    reader: Any = ground.database.hot
    if not isinstance(reader, PostgresReader):
        pytest.skip("a file has no connection to break")
    pool, reader._pool = reader._pool, Failing(problem)
    with pytest.raises(Unavailable):
        await reader.row(BY_NAME, name="a")
    reader._pool = pool
    assert await reader.row(BY_NAME, name="a") is None
