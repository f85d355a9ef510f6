"""Rate limits in one process: requests share a draw, and share its failure too."""

import asyncio

import pytest

from lumio.access.rates import RateLimiter, Rule
from lumio.kernel.errors import Limited, Unavailable

pytestmark = pytest.mark.usefixtures("one_minute")

RULE = Rule("api_key", 40, 3600)


class Drawn:
    """Windows of one worker; a draw takes a moment, and fails while told to."""

    def __init__(self) -> None:
        self.draws, self.used, self.fails = 0, 0, False

    async def draw(self, name: str, starts: int, ends: int, portion: int, limit: int) -> tuple[int, int]:
        del name, starts, ends
        self.draws += 1
        await asyncio.sleep(0.05)
        if self.fails:
            raise Unavailable("the database is away")
        self.used = min(self.used + portion, limit + portion)
        return max(0, min(portion, limit - (self.used - portion))), min(self.used, limit)


@pytest.fixture
def drawn() -> Drawn:
    return Drawn()


@pytest.fixture
def limiter(drawn: Drawn) -> RateLimiter:
    return RateLimiter(drawn, {})


async def spent(limiter: RateLimiter, times: int) -> list[object]:
    return list(await asyncio.gather(*[limiter.spend(RULE, "k-1") for _ in range(times)], return_exceptions=True))


async def test_at_once_as_many_pass_as_the_limit_says_and_not_one_more(limiter: RateLimiter, drawn: Drawn) -> None:
    answers = await spent(limiter, 60)
    assert sum(isinstance(answer, Limited) for answer in answers) == 20
    assert drawn.draws <= 21
    assert limiter._drawing == {}


async def test_one_draw_that_fails_fails_all_that_wait_for_it_and_nobody_waits_in_line(
    limiter: RateLimiter, drawn: Drawn
) -> None:
    drawn.fails = True
    answers = await spent(limiter, 20)
    assert [type(answer) for answer in answers] == [Unavailable] * 20
    assert drawn.draws == 1
    drawn.fails = False
    await limiter.spend(RULE, "k-1")


async def test_one_that_leaves_takes_nobody_along(limiter: RateLimiter) -> None:
    tasks = [asyncio.create_task(limiter.spend(RULE, "k-1")) for _ in range(2)]
    await asyncio.sleep(0.01)
    tasks[0].cancel()
    await tasks[1]
    assert tasks[0].cancelled()
