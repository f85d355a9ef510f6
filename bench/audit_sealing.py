"""`python -m bench.audit_sealing [ROWS]`: what sealing a row costs, and whether the sealer keeps up.

First rows of a thousand keys in turn wait in the journal, as a load that folding does not tame leaves them, and the
sealer seals all of them: its processor time a row. On SQLite the database's own work is in that; on PostgreSQL it
stands beside it. Then such rows come in steadily while the sealer runs as the process that it is beside a server:
how far it falls behind, and how long a row waits for its commit.
"""

import asyncio
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from itertools import count
from typing import Any

import psutil
from sqlalchemy import func, select, text

from bench.audit_rows import row
from bench.postgres import DurablePostgres
from lumio.app.audit_tools import audit_tools
from lumio.kernel import clock
from lumio.kernel.event import Actor, Event, Origin
from lumio.server.companion import Companion
from lumio.server.run_folder import RunFolder
from lumio.server.sealing import seal
from lumio.settings import Settings, load
from lumio.storage import bulk
from lumio.storage.database import Database
from lumio.storage.events import NAMES, hot
from lumio.storage.journal import Journal
from lumio.storage.migrate import upgrade

ROWS = 20_000
KEYS = [f"key-{number}" for number in range(1000)]
ACCOUNTS = 40
LIMIT_MS = 0.03
COMMIT = 512
"""Rows a commit of the journal, while it is filled."""
RATES = (500, 2000, 4000)
CLIENTS = 64
SECONDS = 8.0
BACKLOG_SECONDS = 5.0


def waiting(many: int) -> Sequence[tuple[Any, ...]]:
    """Return rows as the journal keeps them."""
    chance, now, found = random.Random(1), clock.to_micros(clock.now()), []
    for at in range(many):
        told = row(f"account-{at % ACCOUNTS:028}", now + at, chance) | {"credential_id": KEYS[at % len(KEYS)]}
        found.append(tuple(told[name] for name in NAMES))
    return found


async def cost(settings: Settings, many: int) -> None:
    """Fill the journal, seal it, print what a row cost."""
    database = Database(settings.database_url)
    await fill(database, waiting(many))
    async with audit_tools(settings, database) as tools:
        server = await backend(database)
        before, other, started = time.process_time(), spent(server), time.perf_counter()
        assert await tools.sealer.run() == many
        took, beside = (time.process_time() - before) * 1000 / many, (spent(server) - other) * 1000 / many
        rate = many / (time.perf_counter() - started)
    told = f"  a row: {took:.4f} ms of processor time" + (
        f", and {beside:.4f} ms of the database's" if beside else ""
    )
    print(f"{told}; {rate:,.0f} rows/s; {verdict(took, LIMIT_MS)} (limit {LIMIT_MS} ms)")


async def fill(database: Database, rows: Sequence[tuple[Any, ...]]) -> None:
    """Put rows into the journal, some hundred a commit as a busy server does."""
    moves = bulk.choose(database.dialect)
    for at in range(0, len(rows), COMMIT):
        async with database.writing() as connection:
            await connection.execute(select(1))
            await moves.add(connection, hot, NAMES, rows[at : at + COMMIT])
            await connection.commit()


async def pace(settings: Settings, rate: int) -> None:
    """Let rows come in at a rate for some seconds while a process seals; print what came of it."""
    database = Database(settings.database_url)
    journal = Journal(database, "bench", 30)
    await journal.open()
    took: list[float] = []
    behind: list[float] = []
    until, numbers = time.perf_counter() + SECONDS, count()
    watch = asyncio.create_task(_watch(database, behind))
    await asyncio.gather(*[_client(journal, rate, until, numbers, took) for _ in range(CLIENTS)])
    watch.cancel()
    await journal.close()
    await database.close()
    done, worst = len(took) / SECONDS, max(behind)
    waits = f"p50 {statistics.median(took) * 1000:.1f} ms, p99 {sorted(took)[int(len(took) * 0.99)] * 1000:.1f} ms"
    print(f"  {rate:,} rows/s wanted, {done:,.0f} committed, {waits}", end="; ")
    print(f"at most {worst:.2f} s behind; {verdict(worst, BACKLOG_SECONDS)} (limit {BACKLOG_SECONDS:.0f} s)")


async def _client(journal: Journal, rate: int, until: float, numbers: "count[int]", took: list[float]) -> None:
    start = time.perf_counter()
    while (now := time.perf_counter()) < until:
        number = next(numbers)
        due = start + number / rate
        if due > now:
            await asyncio.sleep(due - now)
        key = KEYS[number % len(KEYS)]
        actor = Actor("api_key", key, f"ci-{key}", None, "api_key", key)
        event = Event("auth.succeeded", "success", actor, Origin("198.51.100.7", "peer", "lumio-cli/1.0"))
        began = time.perf_counter()
        await journal.append(replace(event, account_id=f"account-{number % ACCOUNTS:028}"))
        took.append(time.perf_counter() - began)


async def _watch(database: Database, behind: list[float]) -> None:
    while True:
        async with database.reading() as connection:
            oldest = (await connection.execute(select(func.min(hot.c.ts)))).scalar()
        behind.append((clock.to_micros(clock.now()) - oldest) / 1e6 if oldest else 0.0)
        await asyncio.sleep(0.5)


async def backend(database: Database) -> psutil.Process | None:
    """Return the process that serves the sealer's connection, where there is one."""
    if database.dialect.single_writer:
        return None
    async with database.writes.connect() as connection:
        return psutil.Process((await connection.execute(text("SELECT pg_backend_pid()"))).scalar_one())


def spent(process: psutil.Process | None) -> float:
    """Return the processor seconds of a process so far."""
    if process is None:
        return 0.0
    times = process.cpu_times()
    return float(times.user + times.system)


def verdict(found: float, limit: float) -> str:
    """Return whether a figure keeps its limit."""
    return "pass" if found <= limit else "FAIL"


def measure(settings: Settings, many: int) -> None:
    """Measure one database."""
    asyncio.run(upgrade(settings.database_url))
    asyncio.run(cost(settings, many))
    with RunFolder(settings.data_dir) as folder:
        beside = Companion("sealer", seal, replace(settings, run_dir=folder.path))
        try:
            for rate in RATES:
                asyncio.run(pace(settings, rate))
        finally:
            beside.stop()


def main() -> int:
    """Measure both databases."""
    many = int(sys.argv[1]) if len(sys.argv) > 1 else ROWS
    with tempfile.TemporaryDirectory(prefix="lumio-bench-") as name, DurablePostgres() as postgres:
        for kind in ("sqlite", "postgresql"):
            given = {"LUMIO_DATA_DIR": f"{name}/{kind}", "LUMIO_LOG_LEVEL": "error"}
            print(kind)
            measure(
                load(given | ({"LUMIO_DATABASE_URL": postgres.create("bench")} if kind == "postgresql" else {})), many
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())
