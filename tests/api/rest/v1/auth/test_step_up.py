"""POST /v1/auth/step-up."""

from datetime import timedelta

import pytest
import time_machine

from lumio.crypto.signing import LIFETIME_SECONDS
from lumio.kernel import clock
from lumio.surface.http.carrier import SESSION_COOKIE
from tests.api.rest.outward import fields
from tests.support.world import OPERATOR, PASSWORD, World

STEP_UP = "/v1/auth/step-up"
PROOF = {"method": "password", "password": PASSWORD}


async def test_a_program_gets_a_new_access_token_with_the_moment_of_the_proof(world: World) -> None:
    robin = await world.sign_in()
    with time_machine.travel(clock.now() + timedelta(seconds=700), tick=False):
        answer = await robin.post(STEP_UP, json=PROOF)
        raised = answer.json()["data"]
        assert answer.status_code == 200
        assert set(raised) == {"access_token", "expires_in", "auth_time"}
        assert raised["expires_in"] == LIFETIME_SECONDS
        assert raised["auth_time"] == clock.rfc3339(clock.now())
        fresh = world.bearer(raised["access_token"])
        assert (await fresh.post("/v1/api-keys", json={"label": "ci"})).status_code == 201


async def test_the_old_access_token_is_not_raised_with_it(world: World) -> None:
    robin = await world.sign_in()
    with time_machine.travel(clock.now() + timedelta(seconds=700)):
        await robin.post(STEP_UP, json=PROOF)
        answer = await robin.post("/v1/api-keys", json={"label": "ci"})
    assert answer.json()["code"] == "step_up_required"


async def test_the_proof_lasts_ten_minutes(world: World) -> None:
    robin = await world.sign_in()
    start = clock.now().replace(microsecond=0)  # an access token knows whole seconds
    for seconds, status in ((599, 201), (600, 403)):
        with time_machine.travel(start + timedelta(seconds=seconds), tick=False):
            raised = (await robin.post(STEP_UP, json=PROOF)).json()["data"]
        fresh = world.bearer(raised["access_token"])
        with time_machine.travel(start + timedelta(seconds=2 * seconds), tick=False):
            answer = await fresh.post("/v1/api-keys", json={"label": "ci"})
        assert answer.status_code == status


async def test_a_page_session_gets_a_new_cookie_and_the_old_one_is_dead(world: World) -> None:
    page = await world.page_client()
    before = page.cookies[SESSION_COOKIE]
    answer = await page.post("/api/auth/step-up", json=PROOF)
    assert answer.status_code == 200, answer.text
    assert set(answer.json()["data"]) == {"expires_in", "auth_time"}
    after = page.cookies[SESSION_COOKIE]
    assert after != before
    old = world.client(Cookie=f"{SESSION_COOKIE}={before}")
    assert (await old.get("/api/users/me")).status_code == 401
    assert (await page.get("/api/users/me")).status_code == 200


async def test_a_wrong_password_raises_nothing_and_is_an_event(world: World) -> None:
    robin = await world.sign_in()
    answer = await robin.post(STEP_UP, json={"method": "password", "password": "wrong-horse-battery"})
    assert answer.status_code == 403
    (told,) = await world.log(robin, event="session.stepped_up", result="failure")
    assert (told["actor"], told["detail"]) == (OPERATOR, {"reason": "wrong_password"})


async def test_the_eleventh_guess_is_refused_even_when_it_is_right(world: World) -> None:
    robin = await world.sign_in()
    for _ in range(10):
        await robin.post(STEP_UP, json={"method": "password", "password": "wrong-horse-battery"})
    answer = await robin.post(STEP_UP, json=PROOF)
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) > 0


async def test_a_key_cannot_prove_that_it_is_a_person(world: World) -> None:
    robin = await world.sign_in()
    ci = world.bearer((await world.mint_key(robin))["key"])
    answer = await ci.post(STEP_UP, json=PROOF)
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    assert (await world.anonymous().post(STEP_UP, json=PROOF)).status_code == 401


@pytest.mark.parametrize("method", ["totp", "passkey", "none", "", None])
async def test_a_method_that_does_not_exist_yet_is_refused_by_name(world: World, method: str | None) -> None:
    robin = await world.sign_in()
    answer = await robin.post(STEP_UP, json={"method": method, "password": PASSWORD})
    assert (answer.status_code, list(fields(answer))) == (422, ["method"])
