"""A storm of wrong keys: all get one answer, one address is slowed down, and good keys go on working."""

import asyncio
import hmac
import secrets
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
import pytest_asyncio

from lumio.crypto import opaque
from lumio.kernel import clock
from lumio.settings import Settings
from tests.api.rest.outward import count, rows, seen
from tests.support.world import World, opened

ME = "/v1/users/me"
STORM = 1000


@pytest_asyncio.fixture
async def patient(settings: Settings) -> AsyncIterator[World]:
    """A house with the failure limit of an address raised."""
    async with opened(replace(settings, rate_auth_failures=10 * STORM)) as made:
        yield made


def malformed(number: int) -> str:
    good = opaque.mint(opaque.DEVELOPER_KEY).text
    place = number % len(good)
    return (
        good[:place],
        good + "0",
        good[:place] + "-" + good[place + 1 :],
        good[:-1] + ("0" if good[-1] != "0" else "1"),
        good.replace("lm_dev_", "lm_xxx_"),
        secrets.token_urlsafe(1 + number % 300),
    )[number % 6] or "x"


def wrong_secret(genuine: str) -> str:
    body = genuine[:19] + opaque.mint(opaque.DEVELOPER_KEY).text[19:-6]
    return body + opaque.checksum(body)


async def refusals(world: World, keys: list[str], at_once: int = 20) -> list[Any]:
    gate = asyncio.Semaphore(at_once)

    async def one(key: str) -> Any:
        async with gate:
            return await world.bearer(key).get(ME)

    return await asyncio.gather(*[one(key) for key in keys])


async def test_a_thousand_malformed_unknown_and_wrong_secret_keys_get_the_very_same_answer(patient: World) -> None:
    genuine = (await patient.mint_key(await patient.sign_in()))["key"]
    keys = [malformed(number) for number in range(STORM // 3)]
    keys += [opaque.mint(opaque.DEVELOPER_KEY).text for _ in range(STORM // 3)]
    keys += [wrong_secret(genuine) for _ in range(STORM - len(keys))]
    answers = await refusals(patient, keys)

    status, headers, problem = seen(answers[0])
    assert status == 401
    assert headers["www-authenticate"] == 'Bearer error="invalid_token"'
    assert problem["code"] == "unauthorized"
    assert [place for place, answer in enumerate(answers) if seen(answer) != (status, headers, problem)] == []
    assert len({answer.json()["request_id"] for answer in answers}) == STORM
    told = await rows(patient, "SELECT credential_id, count FROM audit_event WHERE event = 'auth.failed'")
    by_row: Counter[str | None] = Counter()
    for one in told:
        by_row[one["credential_id"]] += one["count"]
    assert sorted(by_row.values()) == [334, 666]  # the known key's own row, and that of the address
    assert len(told) <= 2 * 2  # a minute may end in the middle


async def test_the_301st_failure_of_a_minute_is_slowed_down_and_a_good_key_is_not(
    world: World, one_minute: None
) -> None:
    genuine = (await world.mint_key(await world.sign_in()))["key"]
    first = await refusals(world, [opaque.mint(opaque.DEVELOPER_KEY).text for _ in range(300)])
    next_ones = await refusals(world, [wrong_secret(genuine), "nonsense", opaque.mint(opaque.DEVELOPER_KEY).text])

    assert {answer.status_code for answer in first} == {401}
    for answer in next_ones:
        assert (answer.status_code, answer.json()["code"]) == (429, "rate_limited")
        assert 1 <= int(answer.headers["retry-after"]) <= 60
        assert "ratelimit-policy" in answer.headers
    assert {answer.status_code for answer in await refusals(world, [genuine] * 20)} == {200}
    assert (await world.bearer("nonsense", ip="192.0.2.1").get(ME)).status_code == 401


async def test_the_next_minute_starts_at_nothing_and_tells_how_many_were_slowed_down(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clock, "monotonic", lambda: 60_000.0)
    await refusals(world, ["nonsense"] * 305)
    monkeypatch.setattr(clock, "monotonic", lambda: 60_060.0)
    assert (await world.bearer("nonsense").get(ME)).status_code == 401
    told = await rows(world, "SELECT ip, count, result FROM audit_event WHERE event = 'auth.throttled'")
    assert told == [{"ip": "203.0.113.7", "count": 5, "result": "failure"}]
    assert await count(world, "SELECT sum(count) FROM audit_event WHERE event = 'auth.failed'") == 301


async def test_a_revoked_or_expired_key_never_slows_its_neighbours_down(world: World, one_minute: None) -> None:
    robin = await world.sign_in()
    made = await world.mint_key(robin)
    await robin.delete(f"/v1/api-keys/{made['id']}")
    answers = await refusals(world, [made["key"]] * 310)
    assert {answer.status_code for answer in answers} == {401}
    assert (await world.bearer("nonsense").get(ME)).status_code == 401


async def test_good_keys_are_served_in_the_middle_of_the_storm_and_every_refusal_is_recorded(
    patient: World,
) -> None:
    genuine = (await patient.mint_key(await patient.sign_in()))["key"]
    keys = [genuine if number % 5 == 0 else wrong_secret(genuine) for number in range(500)]
    answers = await refusals(patient, keys, at_once=50)
    assert [answer.status_code for answer in answers] == [200 if key == genuine else 401 for key in keys]
    assert await count(patient, "SELECT sum(count) FROM audit_event WHERE event = 'auth.failed'") == 400
    assert await count(patient, "SELECT sum(count) FROM audit_event WHERE event = 'auth.succeeded'") >= 100


async def test_a_wrong_secret_is_compared_whole_whichever_letter_is_wrong(
    patient: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Threat 5, by structure: one keyed digest, one comparison in constant time, no other look at the secret."""
    genuine = (await patient.mint_key(await patient.sign_in()))["key"]
    compared: list[tuple[int, int]] = []
    real = hmac.compare_digest

    def counted(one: Any, other: Any) -> bool:
        compared.append((len(one), len(other)))
        return real(one, other)

    monkeypatch.setattr(hmac, "compare_digest", counted)
    work = []
    for place in (19, 38, 57):
        letter = "0" if genuine[place] != "0" else "1"
        body = genuine[:place] + letter + genuine[place + 1 : -6]
        compared.clear()
        assert (await patient.bearer(body + opaque.checksum(body)).get(ME)).status_code == 401
        work.append(list(compared))
    assert work == [[(32, 32)]] * 3
