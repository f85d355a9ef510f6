"""Waiting for the barrier: as long as the asker wants and stays, and no longer because it ends two things."""

import asyncio
from collections.abc import Callable
from typing import Any, cast

import pytest

from lumio.access import patience
from lumio.access.patience import reached
from lumio.access.principal import ANONYMOUS, Asker
from lumio.authority.interface import Authority
from lumio.kernel import clock
from lumio.kernel.errors import Unavailable
from lumio.kernel.event import NOWHERE


class Slow:
    """An authority that lets time pass on a clock of its own, and knows after so many seconds."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, after: float = 1e9) -> None:
        self.now = 100.0
        self.knows = self.now + after
        self.asked: list[float] = []
        monkeypatch.setattr(clock, "monotonic", lambda: self.now)

    async def effective(self, seq: int, seconds: float) -> bool:
        assert seq == 7
        self.asked.append(seconds)
        self.now = min(self.now + seconds, max(self.knows, self.now))
        await asyncio.sleep(0)
        return self.now >= self.knows


Make = Callable[..., Slow]


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Make:
    return lambda **given: Slow(monkeypatch, **given)


def asker(seconds: float, left: Any = None) -> Asker:
    return Asker(ANONYMOUS, NOWHERE, patience=seconds, left=left)


async def wait(authority: Slow, who: Asker) -> bool:
    return await reached(cast("Authority", authority), 7, who)


async def test_without_patience_there_is_one_look(slow: Make) -> None:
    authority = slow(after=5)
    assert not await wait(authority, asker(0))
    assert authority.asked == [0.0]


async def test_it_is_told_as_soon_as_it_is_so(slow: Make) -> None:
    authority = slow(after=2.5)
    assert await wait(authority, asker(10))
    assert authority.now == 102.5


async def test_patience_that_is_used_up_ends_with_the_truth(slow: Make) -> None:
    authority = slow(after=10.5)
    assert not await wait(authority, asker(10))
    assert sum(authority.asked) == pytest.approx(10)


async def test_several_revocations_of_one_request_share_its_patience(slow: Make) -> None:
    authority, who = slow(), asker(10)
    for _ in range(3):
        assert not await wait(authority, who)
    assert authority.now == pytest.approx(110)
    assert authority.asked[-2:] == [0.0, 0.0]
    assert who.outcome.waited == pytest.approx(10)


async def test_who_has_left_is_waited_for_no_longer_than_a_glance(slow: Make) -> None:
    authority = slow()

    async def left() -> None:
        while authority.now < 102:  # noqa: ASYNC110 - the clock of the stand-in tells nobody
            await asyncio.sleep(0)

    assert not await wait(authority, asker(30, left))
    assert authority.now <= 102 + 2 * patience.GLANCE_SECONDS


async def test_nobody_listens_for_a_departure_any_more_once_the_waiting_is_over(slow: Make) -> None:
    heard = asyncio.Event()

    async def left() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            heard.set()

    assert await wait(slow(after=0.5), asker(30, left))
    async with asyncio.timeout(5):
        await heard.wait()


class Away(Slow):
    """One that cannot be asked."""

    async def effective(self, seq: int, seconds: float) -> bool:
        raise Unavailable(f"asked about {seq} for {seconds} s")


async def test_an_authority_that_cannot_be_asked_ends_the_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Unavailable):
        await wait(Away(monkeypatch), asker(10))
