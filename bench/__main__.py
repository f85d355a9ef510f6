"""`python -m bench`: what a verified and durably recorded request costs, against one that does nothing.

`GET /v1/users/me` with a developer key (found, checked, its holder's rights read, the event committed to disk
before the answer) beside the bare route. The ratio can be compared between machines; the rates cannot.
"""

import asyncio
import sqlite3
import sys
import tempfile
from pathlib import Path

from bench import servers
from bench.load import CONNECTIONS, Run, load

PATH = "/v1/users/me"
SECONDS = 2.0
WARM_UP_SECONDS = 0.5


def measured(port: int, credential: str) -> Run:
    """Measure one server after a short warm-up."""
    asyncio.run(load(port, PATH, credential, WARM_UP_SECONDS))
    return asyncio.run(load(port, PATH, credential, SECONDS))


def recorded(folder: Path) -> int:
    """Count the accepted authentications in the stopped installation's log."""
    with sqlite3.connect(folder / "lumio.db") as database:
        found = database.execute("SELECT SUM(count) FROM audit_event WHERE event = 'auth.succeeded'").fetchone()
    database.close()
    return int(found[0])


def line(name: str, run: Run) -> str:
    """Return one line of figures."""
    return f"{name:<28}{run.rate:>10.0f}{run.quantile(0.5):>10.1f}{run.quantile(0.99):>10.1f}"


def main() -> int:
    """Measure both and print."""
    with tempfile.TemporaryDirectory(prefix="lumio-bench-") as name:
        folder = Path(name)
        with servers.bare(folder) as port:
            yardstick = measured(port, "nothing")
        with servers.ours(folder) as (port, key):
            run = measured(port, key)
        rows = recorded(folder)
    assert rows >= len(run.took), f"{len(run.took)} answers, but only {rows} events"
    print(f"GET {PATH}, {CONNECTIONS} connections, {SECONDS:.0f} s, one worker, SQLite with synchronous=FULL\n")
    print(f"{'':<28}{'answers/s':>10}{'p50 ms':>10}{'p99 ms':>10}")
    print(line("bare route, no check", yardstick))
    print(line("ours, verified and audited", run))
    print(f"\nratio {run.rate / yardstick.rate:.2f}; every one of the answers has its event on disk")
    return 0


if __name__ == "__main__":
    sys.exit(main())
