"""Rate limits per kind, per route and per address; shared through the database."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
import pytest_asyncio

from lumio.access.rates import LEASES, RateLimiter, Rule
from lumio.app import build
from lumio.kernel.errors import Limited, Unavailable
from lumio.settings import Settings
from lumio.storage.rates import RateWindows
from tests.support.world import CHEAP, World

pytestmark = pytest.mark.usefixtures("one_minute")


@pytest_asyncio.fixture
async def narrow(settings: Settings) -> AsyncIterator[World]:
    """A house where a key may ask 40 times a minute, a session 20, and a stranger 10."""
    rates = {**settings.rates, "API_KEY": 40, "SESSION": 20, "ANONYMOUS": 10}
    async with build(replace(settings, rates=rates), password_cost=CHEAP).open() as house:
        yield World(house)


async def test_a_key_gets_its_limit_and_not_one_more_and_is_told_what_is_left(narrow: World) -> None:
    key = narrow.bearer((await narrow.mint_key(await narrow.sign_in()))["key"])
    answers = [await key.get("/v1/users/me") for _ in range(41)]
    assert [answer.status_code for answer in answers] == [200] * 40 + [429]
    assert answers[0].headers["ratelimit-policy"] == '"api_key";q=40;w=60'
    assert answers[0].headers["ratelimit"].startswith('"api_key";r=39;t=')
    assert answers[39].headers["ratelimit"].startswith('"api_key";r=0;t=')
    refused = answers[40]
    assert refused.json()["code"] == "rate_limited"
    assert 1 <= int(refused.headers["retry-after"]) <= 60


async def test_another_key_and_another_address_are_not_slowed_by_a_busy_one(narrow: World) -> None:
    robin = await narrow.sign_in()
    busy = narrow.bearer((await narrow.mint_key(robin, "busy"))["key"])
    calm = narrow.bearer((await narrow.mint_key(robin, "calm"))["key"])
    for _ in range(41):
        await busy.get("/v1/users/me")
    assert (await calm.get("/v1/users/me")).status_code == 200
    assert (await narrow.anonymous("198.51.100.9").get("/v1/users/me")).status_code == 401


async def test_strangers_are_counted_per_address_and_a_whole_ipv6_64_is_one_address(narrow: World) -> None:
    statuses = [(await narrow.anonymous(f"2001:db8::{n:x}").get("/v1/users/me")).status_code for n in range(1, 13)]
    assert statuses == [401] * 10 + [429] * 2


async def _granted(worker: RateLimiter, rule: Rule) -> bool:
    try:
        await worker.spend(rule, "somebody")
    except Limited:
        return False
    return True


@pytest.mark.parametrize(("limit", "lent"), [(80, 0), (200, 3)])
async def test_workers_together_stay_within_the_limit_and_what_is_lent_and_waste_at_most_a_lease_each(
    world: World, limit: int, lent: int
) -> None:
    rule = Rule("shared", limit)
    workers = [RateLimiter(RateWindows(world.house.database), {}) for _ in range(4)]

    async def use(worker: RateLimiter) -> int:
        for used in range(300):
            if not await _granted(worker, rule):
                return used
        return 300

    used = await asyncio.gather(*[use(worker) for worker in workers])
    assert limit - 4 * (limit // LEASES) <= sum(used) <= limit + lent


async def test_simultaneous_requests_share_one_lease(world: World) -> None:
    draws: list[int] = []

    class Counting(RateWindows):
        async def draw(self, name: str, starts: int, ends: int, portion: int, limit: int) -> tuple[int, int]:
            draws.append(portion)
            return await super().draw(name, starts, ends, portion, limit)

    limiter = RateLimiter(Counting(world.house.database), {})
    await asyncio.gather(*[limiter.spend(Rule("burst", 1000), "somebody") for _ in range(50)])
    assert draws == [50]


async def test_many_who_draw_at_once_share_a_transaction_and_each_gets_its_own(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    windows = RateWindows(world.house.database)
    units = 0
    run = windows._units.run

    async def counted(step: Any) -> Any:
        nonlocal units
        units += 1
        return await run(step)

    monkeypatch.setattr(windows._units, "run", counted)
    asked = [(f"many/{number}", 7 + number % 2) for number in range(300)] * 2
    granted = await asyncio.gather(*[windows.draw(name, 60, 120, 5, limit) for name, limit in asked])
    assert granted[:300] == [(5, 5)] * 300
    assert granted[300:] == [(limit - 5, limit) for _, limit in asked[300:]], "the second of a window gets the rest"
    assert units == 2


async def test_a_failure_is_told_to_all_who_draw_and_to_nobody_after(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    windows = RateWindows(world.house.database)

    async def failing(step: Any) -> Any:
        del step
        raise Unavailable("away")

    with monkeypatch.context() as patched:
        patched.setattr(windows._units, "run", failing)
        drawn = [windows.draw(f"away/{number}", 60, 120, 5, 10) for number in range(3)]
        answers = await asyncio.gather(*drawn, return_exceptions=True)
    assert [type(answer) for answer in answers] == [Unavailable] * 3
    assert await windows.draw("away/1", 60, 120, 5, 10) == (5, 5)
