"""Credentials in use come before those not seen yet, and nobody is refused for being new."""

import asyncio
from collections.abc import Awaitable

import pytest

from lumio.access import lane as lane_module
from lumio.access.lane import PACE, Lane
from tests.support.world import World

ONE_TURN = 0


async def turns(many: int) -> None:
    for _ in range(many):
        await asyncio.sleep(ONE_TURN)


def crowd(lane: Lane, many: int, order: list[str]) -> list[asyncio.Task[None]]:
    async def come(name: str) -> None:
        await lane.enter(name)
        order.append(name)

    return [asyncio.create_task(come(f"new-{number}")) for number in range(many)]


def at_once(entering: Awaitable[None]) -> bool:
    """Tell whether somebody enters without waiting."""
    try:
        entering.__await__().__next__()
    except StopIteration:
        return True
    return False


async def test_those_not_seen_yet_enter_a_few_a_turn_in_their_order_and_all_of_them() -> None:
    lane, order = Lane(), list[str]()
    crowd(lane, 10 * PACE, order)
    seen = []
    for _ in range(30):
        await turns(1)
        seen.append(len(order))
    assert order == [f"new-{number}" for number in range(10 * PACE)]
    assert max(after - before for before, after in zip([0, *seen], seen, strict=False)) <= PACE


async def test_a_credential_that_was_good_waits_for_nobody_however_many_are_new() -> None:
    lane, order = Lane(), list[str]()
    lane.was_good("in use")
    crowd(lane, 50, order)
    await turns(3)
    assert at_once(lane.enter("in use"))
    assert not at_once(lane.enter("another"))


async def test_alone_nobody_waits() -> None:
    lane = Lane()
    for number in range(PACE):
        assert at_once(lane.enter(f"new-{number}"))
    await turns(2)
    assert at_once(lane.enter("later"))


async def test_who_stops_waiting_takes_nobodys_place() -> None:
    lane, order = Lane(), list[str]()
    tasks = crowd(lane, 4 * PACE, order)
    await turns(1)
    for task in tasks[PACE : 3 * PACE]:
        task.cancel()
    await turns(3)
    assert order == [f"new-{number}" for number in (*range(PACE), *range(3 * PACE, 4 * PACE))]


async def test_what_is_remembered_is_bounded_and_holds_no_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lane_module, "REMEMBERED_MAX", 3)
    lane = Lane()
    for number in range(5):
        lane.was_good(f"key-{number}")
    assert list(lane._lately) == [hash(f"key-{number}") for number in (2, 3, 4)]


async def test_at_the_door_a_key_in_use_overtakes_a_crowd_of_guesses(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = (await world.mint_key(await world.sign_in()))["key"]
    entered: list[str] = []
    enter = Lane.enter

    async def noted(self: Lane, text: str) -> None:
        await enter(self, text)
        entered.append(text)

    monkeypatch.setattr(Lane, "enter", noted)
    assert (await world.bearer(key).get("/v1/auth/verify")).status_code == 200
    entered.clear()
    guesses = [world.bearer(f"lm_dev_{number:052d}").get("/v1/auth/verify") for number in range(60)]
    answers = await asyncio.gather(*guesses, world.bearer(key).get("/v1/auth/verify"))
    assert [answer.status_code for answer in answers] == [401] * 60 + [200]
    assert len(entered) == 61, "nobody is refused for being new"
    assert entered.index(key) <= PACE, "it came last and was let in with the first"
