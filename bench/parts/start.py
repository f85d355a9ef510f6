"""What starting costs: the server until it is ready, the command line until it has said something; and memory."""

import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence

from bench import processes
from bench.figures import Row, Spread, at_most, missing, ratios
from bench.ground import ACTIVE_KEYS, BACKENDS, Ground
from bench.servers import program, takes_workers

PART, PATH = "start", "/v1/auth/verify"
TRIES = 10
LIGHT = at_most(5)
EMPTY = "an empty Python program"
COMMANDS: Mapping[str, Sequence[str]] = {
    EMPTY: (sys.executable, "-c", "pass"),
    "lumio --help": (program("lumio"), "--help"),
    "lumio keys --help": (program("lumio"), "keys", "--help"),
    "lumio-server --help": (program("lumio-server"), "--help"),
}
LIMITED = "lumio --help"
MIB = 2**20


def measure(ground: Ground) -> Iterator[Row]:
    """Yield the start of every command against an empty program, then of the server, then its memory."""
    yield from _commands()
    for backend in BACKENDS:
        installation = ground.installation(backend)
        file = installation.requests("many", PATH, installation.minter.developer_keys(ACTIVE_KEYS))
        took = []
        for _ in range(ground.rounds):
            started = time.perf_counter()
            with installation.serving():
                took.append(time.perf_counter() - started)
        yield Row(PART, f"{backend}: from the start of the server until it is ready", "s", Spread.of(took))
        trees = []
        for workers in (1, 2) if takes_workers() else (1,):
            with installation.serving(workers) as contender:
                contender.drive(file, 32, ground.seconds)
                held = [processes.memory(pid) for pid in processes.tree(contender.served.root)]
            trees.append(sum(held))
            note = ", ".join(f"{one / MIB:.0f}" for one in held)
            name = f"{backend}: memory of the server, {workers} worker{'s' if workers > 1 else ''}"
            yield Row(PART, name, "MiB", Spread.of([sum(held) / MIB]), None, f"its processes: {note}")
        if len(trees) > 1:
            more = Spread.of([(trees[1] - trees[0]) / MIB])
            yield Row(PART, f"{backend}: memory of one more worker", "MiB", more)
        else:
            yield missing(PART, f"{backend}: memory of one more worker", "this build serves with one worker")


def _commands() -> Iterator[Row]:
    took: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for turn in range(TRIES + 1):
        for name, command in COMMANDS.items():
            started = time.perf_counter()
            subprocess.run(command, check=True, capture_output=True)
            if turn:  # the first one fills the caches of the disk
                took[name].append((time.perf_counter() - started) * 1000)
    for name, several in took.items():
        yield Row(PART, name, "ms", Spread.of(several))
        if name != EMPTY:
            limit = LIGHT if name == LIMITED else None
            yield Row(PART, f"{name}: of {EMPTY}", "ratio", ratios(several, took[EMPTY]), limit)
