"""POST /v1/auth/logout."""

from lumio.surface.http.carrier import SESSION_COOKIE
from tests.support.world import PUBLIC, World

LOGOUT = "/v1/auth/logout"


async def test_the_access_token_dies_long_before_it_expires(world: World) -> None:
    robin = await world.sign_in()
    answer = await robin.post(LOGOUT)
    assert (answer.status_code, answer.content) == (204, b"")
    assert (await robin.get("/v1/users/me")).status_code == 401
    assert (await robin.post(LOGOUT)).status_code == 401


async def test_other_devices_stay_signed_in(world: World) -> None:
    phone, desk = await world.sign_in(), await world.sign_in()
    await phone.post(LOGOUT)
    assert (await desk.get("/v1/users/me")).status_code == 200


async def test_signing_out_is_an_event_and_so_is_the_use_of_what_has_ended(world: World) -> None:
    phone, desk = await world.sign_in(), await world.sign_in()
    ended = (await phone.get("/v1/users/me")).json()["data"]["credential_id"]
    await phone.post(LOGOUT)
    await phone.get("/v1/users/me")
    (out,) = await world.log(desk, event="session.ended")
    (refused,) = await world.log(desk, event="auth.failed")
    assert (out["target"]["id"], out["detail"]) == (ended, {"reason": "signed_out"})
    assert (refused["credential_id"], refused["detail"]) == (ended, {"reason": "revoked"})


async def test_keys_outlive_the_session_that_made_them(world: World) -> None:
    robin = await world.sign_in()
    made = await world.mint_key(robin)
    await robin.post(LOGOUT)
    assert (await world.bearer(made["key"]).get("/v1/users/me")).status_code == 200


async def test_a_key_has_nothing_to_sign_out_of(world: World) -> None:
    robin = await world.sign_in()
    ci = world.bearer((await world.mint_key(robin))["key"])
    assert (await ci.post(LOGOUT)).status_code == 401
    assert (await world.anonymous().post(LOGOUT)).status_code == 401
    assert (await ci.get("/v1/users/me")).status_code == 200


async def test_a_page_session_ends_and_its_cookie_is_dead(world: World) -> None:
    page = await world.page_client()
    cookie = page.cookies[SESSION_COOKIE]
    answer = await page.post("/api/logout", data={"_csrf": page.headers["X-CSRF-Token"]})
    assert answer.status_code == 303
    assert SESSION_COOKIE not in page.cookies
    stolen = world.client(Cookie=f"{SESSION_COOKIE}={cookie}", Origin=PUBLIC)
    assert (await stolen.get("/api/users/me")).status_code == 401
