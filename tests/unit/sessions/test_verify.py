"""Verifying a session: cookie and access token read the same row, so that its end ends both."""

from datetime import timedelta
from typing import Any

import httpx2
import pytest
import time_machine
from sqlalchemy import select, update

from lumio.crypto import opaque
from lumio.kernel import clock
from lumio.sessions.store import refresh_tokens, sessions
from lumio.sessions.verify import IDLE, LONGEST
from tests.support.world import OPERATOR, PASSWORD, World

ME = "/v1/users/me"


async def change(world: World, **values: Any) -> None:
    await world.house.units.run(lambda unit: unit.execute(update(sessions).values(**values)))
    await world.forget()


async def pair(world: World) -> dict[str, str]:
    answer = await world.anonymous().post("/v1/auth/login", json={"email": OPERATOR, "password": PASSWORD})
    found: dict[str, str] = answer.json()["data"]
    return found


async def refreshed(world: World, text: str) -> httpx2.Response:
    return await world.anonymous().post("/v1/auth/refresh", json={"refresh_token": text})


def page_secret(client: httpx2.AsyncClient) -> str:
    return str(client.cookies.get("__Host-lumio"))


async def test_an_ended_session_ends_its_access_token_at_once(world: World) -> None:
    robin = await world.sign_in()
    await change(world, ended_at=clock.now())
    assert (await robin.get(ME)).status_code == 401


async def test_an_ended_session_ends_its_page_at_once(world: World) -> None:
    page = await world.page_client()
    assert (await page.get("/api/users/me")).status_code == 200
    await change(world, ended_at=clock.now())
    assert (await page.get("/api/users/me")).status_code == 401


@pytest.mark.parametrize(
    ("values", "good"),
    [
        ({"last_seen_at": IDLE - timedelta(minutes=1)}, True),
        ({"last_seen_at": IDLE}, False),
        ({"created_at": LONGEST - timedelta(minutes=1)}, True),
        ({"created_at": LONGEST}, False),
    ],
)
async def test_a_page_session_lives_14_days_idle_and_90_at_most(
    world: World, values: dict[str, timedelta], good: bool
) -> None:
    page = await world.page_client()
    await change(world, **{name: clock.now() - age for name, age in values.items()})
    assert (await page.get("/api/users/me")).status_code == (200 if good else 401)


async def test_an_access_token_ends_after_15_minutes(world: World) -> None:
    robin = await world.sign_in()
    with time_machine.travel(clock.now() + timedelta(minutes=15, seconds=1), tick=True):
        assert (await robin.get(ME)).status_code == 401


async def test_a_page_s_secret_is_no_bearer_and_an_access_token_is_no_cookie(world: World) -> None:
    page, tokens = await world.page_client(), await pair(world)
    assert (await world.bearer(page_secret(page)).get(ME)).status_code == 401
    client = world.client(Cookie=f"__Host-lumio={tokens['access_token']}", Origin="https://lumio.example")
    assert (await client.get("/api/users/me")).status_code == 401


async def test_a_wrong_secret_under_a_known_lookup_id_is_refused(world: World) -> None:
    page = await world.page_client()
    body = page_secret(page)[:19] + opaque.mint(opaque.PAGE_SESSION).text[19:58]
    client = world.client(Cookie=f"__Host-lumio={body}{opaque.checksum(body)}", Origin="https://lumio.example")
    assert (await client.get("/api/users/me")).status_code == 401


async def test_the_database_keeps_fingerprints_only(world: World) -> None:
    page, tokens = await world.page_client(), await pair(world)
    async with world.house.database.reading() as connection:
        kept = str((await connection.execute(select(sessions))).all())
        kept += str((await connection.execute(select(refresh_tokens))).all())
    assert page_secret(page)[19:] not in kept
    assert tokens["refresh_token"][19:] not in kept
    assert tokens["access_token"] not in kept


async def test_a_refresh_token_works_once_and_its_second_use_ends_the_whole_family(world: World) -> None:
    first = await pair(world)
    second = (await refreshed(world, first["refresh_token"])).json()["data"]
    assert (await world.bearer(second["access_token"]).get(ME)).status_code == 200
    assert (await refreshed(world, first["refresh_token"])).status_code == 401
    assert (await world.bearer(second["access_token"]).get(ME)).status_code == 401
    assert (await refreshed(world, second["refresh_token"])).status_code == 401


async def test_a_refresh_is_no_fresh_proof(world: World) -> None:
    first = await pair(world)
    with time_machine.travel(clock.now() + timedelta(minutes=11), tick=True):
        second = (await refreshed(world, first["refresh_token"])).json()["data"]
        answer = await world.bearer(second["access_token"]).post("/v1/api-keys", json={"label": "x"})
        assert answer.json()["code"] == "step_up_required"


async def test_a_refresh_token_ends_after_30_days(world: World) -> None:
    first = await pair(world)
    with time_machine.travel(clock.now() + timedelta(days=30, seconds=1), tick=True):
        assert (await refreshed(world, first["refresh_token"])).status_code == 401


async def test_the_refresh_token_of_an_ended_session_is_dead(world: World) -> None:
    first = await pair(world)
    assert (await world.bearer(first["access_token"]).post("/v1/auth/logout")).status_code == 204
    assert (await refreshed(world, first["refresh_token"])).status_code == 401
