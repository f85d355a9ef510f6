"""What processes cost, as Linux counts it: time on processors and memory, of a whole tree of processes.

Promise: a tree is whoever descends from its root now, and what descendants used before they ended.
"""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

TICK = os.sysconf("SC_CLK_TCK")
PROC = Path("/proc")


def stat(pid: int) -> list[str]:
    """Return the fields of /proc/<pid>/stat after the name: state first, the parent's id second (proc(5))."""
    return (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()


def tree(root: int) -> list[int]:
    """Return the ids of a process and of everything that descends from it."""
    children: dict[int, list[int]] = {}
    for path in PROC.iterdir():
        if path.name.isdigit():
            with suppress(OSError):
                children.setdefault(int(stat(int(path.name))[1]), []).append(int(path.name))
    found = [root]
    for pid in found:  # grows while it is walked
        found.extend(children.get(pid, []))
    return found


def processor_seconds(root: int) -> float:
    """Return the seconds that a tree has spent on processors, in user and in system mode, ended children included."""
    return sum(_ticks(tree(root))) / TICK


def _ticks(pids: list[int]) -> Iterator[int]:
    for pid in pids:
        with suppress(OSError):
            yield sum(map(int, stat(pid)[11:15]))


def machine_seconds() -> float:
    """Return the seconds that all processors of the machine were busy since it started."""
    fields = list(map(int, (PROC / "stat").read_text().splitlines()[0].split()[1:]))
    idle, waiting = fields[3], fields[4]
    guests = sum(fields[8:10])  # counted in user time already
    return (sum(fields) - idle - waiting - guests) / TICK


def memory(pid: int) -> int:
    """Return the bytes that a process holds, pages that it shares counted in part (PSS)."""
    lines = (PROC / str(pid) / "smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))


def name(pid: int) -> str:
    """Return the command line of a process."""
    return (PROC / str(pid) / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
