"""`python -m bench.audit_log [ROWS [sqlite|postgresql]]`: reading, exporting, purging and verifying a long log.

The figures that the specification names (audit log, section 7), each with its limit and whether it is kept: a page
with one filter and a time range in under 50 ms, the first byte of an export within 1 s, the purge of one day under
60 s beside normal traffic. Over real HTTP. The limits are for a machine that does nothing else.
"""

import asyncio
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path

import httpx2

from bench import servers
from bench.audit_rows import fill
from bench.background import beside
from bench.postgres import DurablePostgres
from bench.rotation import keep, request
from lumio.kernel import clock

ROWS = 1_000_000
TRIES = 7
EXPORT_SECONDS = 5.0
LONGEST_SECONDS = 600.0
PAGE_MS, FIRST_BYTE_MS, PURGE_SECONDS = 50.0, 1000.0, 60.0
PROGRAM = str(Path(sys.executable).with_name("lumio-server"))


def questions() -> Mapping[str, Mapping[str, str]]:
    """Return what a page is asked for."""
    now = clock.now()
    month = {"since": clock.rfc3339(now - timedelta(days=45)), "until": clock.rfc3339(now - timedelta(days=15))}
    return {
        "newest, no good authentications": {"hide_authentications": "true"},
        "event and a month": {"event": "extension.deployed", **month},
        "actor and a month": {"actor": "ci-key-7", **month},
        "result and a month": {"result": "failure", **month},
        "address and a month": {"ip": "198.51.100.7", **month},
        "credential and a month": {"credential_id": "key-7", **month},
        "an event that never was, and a month": {"event": "member.removed", **month},
    }


def pages(client: httpx2.Client) -> Iterator[tuple[str, float]]:
    """Yield the median milliseconds of each page."""
    for name, query in questions().items():
        took = []
        for _ in range(TRIES):
            started = time.perf_counter()
            client.get("/v1/audit-log", params=query).raise_for_status()
            took.append((time.perf_counter() - started) * 1000)
        yield name, statistics.median(took)


def export(client: httpx2.Client) -> tuple[float, float]:
    """Return the milliseconds to the first byte of an export of everything, and its rows a second for a while."""
    started, lines = time.perf_counter(), 0
    with client.stream("GET", "/v1/audit-log/export", params={"format": "ndjson"}) as answer:
        answer.raise_for_status()
        pieces = answer.iter_raw()
        lines += next(pieces).count(b"\n")
        first = (time.perf_counter() - started) * 1000
        for piece in pieces:
            lines += piece.count(b"\n")
            if time.perf_counter() - started > EXPORT_SECONDS:
                break
    return first, lines / (time.perf_counter() - started)


def command(environment: Mapping[str, str], *words: str) -> tuple[float, str]:
    """Run a verb of the operator's; return its seconds and what it said."""
    started = time.perf_counter()
    said = subprocess.run(
        [PROGRAM, "audit", *words], env=dict(environment), capture_output=True, text=True, check=True
    )
    return time.perf_counter() - started, said.stdout.strip()


def told(name: str, found: float, unit: str, limit: float | None = None, more: str = "") -> None:
    """Print a figure, and whether it keeps its limit."""
    verdict = "" if limit is None else f"{'pass' if found < limit else 'FAIL'} (limit {limit:g} {unit})"
    print(f"  {name:<48}{found:>9.1f} {unit:<7}{verdict:<22}{more}".rstrip(), flush=True)


def measure(backend: str, environment: dict[str, str], folder: Path, rows: int) -> None:
    """Fill one database, measure, print."""
    with servers.ours(folder, environment) as (port, key), servers.client(port, key) as client:
        account = client.get("/v1/users/me").raise_for_status().json()["data"]["account"]["id"]
    url = environment.get("LUMIO_DATABASE_URL", f"sqlite+aiosqlite:///{folder / 'lumio.db'}")
    started = time.perf_counter()
    asyncio.run(fill(url, account, rows))
    print(f"\n{backend}, {rows:,} rows")
    told("filled, chained and indexed", time.perf_counter() - started, "s")
    with servers.again(folder, environment) as port, servers.client(port, key) as client:
        for name, took in pages(client):
            told(f"page: {name}", took, "ms", PAGE_MS)
        first, rate = export(client)
        told("export: first byte", first, "ms", FIRST_BYTE_MS)
        told("export: rows", rate, "a s")
        whole = servers.environment(folder, environment)
        asked = keep(folder / "requests", [request("/v1/users/me", key)])
        with beside(port, asked, seconds=LONGEST_SECONDS, connections=8) as load:
            seconds, said = command(whole, "purge", "--trust-clock")
            meanwhile = load.finish()
        told("purge of one day beside traffic", seconds, "s", PURGE_SECONDS, said)
        said = ", ".join(f"{many} x {status}" for status, many in meanwhile.statuses.items())
        told("slowest answer meanwhile", max(meanwhile.took) * 1000, "ms", None, said)
        seconds, said = command(whole, "verify")
        told("verify everything", seconds, "s", None, said)


def main() -> int:
    """Measure both databases, or the one that is named."""
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else ROWS
    backends = sys.argv[2:] or ["sqlite", "postgresql"]
    with tempfile.TemporaryDirectory(prefix="lumio-bench-") as name, DurablePostgres() as postgres:
        for backend in backends:
            folder = Path(name) / backend
            folder.mkdir()
            url = {} if backend == "sqlite" else {"LUMIO_DATABASE_URL": postgres.create("bench")}
            measure(backend, url, folder, rows)
    return 0


if __name__ == "__main__":
    sys.exit(main())
