"""Repetitions of a create: the same key never makes a second thing."""

import asyncio
from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import func, select

from lumio.kernel import clock
from lumio.kernel.errors import Conflict
from lumio.storage import idempotency
from lumio.storage.unit import Unit
from tests.support.ground import Ground

NAME, OTHER, BODY = "n" * 64, "o" * 64, "b" * 64


async def once(ground: Ground, unit: Unit, thing: str) -> str:
    """Make a thing the way `perform` does it."""
    kept = await idempotency.find(unit, NAME)
    if kept is not None:
        return kept.answer or ""
    await idempotency.claim(unit, NAME, BODY, revealing=False)
    await ground.make(unit, thing)
    await idempotency.keep(unit, NAME, thing, thing)
    return thing


async def test_the_first_answer_is_kept_with_the_change(ground: Ground) -> None:
    assert await ground.units.run(lambda unit: once(ground, unit, "first")) == "first"
    assert await ground.units.run(lambda unit: once(ground, unit, "second")) == "first"
    assert await ground.names() == ["first"]


async def test_a_change_that_failed_keeps_no_answer(ground: Ground) -> None:
    async def fail(unit: Unit) -> None:
        await once(ground, unit, "first")
        raise LookupError

    with pytest.raises(LookupError):
        await ground.units.run(fail)
    assert await ground.units.run(lambda unit: once(ground, unit, "second")) == "second"


async def test_two_at_once_make_one_thing(ground: Ground) -> None:
    async def slowly(unit: Unit, thing: str) -> str:
        kept = await idempotency.find(unit, NAME)
        await asyncio.sleep(0.05)
        return kept.answer or "" if kept else await once(ground, unit, thing)

    answers = await asyncio.gather(
        *[ground.units.run(lambda unit, n=n: slowly(unit, f"thing-{n}")) for n in range(4)],  # type: ignore[misc]
        return_exceptions=True,
    )
    (made,) = await ground.names()
    assert {answer for answer in answers if isinstance(answer, str)} == {made}
    for answer in answers:
        if not isinstance(answer, str):
            assert isinstance(answer, Conflict)
            assert answer.retry_after is not None


async def test_an_answer_is_kept_for_a_day_and_no_longer(ground: Ground) -> None:
    await ground.units.run(lambda unit: once(ground, unit, "first"))
    with time_machine.travel(clock.now() + timedelta(hours=23, minutes=59), tick=False):
        assert await ground.units.run(lambda unit: once(ground, unit, "second")) == "first"
    with time_machine.travel(clock.now() + timedelta(hours=24, seconds=1), tick=False):
        assert await ground.units.run(lambda unit: once(ground, unit, "third")) == "third"


async def test_old_answers_are_swept_and_young_ones_stay(ground: Ground) -> None:
    await ground.units.run(lambda unit: idempotency.claim(unit, NAME, BODY, revealing=False))
    with time_machine.travel(clock.now() + timedelta(hours=25), tick=False):
        await ground.units.run(lambda unit: idempotency.claim(unit, OTHER, BODY, revealing=True))
        await ground.units.run(idempotency.forget_old)
    assert [row[0] for row in await ground.rows(select(idempotency.answers.c.name))] == [OTHER]
    assert (await ground.rows(select(func.count()).select_from(idempotency.answers)))[0][0] == 1
