"""POST /v1/auth/login."""

from datetime import timedelta

import pytest
import time_machine

from lumio.crypto.signing import LIFETIME_SECONDS
from lumio.kernel import clock
from tests.api.rest.outward import change, count, fields
from tests.support.world import OPERATOR, PASSWORD, World

LOGIN = "/v1/auth/login"


def proof(password: str = PASSWORD, email: str = OPERATOR) -> dict[str, str]:
    return {"email": email, "password": password}


async def test_the_right_password_gives_the_promised_pair(world: World) -> None:
    answer = await world.anonymous().post(LOGIN, json=proof())
    pair = answer.json()["data"]
    assert answer.status_code == 200
    assert set(pair) == {"access_token", "token_type", "expires_in", "refresh_token"}
    assert pair["access_token"].startswith("lm_eyJ")
    assert pair["refresh_token"].startswith("lm_ort_")
    assert (pair["token_type"], pair["expires_in"]) == ("Bearer", LIFETIME_SECONDS)
    assert answer.headers["cache-control"] == "private, no-store"
    assert "set-cookie" not in answer.headers


async def test_an_access_token_ends_after_fifteen_minutes(world: World) -> None:
    robin = await world.sign_in()
    with time_machine.travel(clock.now() + timedelta(seconds=LIFETIME_SECONDS - 20)):
        assert (await robin.get("/v1/users/me")).status_code == 200
    with time_machine.travel(clock.now() + timedelta(seconds=LIFETIME_SECONDS + 1)):
        assert (await robin.get("/v1/users/me")).status_code == 401


async def test_signing_in_is_an_event_of_the_account_with_address_and_person(world: World) -> None:
    robin = await world.sign_in(ip="198.51.100.4")
    (told,) = await world.log(robin, event="session.created", ip="198.51.100.4")
    assert (told["actor"], told["actor_type"], told["result"]) == (OPERATOR, "user", "success")


async def test_a_wrong_password_is_an_event_of_the_account(world: World) -> None:
    await world.anonymous("198.51.100.4").post(LOGIN, json=proof("wrong-horse-battery"))
    (told,) = await world.log(await world.sign_in(), event="session.created", result="failure")
    assert (told["actor"], told["ip"], told["detail"]) == (OPERATOR, "198.51.100.4", {"reason": "wrong_password"})


async def test_every_sign_in_is_another_session(world: World) -> None:
    clients = [await world.sign_in() for _ in range(3)]
    ids = [(await client.get("/v1/users/me")).json()["data"]["credential_id"] for client in clients]
    assert len(set(ids)) == 3


async def test_the_way_an_address_is_written_does_not_matter(world: World) -> None:
    answer = await world.anonymous().post(LOGIN, json=proof(email="Robin@EXAMPLE.com"))
    assert answer.status_code == 200


async def test_a_password_is_compared_to_the_letter(world: World) -> None:
    for typed in (PASSWORD.upper(), PASSWORD + " ", PASSWORD[:-1], PASSWORD + "\n"):
        assert (await world.anonymous().post(LOGIN, json=proof(typed))).status_code == 401


async def test_missing_fields_are_named(world: World) -> None:
    answer = await world.anonymous().post(LOGIN, json={})
    assert (answer.status_code, fields(answer)) == (422, {"email": "required", "password": "required"})


async def test_a_suspended_person_looks_like_a_wrong_password(world: World) -> None:
    who = await world.new_person("sam@example.com")
    await change(world, "UPDATE user_person SET suspended_at = 1 WHERE id = :id", id=who["user_id"])
    answer = await world.anonymous().post(LOGIN, json=proof(email="sam@example.com"))
    wrong = await world.anonymous().post(LOGIN, json=proof("wrong-horse-battery", "sam@example.com"))
    assert (answer.status_code, answer.json()["detail"]) == (401, wrong.json()["detail"])


@pytest.mark.parametrize("credential", ["nonsense", "lm_dev_" + 57 * "0"])
async def test_a_bad_credential_ends_the_request_even_where_none_is_needed(world: World, credential: str) -> None:
    answer = await world.bearer(credential).post(LOGIN, json=proof())
    assert answer.status_code == 401
    assert await count(world, "SELECT count(*) FROM session") == 0


async def test_an_active_session_does_not_stand_in_the_way(world: World) -> None:
    robin = await world.sign_in()
    assert (await robin.post(LOGIN, json=proof())).status_code == 200
    assert (await robin.get("/v1/users/me")).status_code == 200
