"""A long audit log in bulk: rows over 89 days with every index, so that the sealer goes on behind them.

Promise: what readers and the sealer find is as large as the real thing. Its leaves are zeros: it is for measuring
what a long log costs those who write, not for `audit verify` (`bench.audit_rows` makes one that verifies).
"""

import random
from collections.abc import Iterator, Sequence
from typing import Any

from bench.audit_rows import row
from bench.databases import Postgres, Sqlite
from lumio.audit.sealer import DAY
from lumio.kernel import clock, ids
from lumio.storage.events import NAMES
from lumio.storage.sealed import log, seal

DAYS = 89
VARIETY = 5000
ZEROS = bytes(32)
LOG = ("position", "day", *NAMES, "salt", "commitments")
SEAL = ("position", "day", "event_id", "leaf", "account_prev", "chain")


def pour(database: Sqlite | Postgres, account_id: str, many: int) -> None:
    """Put `many` sealed rows behind the end of the chain; the server must be stopped, with nothing left to seal."""
    end = int(database.ask("SELECT position FROM audit_chain"))
    now = clock.to_micros(clock.now())
    first_day = now // DAY - DAYS + 1
    if isinstance(database, Postgres):
        for day in range(first_day, first_day + DAYS):
            database.ask(f"SELECT lumio_audit_partition({day})")  # a number of our own
    chance = random.Random(1)
    samples = [row(account_id, 0, chance) for _ in range(VARIETY)]
    database.pour(log, LOG, _logged(samples, end, first_day, many))
    database.pour(seal, SEAL, _places(end, first_day, many))
    segments = (_segment(end, day, first_day, many) for day in range(DAYS))
    runs = ",".join(f"({','.join(map(str, one))})" for one in segments)
    database.run(
        f"INSERT INTO audit_segment (first, last, day, first_ts, last_ts) VALUES {runs};"  # noqa: S608 - numbers of ours
        f"UPDATE audit_chain SET position = {end + many}, head_position = {end + many}"
    )


def _day(number: int, many: int) -> int:
    """Return the day of a row, counted from the first one."""
    return number * DAYS // many


def _logged(samples: Sequence[Any], end: int, first_day: int, many: int) -> Iterator[Sequence[Any]]:
    for number in range(many):
        day = first_day + _day(number, many)
        told = samples[number % VARIETY]
        moment = {"id": ids.uuid7(), "ts": day * DAY + number % DAY}
        values = [moment.get(name, told[name]) for name in NAMES]
        yield (end + 1 + number, day, *values, ZEROS, None)


def _places(end: int, first_day: int, many: int) -> Iterator[Sequence[Any]]:
    for number in range(many):
        yield (end + 1 + number, first_day + _day(number, many), f"{number:036}", ZEROS, ZEROS, ZEROS)


def _segment(end: int, day: int, first_day: int, many: int) -> Sequence[int]:
    """Return the run of positions of a day."""
    first, last = -(-day * many // DAYS), -(-(day + 1) * many // DAYS) - 1
    begins = (first_day + day) * DAY
    return (end + 1 + first, end + 1 + last, first_day + day, begins, begins + DAY - 1)
