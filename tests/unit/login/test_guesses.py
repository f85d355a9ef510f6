"""Guessing limits: ten from one address, a hundred a day in all, counted before they are checked."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import select

from lumio.crypto.hashing import Peppers
from lumio.kernel import clock
from lumio.kernel.errors import Limited
from lumio.login import guesses as guesses_module
from lumio.login.guesses import Guesses
from lumio.login.store import LoginStore
from lumio.login.store import guesses as rows
from tests.support.ground import Ground

ROBIN, HERE, THERE = "robin@example.com", "203.0.113.7", "198.51.100.1"


@pytest.fixture
def guesses(ground: Ground) -> Guesses:
    return Guesses(LoginStore(), Peppers(ground.ring, "guesses"), ground.units)


@pytest.fixture
def moved() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(clock.now(), tick=False) as traveller:
        yield traveller


async def tried(guesses: Guesses, email: str = ROBIN, ip: str | None = HERE, *, known: bool = False) -> bool:
    """Try once; tell whether the try may be checked."""
    try:
        await guesses.count(email, ip, known_address=known)
    except Limited:
        return False
    return True


async def test_ten_tries_from_one_address_in_a_quarter_of_an_hour_and_no_eleventh(
    guesses: Guesses, moved: time_machine.Traveller
) -> None:
    assert [await tried(guesses) for _ in range(12)] == [True] * 10 + [False] * 2
    moved.shift(timedelta(minutes=14, seconds=59))
    assert not await tried(guesses)
    moved.shift(timedelta(seconds=2))
    assert await tried(guesses)


async def test_a_victim_elsewhere_is_not_locked_out(guesses: Guesses) -> None:
    for _ in range(15):
        await tried(guesses)
    assert await tried(guesses, ip=THERE)
    assert await tried(guesses, "mia@example.com")


async def test_two_spellings_of_one_address_are_one_name(guesses: Guesses) -> None:
    for number in range(10):
        assert await tried(guesses, ROBIN.upper() if number % 2 else ROBIN)
    assert not await tried(guesses, "Robin@Example.com")
    assert not await tried(guesses, "\uff52obin@example.com")


async def test_the_neighbours_of_an_ipv6_address_count_together(guesses: Guesses) -> None:
    for number in range(10):
        assert await tried(guesses, ip=f"2001:db8:1:2::{number}")
    assert not await tried(guesses, ip="2001:db8:1:2:ffff::1")
    assert await tried(guesses, ip="2001:db8:1:3::1")


async def test_a_hundred_a_day_from_everywhere_spare_only_a_known_address(
    guesses: Guesses, moved: time_machine.Traveller
) -> None:
    for number in range(100):
        assert await tried(guesses, ip=f"198.51.{number}.1")
    assert not await tried(guesses, ip=THERE)
    assert await tried(guesses, known=True)
    assert not await tried(guesses, ip="198.51.3.1")
    moved.shift(timedelta(days=1, seconds=1))
    assert await tried(guesses, ip=THERE)


async def test_a_known_address_is_held_to_the_ten_as_well(guesses: Guesses) -> None:
    assert [await tried(guesses, known=True) for _ in range(11)] == [True] * 10 + [False]


async def test_guesses_at_once_cannot_slip_past(guesses: Guesses) -> None:
    answers = await asyncio.gather(*[tried(guesses) for _ in range(25)])
    assert sum(answers) == 10


async def test_the_right_password_forgives_this_address_only(ground: Ground, guesses: Guesses) -> None:
    for _ in range(10):
        await tried(guesses)
        await tried(guesses, ip=THERE)
    await ground.units.run(lambda unit: guesses.forgive(unit, ROBIN, HERE))
    assert await tried(guesses)
    assert not await tried(guesses, ip=THERE)


async def test_a_reset_forgives_all_of_them(ground: Ground, guesses: Guesses) -> None:
    for _ in range(10):
        await tried(guesses)
        await tried(guesses, ip=THERE)
    await ground.units.run(lambda unit: guesses.forgive(unit, ROBIN))
    assert await tried(guesses)
    assert await tried(guesses, ip=THERE)


async def test_a_refusal_says_how_long_to_wait(guesses: Guesses) -> None:
    for _ in range(10):
        await tried(guesses)
    with pytest.raises(Limited) as caught:
        await guesses.count(ROBIN, HERE, known_address=False)
    assert (caught.value.retry_after, caught.value.limit, caught.value.window) == (900, 10, 900)


async def test_what_is_kept_does_not_name_the_person(ground: Ground, guesses: Guesses) -> None:
    await tried(guesses)
    kept = str(await ground.rows(select(rows)))
    assert "robin" not in kept.lower()


async def test_the_sweep_removes_what_no_limit_counts_and_nothing_else(
    ground: Ground, guesses: Guesses, moved: time_machine.Traveller
) -> None:
    await tried(guesses)
    moved.shift(guesses_module.WIDE_WINDOW + timedelta(seconds=1))
    await tried(guesses)
    await guesses.sweep()
    assert len(await ground.rows(select(rows))) == 1
