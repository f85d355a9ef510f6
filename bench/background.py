"""Loads that run beside each other, each in a process of its own, so that none slows another one's clock."""

import json
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.load import Run

PATIENCE_SECONDS = 120


class Background:
    """One load under way."""

    def __init__(self, port: int, requests: Path, options: Iterable[str]) -> None:
        """Start `python -m bench.load`."""
        command = [sys.executable, "-m", "bench.load", str(port), str(requests), *options]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def result(self) -> Run:
        """Wait for its end and return what came.

        Raises:
            RuntimeError: it failed; the error has its words.
        """
        out, errors = self._process.communicate(timeout=PATIENCE_SECONDS)
        if self._process.returncode:
            raise RuntimeError(errors.strip())
        told = json.loads(out)
        statuses = Counter({int(status): many for status, many in told.pop("statuses").items()})
        return Run(**told, statuses=statuses)

    def finish(self) -> Run:
        """Let it ask nothing more; return what came."""
        self._process.send_signal(signal.SIGTERM)
        return self.result()

    def stop(self) -> None:
        """End it, if it still runs."""
        if self._process.poll() is None:
            self._process.kill()
            self._process.communicate()


@contextmanager
def beside(port: int, requests: Path, **order: float | bool) -> Iterator[Background]:
    """Run a load until it is over or the block ends; `order` is that of `bench.load.Order`."""
    options = [f"--{name}" if value is True else f"--{name}={value}" for name, value in order.items()]
    load = Background(port, requests, options)
    try:
        yield load
    finally:
        load.stop()
