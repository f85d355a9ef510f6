"""Threat 48: guessing is slowed down, and nobody can lock another person out."""

import asyncio
from datetime import timedelta

import time_machine

from lumio.kernel import clock
from tests.api.rest.outward import count, rows
from tests.support.world import OPERATOR, PASSWORD, World

WRONG = "wrong-horse-battery"


async def login(world: World, password: str, ip: str = "198.51.100.66", email: str = OPERATOR) -> int:
    answer = await world.anonymous(ip).post("/v1/auth/login", json={"email": email, "password": password})
    return answer.status_code


async def test_the_eleventh_try_from_one_address_is_refused_even_when_it_is_right(world: World) -> None:
    assert [await login(world, WRONG) for _ in range(10)] == [401] * 10
    answer = await world.anonymous("198.51.100.66").post(
        "/v1/auth/login", json={"email": OPERATOR, "password": PASSWORD}
    )
    assert (answer.status_code, answer.json()["code"]) == (429, "rate_limited")
    assert 0 < int(answer.headers["retry-after"]) <= 900
    assert "ratelimit-policy" in answer.headers


async def test_many_guesses_at_once_do_not_slip_past(world: World) -> None:
    statuses = await asyncio.gather(*[login(world, WRONG) for _ in range(30)])
    assert sorted(statuses) == [401] * 10 + [429] * 20


async def test_the_victim_signs_in_from_elsewhere_while_the_attack_goes_on(world: World) -> None:
    await asyncio.gather(*[login(world, WRONG) for _ in range(20)])
    assert await login(world, PASSWORD, "203.0.113.7") == 200


async def test_after_a_hundred_guesses_from_everywhere_a_known_address_still_gets_in(world: World) -> None:
    await world.sign_in(ip="203.0.113.7")
    for number in range(10):
        await asyncio.gather(*[login(world, WRONG, f"198.51.100.{number}") for _ in range(10)])
    assert await login(world, PASSWORD, "192.0.2.200") == 429
    assert await login(world, PASSWORD, "203.0.113.7") == 200


async def test_whoever_signed_in_keeps_working_through_the_attack(world: World) -> None:
    robin = await world.sign_in()
    made = await world.mint_key(robin)
    await asyncio.gather(*[login(world, WRONG, "203.0.113.7") for _ in range(20)])
    assert (await robin.get("/v1/users/me")).status_code == 200
    assert (await world.bearer(made["key"]).get("/v1/users/me")).status_code == 200


async def test_the_limit_is_over_after_fifteen_minutes(world: World) -> None:
    await asyncio.gather(*[login(world, WRONG) for _ in range(12)])
    with time_machine.travel(clock.now() + timedelta(minutes=14, seconds=50)):
        assert await login(world, PASSWORD) == 429
    with time_machine.travel(clock.now() + timedelta(minutes=15, seconds=1)):
        assert await login(world, PASSWORD) == 200


async def test_the_right_password_forgives_what_was_mistyped_before(world: World) -> None:
    for _ in range(3):
        assert [await login(world, WRONG) for _ in range(9)] == [401] * 9
        assert await login(world, PASSWORD) == 200


async def test_neighbours_in_one_ipv6_network_share_a_limit_and_other_networks_do_not(world: World) -> None:
    for number in range(10):
        await login(world, WRONG, f"2001:db8:1:2::{number:x}")
    assert await login(world, PASSWORD, "2001:db8:1:2:ffff::1") == 429
    assert await login(world, PASSWORD, "2001:db8:1:3::1") == 200


async def test_another_spelling_of_the_address_is_the_same_person(world: World) -> None:
    spellings = ("robin@example.com", "ROBIN@example.com", "Robin@Example.Com")
    statuses = [await login(world, WRONG, email=spellings[number % 3]) for number in range(11)]
    assert statuses == [401] * 10 + [429]


async def test_what_was_limited_is_recorded_and_no_typed_name_is_kept(world: World) -> None:
    await asyncio.gather(*[login(world, WRONG, email="nobody@example.com") for _ in range(11)])
    told = await rows(world, "SELECT detail FROM audit_event WHERE event = 'session.created' AND result = 'failure'")
    assert len([one for one in told if "rate_limited" in one["detail"]]) == 1
    kept = await rows(world, "SELECT who, address FROM password_guess")
    assert "nobody" not in str(kept)
    assert await count(world, "SELECT count(*) FROM password_guess") == 10
