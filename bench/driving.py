"""Driving one server for some seconds: by wrk where it is or can be had, else by the generator of `load.py`.

Promise: what is counted was answered with 200; anything else ends the bench. The time that the server's processes
spent is read right before and right after.
"""

import asyncio
import json
import os
import resource
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from bench import processes
from bench.load import GOOD, Order, drive
from bench.rotation import read

SCRIPT = Path(__file__).with_name("rotate.lua")
GRACE_SECONDS = 60


@dataclass(slots=True)
class Driven:
    """What one server did in one round.

    `spent` is seconds on processors by the name of a tree (`server`, `database`), `load` those of the generator;
    times are milliseconds; `waiting` is how many rows the sealer had before it at the end, `sealing` what the
    server's tree spent afterwards until it had none.
    """

    answers: int
    seconds: float
    p50: float
    p99: float
    longest: float
    load: float = 0.0
    spent: Mapping[str, float] = field(default_factory=dict)
    waiting: int = 0
    sealing: float = 0.0

    @property
    def rate(self) -> float:
        """Answers a second."""
        return self.answers / self.seconds

    @property
    def cost(self) -> float:
        """Microseconds on processors an answer, of the server and its database."""
        return sum(self.spent.values()) / self.answers * 1e6


def measure(port: int, requests: Path, connections: int, trees: Mapping[str, int], seconds: int) -> Driven:
    """Ask as fast as answers come, requests in turn, for whole seconds.

    Raises:
        AssertionError: an answer was not 200, or did not come.
    """
    before = {name: processes.processor_seconds(root) for name, root in trees.items()}
    began = _own_seconds()
    driven = _wrk(port, requests, connections, seconds) if wrk() else _python(port, requests, connections, seconds)
    driven.load = _own_seconds() - began
    driven.spent = {name: processes.processor_seconds(root) - before[name] for name, root in trees.items()}
    return driven


@cache
def wrk() -> str | None:
    """Return the path of wrk, after an attempt to install it where that is possible: root on Debian."""
    if shutil.which("wrk") is None and shutil.which("apt-get") and os.geteuid() == 0:
        command = ["apt-get", "install", "-y", "--no-install-recommends", "wrk"]
        subprocess.run(command, check=False, capture_output=True, timeout=300)
    return shutil.which("wrk")


def generator() -> str:
    """Name the generator and its version."""
    if wrk() is None:
        return "bench.load (asyncio)"
    said = subprocess.run([str(wrk()), "--version"], capture_output=True, text=True, check=False).stdout
    return " ".join(said.split()[:2])


def _wrk(port: int, requests: Path, connections: int, seconds: int) -> Driven:
    where = ["-s", str(SCRIPT), f"http://127.0.0.1:{port}/", "--", str(requests)]
    command = [str(wrk()), "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s", "--latency", *where]
    said = subprocess.run(command, capture_output=True, text=True, check=False, timeout=seconds + GRACE_SECONDS)
    line = next((one for one in said.stdout.splitlines() if one.startswith("REPORT ")), None)
    assert line is not None, said.stdout + said.stderr
    report = json.loads(line.removeprefix("REPORT "))
    bad, broken = report.pop("bad"), report.pop("broken")
    assert not bad, f"{bad} of {report['answers']} answers were not 200"
    assert not broken, f"{broken} answers did not come"
    return Driven(**report)


def _python(port: int, requests: Path, connections: int, seconds: int) -> Driven:
    run = asyncio.run(drive(port, read(requests), Order(seconds, connections)))
    assert set(run.statuses) == {GOOD}, run.statuses
    return Driven(len(run.took), run.seconds, run.quantile(0.5), run.quantile(0.99), run.quantile(1))


def _own_seconds() -> float:
    """Return what this process and its ended children spent: with wrk, that is wrk."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)
