"""The lease: how long this node may serve after its last proof that it knows every revocation.

Promise: asked at the moment of use, by clocks alone. Nothing has to run for a node to stop serving: no timer, no
thread, no turn of the event loop (I8).
"""

from collections.abc import Callable
from typing import NamedTuple

from lumio.kernel import clock

DRIFT = 1.01
MARGIN = 0.4
WALL_JUMP = 2.0
"""Seconds that the wall clock may move against the boot-time clock: beyond it, some clock was set or restored."""
SILENCE_MARGIN = 0.5


class Instant(NamedTuple):
    """One moment on both clocks, in seconds."""

    boot: float
    wall: float


def bound(seconds: float) -> float:
    """Return B: no later than this many seconds after a revocation is it refused everywhere."""
    return seconds * DRIFT + MARGIN


def silence(seconds: float) -> float:
    """Return W: after this many seconds a node with such a lease that was not heard of serves no more."""
    return seconds * DRIFT + SILENCE_MARGIN


def present() -> Instant:
    """Read both clocks of this machine."""
    return Instant(clock.boottime(), clock.now().timestamp())


class Lease:
    """Counts from the instant *before* a proof was asked for, never from its arrival."""

    def __init__(self, seconds: float, read: Callable[[], Instant] = present) -> None:
        """Last `seconds` on the boot-time clock; `read` gives the clocks."""
        self.seconds = seconds
        self.read = read
        self._since: Instant | None = None

    def renew(self, asked: Instant) -> None:
        """Count from `asked`, when that is later than what is counted from."""
        if self._since is None or asked.boot > self._since.boot:
            self._since = asked

    def drop(self) -> None:
        """Stop serving at once."""
        self._since = None

    def fresh(self) -> bool:
        """Tell whether this node may serve now."""
        return self._since is not None and self.left() > 0

    def left(self) -> float:
        """Return the seconds that are left; 0 or less when there is no lease."""
        since = self._since
        if since is None:
            return 0.0
        now = self.read()
        passed = now.boot - since.boot
        if abs((now.wall - since.wall) - passed) > WALL_JUMP:
            return 0.0
        return self.seconds - passed
