"""POST /v1/auth/refresh."""

import asyncio
from datetime import timedelta
from typing import Any

import httpx2
import pytest
import time_machine

from lumio.crypto import opaque
from lumio.kernel import clock
from tests.api.rest.outward import rows, seen
from tests.support.world import OPERATOR, PASSWORD, World

REFRESH = "/v1/auth/refresh"


async def pair(world: World) -> dict[str, Any]:
    answer = await world.anonymous().post("/v1/auth/login", json={"email": OPERATOR, "password": PASSWORD})
    found: dict[str, Any] = answer.json()["data"]
    return found


async def exchange(world: World, refresh_token: str) -> httpx2.Response:
    return await world.anonymous().post(REFRESH, json={"refresh_token": refresh_token})


async def me(world: World, access_token: str) -> httpx2.Response:
    return await world.bearer(access_token).get("/v1/users/me")


async def test_a_refresh_gives_a_new_pair_of_the_same_session(world: World) -> None:
    old = await pair(world)
    new = (await exchange(world, old["refresh_token"])).json()["data"]
    ids = [(await me(world, one["access_token"])).json()["data"]["credential_id"] for one in (old, new)]
    assert set(new) == set(old)
    assert new["refresh_token"] != old["refresh_token"]
    assert ids[0] == ids[1]


async def test_using_an_old_one_ends_the_whole_family(world: World) -> None:
    old = await pair(world)
    new = (await exchange(world, old["refresh_token"])).json()["data"]
    assert (await exchange(world, old["refresh_token"])).status_code == 401
    assert (await exchange(world, new["refresh_token"])).status_code == 401
    assert (await me(world, new["access_token"])).status_code == 401
    robin = await world.sign_in()
    (told,) = await world.log(robin, event="session.refreshed", result="failure")
    assert told["detail"] == {"reason": "refresh_token_reused"}
    assert told["target"]["type"] == "session"


async def test_of_many_at_once_one_at_most_gets_a_pair_and_the_family_ends(world: World) -> None:
    old = await pair(world)
    answers = await asyncio.gather(*[exchange(world, old["refresh_token"]) for _ in range(6)])
    assert sorted(answer.status_code for answer in answers) == [200, *[401] * 5]
    (won,) = [answer.json()["data"] for answer in answers if answer.status_code == 200]
    assert (await me(world, won["access_token"])).status_code == 401


async def test_the_reuse_of_one_family_leaves_the_persons_other_devices_alone(world: World) -> None:
    stolen, other = await pair(world), await pair(world)
    for _ in range(2):
        await exchange(world, stolen["refresh_token"])
    assert (await me(world, other["access_token"])).status_code == 200
    assert (await exchange(world, other["refresh_token"])).status_code == 200


async def test_a_session_that_was_signed_out_is_not_renewed(world: World) -> None:
    old = await pair(world)
    await world.bearer(old["access_token"]).post("/v1/auth/logout")
    assert (await exchange(world, old["refresh_token"])).status_code == 401


async def test_a_refresh_token_lives_thirty_days(world: World) -> None:
    old = await pair(world)
    with time_machine.travel(clock.now() + timedelta(days=30, seconds=1)):
        assert (await exchange(world, old["refresh_token"])).status_code == 401


async def test_a_program_that_comes_back_after_weeks_goes_on(world: World) -> None:
    old = await pair(world)
    with time_machine.travel(clock.now() + timedelta(days=29)):
        renewed = await exchange(world, old["refresh_token"])
        assert renewed.status_code == 200
        assert (await me(world, renewed.json()["data"]["access_token"])).status_code == 200


async def test_a_renewed_access_token_is_no_fresh_proof(world: World) -> None:
    old = await pair(world)
    with time_machine.travel(clock.now() + timedelta(minutes=11)):
        new = (await exchange(world, old["refresh_token"])).json()["data"]
        answer = await world.bearer(new["access_token"]).post("/v1/api-keys", json={"label": "ci"})
    assert (answer.status_code, answer.json()["code"]) == (403, "step_up_required")


async def test_unknown_misspelled_and_foreign_ones_look_the_same(world: World) -> None:
    good = await pair(world)
    other = opaque.mint(opaque.REFRESH_TOKEN).text
    body = good["refresh_token"][:19] + other[19:-6]
    key = (await world.mint_key(await world.sign_in()))["key"]
    tries = [other, "nonsense", body + opaque.checksum(body), key, good["access_token"][:90]]
    answers = [await exchange(world, one) for one in tries]
    assert {answer.status_code for answer in answers} == {401}
    assert all(seen(answer) == seen(answers[0]) for answer in answers)
    assert (await exchange(world, good["refresh_token"])).status_code == 200


async def test_a_refresh_token_is_no_bearer_credential(world: World) -> None:
    assert (await me(world, (await pair(world))["refresh_token"])).status_code == 401


async def test_the_database_keeps_a_fingerprint_only(world: World) -> None:
    good = await pair(world)
    kept = str(await rows(world, "SELECT * FROM refresh_token"))
    assert good["refresh_token"] not in kept
    assert good["refresh_token"][19:] not in kept


async def test_wrong_ones_count_against_the_address_and_no_good_one_is_locked_out(
    world: World, one_minute: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(world.house.limiter, "_limit", 3)
    good = await pair(world)
    genuine = good["refresh_token"]
    wrong_secret = genuine[:19] + opaque.mint(opaque.REFRESH_TOKEN).text[19:-6]
    wrong_secret += opaque.checksum(wrong_secret)
    wrong = ["nonsense", opaque.mint(opaque.REFRESH_TOKEN).text, wrong_secret, wrong_secret, "nonsense"]
    answers = [await exchange(world, one) for one in wrong]
    assert [answer.status_code for answer in answers] == [401, 401, 401, 429, 429]
    assert int(answers[-1].headers["retry-after"]) > 0
    assert (await world.bearer("nonsense").get("/v1/users/me")).status_code == 429, "one count for every door"
    assert (await exchange(world, genuine)).status_code == 200
    told = await rows(
        world, "SELECT result, count FROM audit_event WHERE event = 'session.refreshed' ORDER BY result"
    )
    assert told == [{"result": "failure", "count": 3}, {"result": "success", "count": 1}], "no row for each request"
    (throttled,) = await rows(world, "SELECT count FROM audit_event WHERE event = 'auth.throttled'")
    assert throttled["count"] == 3


async def test_one_that_is_over_or_was_used_is_no_guess(
    world: World, one_minute: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(world.house.limiter, "_limit", 1)
    old = await pair(world)
    assert (await exchange(world, old["refresh_token"])).status_code == 200
    answers = [await exchange(world, old["refresh_token"]) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [401] * 4
