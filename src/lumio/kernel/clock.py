"""The only place that reads a clock, so that a test can move every clock of the house at once.

Three clocks, never mixed: `now` is for people and rows, `monotonic` for waiting, `boottime` for leases,
because it goes on counting while the machine sleeps.
"""

import time
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def now() -> datetime:
    """Return the wall clock as an aware UTC time with microseconds."""
    return datetime.now(UTC)


def micros() -> int:
    """Return the same time as `now` in microseconds since 1970-01-01 UTC: for what happens on every request."""
    return time.time_ns() // 1000


def monotonic() -> float:
    """Return seconds that never go back; stands still while the machine sleeps."""
    return time.monotonic()


boottime = partial(time.clock_gettime, time.CLOCK_BOOTTIME)
"""Return seconds since boot, the time asleep included; asked several times on every request."""


def boot() -> str:
    """Return a name for the time since the machine was started; another after each start."""
    return Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()


def sleep(seconds: float) -> None:
    """Block this thread; never on the event loop."""
    time.sleep(seconds)


def to_micros(moment: datetime) -> int:
    """Return microseconds since 1970-01-01 UTC, the form in which every row keeps a time."""
    return (moment - _EPOCH) // _MICROSECOND


def from_micros(micros: int) -> datetime:
    """Return the aware UTC time of `to_micros`."""
    return _EPOCH + timedelta(microseconds=micros)


def rfc3339(moment: datetime) -> str:
    """Return RFC 3339 (section 5.6) in UTC with `Z` and microseconds."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
