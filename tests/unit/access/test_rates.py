"""Rate limits in one process: requests share a draw, and share its failure too."""

import asyncio

import pytest

from lumio.access import rates
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


LARGE = Rule("api_key", 1200)


class Shared:
    """Windows that several workers share; `gone` is what others took already."""

    def __init__(self, gone: int = 0) -> None:
        self.used, self.draws = gone, 0
        self.away = False

    async def draw(self, name: str, starts: int, ends: int, portion: int, limit: int) -> tuple[int, int]:
        del name, starts, ends
        self.draws += 1
        if self.away:
            raise Unavailable("the database is away")
        self.used += portion
        return max(0, min(portion, limit - (self.used - portion))), min(self.used, limit)


async def passed(limiter: RateLimiter, rule: Rule) -> int:
    for used in range(2 * rule.limit):
        try:
            await limiter.spend(rule, "k-1")
        except Limited:
            return used
    return 2 * rule.limit


async def test_the_first_of_a_window_is_lent_and_drawn_afterwards_with_all_that_were(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(rates, "LOAN_SECONDS", 0.01)
    windows = Shared()
    limiter = RateLimiter(windows, {})
    first = [limiter.spend_now(LARGE, f"k-{number}") for number in range(5)]
    assert [one is not None and one.left for one in first] == [1199] * 5
    assert (windows.draws, limiter.spend_now(LARGE, "k-1")) == (0, None), "one, and no second"
    await asyncio.sleep(0.05)
    assert windows.draws == 5
    second = limiter.spend_now(LARGE, "k-1")
    assert second is not None


async def test_what_was_lent_is_paid_so_that_one_worker_gets_its_limit_and_not_one_more() -> None:
    assert await passed(RateLimiter(Shared(), {}), LARGE) == 1200


async def test_a_window_that_others_used_up_lends_one_request_a_worker_and_no_second() -> None:
    limiter = RateLimiter(Shared(gone=1200), {})
    assert await passed(limiter, LARGE) == 1
    assert await passed(limiter, LARGE) == 0


async def test_of_a_small_limit_nothing_is_lent() -> None:
    assert RateLimiter(Shared(), {}).spend_now(Rule("few", 99), "k-1") is None


async def test_a_loan_that_could_not_be_drawn_is_no_second_one() -> None:
    windows = Shared()
    windows.away = True
    limiter = RateLimiter(windows, {})
    await limiter.spend(LARGE, "k-1")
    for _ in range(2):
        with pytest.raises(Unavailable):
            await limiter.spend(LARGE, "k-1")
    windows.away = False
    assert await passed(limiter, LARGE) == 1199


async def test_a_worker_alone_counts_a_minute_in_memory_and_longer_windows_in_the_database() -> None:
    windows = Shared()
    limiter = RateLimiter(windows, {}, alone=True)
    small = Rule("few", 7)
    assert (await passed(limiter, small), windows.draws) == (7, 0)
    assert (await passed(limiter, RULE), windows.draws > 0) == (40, True)


async def test_closing_waits_for_draws_under_way_and_begins_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rates, "LOAN_SECONDS", 0.01)
    drawn = Drawn()
    limiter = RateLimiter(drawn, {})
    limiter.spend_now(LARGE, "k-1")
    while not limiter._drawing:  # noqa: ASYNC110 - its timer comes
        await asyncio.sleep(0.001)
    limiter.spend_now(LARGE, "k-2")
    await limiter.close()
    assert (drawn.used, limiter._drawing) == (60, {}), "the first was drawn to its end"
    await asyncio.sleep(0.05)
    assert drawn.draws == 1, "the second is drawn by nobody"


async def test_opened_again_it_knows_nothing_of_before() -> None:
    limiter = RateLimiter(Shared(), {}, alone=True)
    few = Rule("few", 3)
    assert await passed(limiter, few) == 3
    limiter.open()
    assert await passed(limiter, few) == 3
