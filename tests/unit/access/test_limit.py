"""Failures per address: exact at the limit, apart by address, bounded in memory."""

import pytest

from lumio.access import counts
from lumio.access.limit import FailureLimiter
from lumio.access.tallies import address_group
from lumio.kernel import clock
from lumio.kernel.errors import Limited


class Minutes:
    """A clock that moves when told."""

    def __init__(self) -> None:
        self.seconds = 600.0


@pytest.fixture
def minutes(monkeypatch: pytest.MonkeyPatch) -> Minutes:
    moved = Minutes()
    monkeypatch.setattr(clock, "monotonic", lambda: moved.seconds)
    return moved


@pytest.fixture
def limiter(minutes: Minutes) -> FailureLimiter:
    return FailureLimiter(3)


def fail(limiter: FailureLimiter, times: int, address: str = "192.0.2.1") -> int:
    """Fail so often; return how many were refused."""
    refused = 0
    for _ in range(times):
        try:
            limiter.failed(address)
        except Limited:
            refused += 1
    return refused


def test_the_limit_itself_passes_and_one_more_does_not(limiter: FailureLimiter) -> None:
    assert fail(limiter, 3) == 0
    assert fail(limiter, 1) == 1


@pytest.mark.parametrize(("passed", "wait"), [(0.0, 60), (0.9, 60), (1.0, 59), (59.0, 1), (59.99, 1)])
def test_the_wait_ends_with_the_minute(limiter: FailureLimiter, minutes: Minutes, passed: float, wait: int) -> None:
    minutes.seconds += passed
    fail(limiter, 3)
    with pytest.raises(Limited) as caught:
        limiter.failed("192.0.2.1")
    assert (caught.value.retry_after, caught.value.limit, caught.value.window) == (wait, 3, 60)


def test_the_next_minute_begins_anew_and_not_a_moment_earlier(limiter: FailureLimiter, minutes: Minutes) -> None:
    fail(limiter, 3)
    minutes.seconds += 59.999
    assert fail(limiter, 1) == 1
    minutes.seconds = 660.0
    assert fail(limiter, 3) == 0


def test_another_address_is_not_held_to_account(limiter: FailureLimiter) -> None:
    fail(limiter, 10)
    assert fail(limiter, 3, "192.0.2.2") == 0


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("192.0.2.1", "192.0.2.1", True),
        ("192.0.2.1", "192.0.2.2", False),
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:ffff", True),
        ("2001:db8:1:2::1", "2001:DB8:1:2:0:0:0:2", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        (None, "no address", True),
        (None, "192.0.2.1", False),
    ],
)
def test_what_a_client_can_change_freely_is_one_group(one: str | None, other: str | None, same: bool) -> None:
    assert (address_group(one) == address_group(other)) == same


def test_memory_is_bounded(limiter: FailureLimiter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counts, "NAMES_MAX", 100)
    fail(limiter, 5, "198.51.100.1")
    for number in range(1000):
        fail(limiter, 1, f"192.0.{number // 250}.{number % 250}")
    assert isinstance(limiter._counts, counts.OwnCounts)
    assert len(limiter._counts._counts) == 100
