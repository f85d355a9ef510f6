"""Threat 15: a change that rides on a cookie comes from our own pages, or does not happen."""

import httpx2

from lumio.surface.http.carrier import SESSION_COOKIE
from lumio.surface.http.forgery import FORM_COOKIE
from tests.api.rest.outward import count, rows
from tests.support.world import OPERATOR, PASSWORD, PUBLIC, World

KEYS = "/api/api-keys"
FOREIGN = (
    "https://evil.example",
    "http://lumio.example",
    "https://lumio.example.evil.example",
    "https://x.lumio.example",
)
OTHER_SITES = ("cross-site", "same-site", "none", "nonsense")


def with_session(world: World, page: httpx2.AsyncClient, **headers: str) -> httpx2.AsyncClient:
    """Return a client that a browser could be driven to be: the cookie, and headers of another page."""
    return world.client(Cookie=f"{SESSION_COOKIE}={page.cookies[SESSION_COOKIE]}", **headers)


async def test_our_own_page_may_make_and_revoke_keys(world: World) -> None:
    page = await world.page_client()
    made = await page.post(KEYS, json={"label": "ci"})
    assert made.status_code == 201, made.text
    assert (await page.delete(f"{KEYS}/{made.json()['data']['id']}")).status_code == 200


async def test_another_origin_is_refused_even_with_the_form_token(world: World) -> None:
    page = await world.page_client()
    csrf = page.headers["X-CSRF-Token"]
    for foreign in FOREIGN:
        answer = await with_session(world, page, Origin=foreign, **{"X-CSRF-Token": csrf}).post(
            KEYS, json={"label": "x"}
        )
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden"), foreign
    for site in OTHER_SITES:
        headers = {"Origin": PUBLIC, "Sec-Fetch-Site": site, "X-CSRF-Token": csrf}
        answer = await with_session(world, page, **headers).post(KEYS, json={"label": "x"})
        assert answer.status_code == 403, site
    for headers in ({}, {"Origin": "null"}, {"Origin": ""}):
        answer = await with_session(world, page, **{"X-CSRF-Token": csrf}, **headers).post(KEYS, json={"label": "x"})
        assert answer.status_code == 403, headers
    assert await count(world, "SELECT count(*) FROM api_key") == 0


async def test_the_right_origin_without_the_sessions_own_form_token_is_refused(world: World) -> None:
    await world.new_person("sam@example.com")
    page, other = await world.page_client(), await world.page_client("sam@example.com")
    own = page.headers["X-CSRF-Token"]
    for wrong in ("", "x", own[:-1], own + "0", own.upper(), other.headers["X-CSRF-Token"], "\xe9" * 64):
        client = with_session(world, page, Origin=PUBLIC)
        answer = await client.post(KEYS, json={"label": "x"}, headers={b"X-CSRF-Token": wrong.encode("latin-1")})
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden"), wrong[:4]
    assert (await with_session(world, page, Origin=PUBLIC).post(KEYS, json={"label": "x"})).status_code == 403
    assert await count(world, "SELECT count(*) FROM api_key") == 0


async def test_every_change_under_api_is_guarded_and_reads_change_nothing(world: World) -> None:
    page = await world.page_client()
    made = (await page.post(KEYS, json={"label": "ci"})).json()["data"]
    before = await rows(world, "SELECT id, revoked_at FROM api_key")
    driven = with_session(world, page, Origin="https://evil.example")
    for method, path in (
        ("POST", KEYS),
        ("POST", f"{KEYS}/{made['id']}/rotate"),
        ("DELETE", f"{KEYS}/{made['id']}"),
        ("POST", "/api/auth/step-up"),
    ):
        answer = await driven.request(method, path, json={"label": "x"})
        assert answer.status_code == 403, (method, path)
    for method in ("GET", "HEAD"):
        for path in (KEYS, f"{KEYS}/{made['id']}", f"{KEYS}/{made['id']}/rotate", "/api/auth/step-up", "/api/logout"):
            assert (await driven.request(method, path)).status_code in {200, 405}, (method, path)
    assert await rows(world, "SELECT id, revoked_at FROM api_key") == before
    assert (await page.get("/api/users/me")).status_code == 200


async def test_json_in_a_form_a_browser_can_send_without_asking_is_refused(world: World) -> None:
    page = await world.page_client()
    for content_type in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""):
        headers = {"Content-Type": content_type} if content_type else {}
        answer = await page.post(KEYS, content=b'{"label": "x"}', headers=headers)
        assert answer.status_code == 400, content_type
    assert await count(world, "SELECT count(*) FROM api_key") == 0


async def test_a_forged_sign_in_and_sign_out_are_refused(world: World) -> None:
    page = await world.page_client()
    sessions = await count(world, "SELECT count(*) FROM session WHERE ended_at IS NULL")
    form = {"email": OPERATOR, "password": PASSWORD, "_csrf": "0" * 64}
    foreign = world.client(Origin="https://evil.example")
    assert (await foreign.post("/api/login", data=form)).status_code == 403
    no_cookie = world.client(Origin=PUBLIC)
    assert (await no_cookie.post("/api/login", data=form)).status_code == 403
    planted = world.client(Origin=PUBLIC, Cookie=f"{FORM_COOKIE}=planted")
    assert (await planted.post("/api/login", data=form)).status_code == 403
    for headers in ({"Origin": "https://evil.example"}, {"Origin": PUBLIC}):
        answer = await with_session(world, page, **headers).post("/api/logout", data={"_csrf": "0" * 64})
        assert answer.status_code == 403
    assert await count(world, "SELECT count(*) FROM session WHERE ended_at IS NULL") == sessions


async def test_a_program_needs_none_of_it_and_gains_nothing_under_api(world: World) -> None:
    robin = await world.sign_in()
    assert (await robin.post("/v1/api-keys", json={"label": "ci"})).status_code == 201
    assert (await robin.post(KEYS, json={"label": "ci"})).status_code == 403
    robin.headers["Origin"] = PUBLIC
    assert (await robin.post(KEYS, json={"label": "ci"})).status_code == 403


async def test_signing_in_again_changes_the_cookie_and_kills_the_old_one(world: World) -> None:
    """Threat 14: a session that somebody planted is not the one that the person works in."""
    page = await world.page_client()
    planted = page.cookies[SESSION_COOKIE]
    form = {"email": OPERATOR, "password": PASSWORD, "_csrf": page.headers["X-CSRF-Token"]}
    answer = await page.post("/api/login", data=form)
    assert answer.status_code == 303, answer.text
    assert page.cookies[SESSION_COOKIE] != planted
    assert (await world.client(Cookie=f"{SESSION_COOKIE}={planted}").get("/api/users/me")).status_code == 401
    assert (await page.get("/api/users/me")).status_code == 200
