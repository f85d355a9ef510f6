"""On what the figures were made: versions, processors, disk, and how much others used the machine meanwhile.

Promise: a record says by itself whether it may be believed; figures of a machine that others used are not final.
"""

import os
import platform
import sqlite3
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from statistics import median

from bench import processes
from bench.driving import generator
from bench.ground import Ground
from bench.peers import fetch

SYNCS = 100
QUIET = 0.05
"""Which part of the machine others may use, the kernel's own threads among them, before figures are not final."""
LIBRARIES = ("granian", "litestar", "msgspec", "asyncpg", "sqlalchemy", "argon2-cffi")


@dataclass(slots=True)
class Watch:
    """Sees which part of the machine was used by nobody of ours, from when it is made."""

    begun: float = field(default_factory=time.monotonic)
    machine: float = field(default_factory=processes.machine_seconds)
    own: float = field(default_factory=lambda: processes.processor_seconds(os.getpid()))

    def others(self, database: float) -> float:
        """Return the part that others used until now, 0 to 1; `database` is what our PostgreSQL spent, in seconds."""
        whole = (time.monotonic() - self.begun) * (os.cpu_count() or 1)
        own = processes.processor_seconds(os.getpid()) - self.own + database
        return max(0.0, (processes.machine_seconds() - self.machine - own) / whole)


def facts(ground: Ground) -> Mapping[str, str]:
    """Return what to know about the machine and the programs."""
    return {
        "commit": _said("git", "rev-parse", "--short", "HEAD")
        + (", changed" if _said("git", "status", "-s") else ""),
        "processors": f"{os.cpu_count()} × {_model()}",
        "kernel": platform.release(),
        "disk": f"{_disk(ground.scratch)}, one fdatasync {_sync(ground.scratch):.0f} µs at the median",
        "load generator": generator(),
        "Python": platform.python_version(),
        "SQLite": sqlite3.sqlite_version,
        "PostgreSQL": ground.postgres.ask("SHOW server_version"),
        **{name: version(name) for name in LIBRARIES},
        "Node.js": _said("node", "--version"),
        **fetch.versions(ground.cache),
    }


def _said(*command: str) -> str:
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    except OSError:
        return ""


def _model() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown")


def _disk(folder: Path) -> str:
    """Return the kind of file system: on one in memory, being durable costs nothing."""
    return _said("stat", "--file-system", "--format=%T", str(folder))


def _sync(folder: Path) -> float:
    """Return the microseconds of making 4 KiB durable."""
    took = []
    with (folder / "sync").open("wb") as file:
        for _ in range(SYNCS):
            file.write(bytes(4096))
            file.flush()
            started = time.perf_counter()
            os.fdatasync(file.fileno())
            took.append(time.perf_counter() - started)
    return median(took) * 1e6
