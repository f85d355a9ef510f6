"""Stops a command when it is told to: Ctrl-C on a terminal, SIGTERM from a CI that cancels a job.

Promise: both arrive as KeyboardInterrupt at the same place, so a command can say what state it leaves behind.
"""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from lumio.cli.errors import CommandError, ExitCode


def _raise(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


@contextmanager
def stoppable() -> Iterator[None]:
    """Treat SIGTERM like Ctrl-C while the block runs."""
    before = signal.signal(signal.SIGTERM, _raise)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def interrupted(what: str = "Interrupted", why: str = "", next_step: str = "") -> CommandError:
    """Make the error for a command that was stopped (exit code 130)."""
    return CommandError(what, why, next_step, code="interrupted", exit_code=ExitCode.INTERRUPTED)
