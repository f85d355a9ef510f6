"""Sealed rows by the thousand, for tests of reading: put into the indexed log without their chain."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event, insert, text

from lumio.kernel import clock, ids
from lumio.kernel.event import ANONYMOUS, Event, Origin
from lumio.storage.sealed import log, segment
from tests.support.world import World

FIRST = 1_000_000
SECOND = 1_000_000
LATE = 50


def row(number: int, **values: Any) -> dict[str, Any]:
    """Return row number `number`, one second after the one before it, an hour ago and before."""
    plain = Event("auth.failed", "failure", ANONYMOUS, Origin("203.0.113.9", "peer")).row("node-t")
    start = clock.to_micros(clock.now()) - 7200 * SECOND
    return {**plain, "id": ids.uuid7(), "ts": start + number * SECOND, **values}


async def lay(world: World, rows: Sequence[Mapping[str, Any]]) -> None:
    """Put rows into the log, under positions of their own, as if sealed today."""
    day = clock.to_micros(clock.now()) // (86_400 * SECOND)
    placed = [{**one, "position": FIRST + at, "day": day} for at, one in enumerate(rows)]
    times = [one["ts"] for one in rows]
    run = {"first": FIRST, "last": FIRST + len(rows) - 1, "day": day, "first_ts": min(times), "last_ts": max(times)}

    async def step(unit: Any) -> None:
        await unit.make_partition(day)
        await unit.execute(insert(segment), run)
        for at in range(0, len(placed), 500):
            await unit.execute(insert(log), placed[at : at + 500])

    await world.house.units.run(step)
    if not world.house.database.dialect.single_writer:
        await world.house.units.run(lambda unit: unit.execute(text("ANALYZE audit_log")))


async def early_in_the_minute() -> None:
    """Wait until what is counted by the minute cannot fall into two."""
    second = clock.now().second
    await asyncio.sleep(max(0, 60 - second) if second > LATE else 0)


@contextmanager
def overheard(world: World) -> Iterator[list[tuple[str, Any]]]:
    """Collect the statements that readers of the world's database run, with their parameters."""
    heard: list[tuple[str, Any]] = []
    engine = world.house.database.reads.sync_engine

    def hear(_connection: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, _many: bool) -> None:
        heard.append((statement, parameters))

    event.listen(engine, "before_cursor_execute", hear)
    try:
        yield heard
    finally:
        event.remove(engine, "before_cursor_execute", hear)


async def plan(world: World, statement: str, parameters: Any) -> str:
    """Return how the database would run a statement on a large table, as text.

    PostgreSQL reads a small table whole and sorts it, since that is cheaper: it is told that it is not.
    """
    on_sqlite = world.house.database.dialect.single_writer
    word = "EXPLAIN QUERY PLAN" if on_sqlite else "EXPLAIN"
    async with world.house.database.reading() as connection:
        for costly in () if on_sqlite else ("enable_seqscan", "enable_sort", "enable_bitmapscan"):
            await connection.execute(text("SELECT set_config(:name, 'off', true)"), {"name": costly})
        rows = (await connection.exec_driver_sql(f"{word} {statement}", parameters)).all()
    return "\n".join(str(one[-1]) for one in rows)
