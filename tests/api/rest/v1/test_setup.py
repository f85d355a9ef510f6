"""POST /v1/setup."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest_asyncio
import time_machine

from lumio.crypto import opaque
from lumio.kernel import clock
from lumio.settings import load
from lumio.storage.migrate import upgrade
from tests.api.rest.outward import count, fields, rows
from tests.support.world import PASSWORD, PUBLIC, World, opened

SETUP = "/v1/setup"


@pytest_asyncio.fixture
async def empty(tmp_path: Path) -> AsyncIterator[World]:
    """An installation that nobody operates yet."""
    settings = load({"LUMIO_DATA_DIR": str(tmp_path), "LUMIO_PUBLIC_URL": PUBLIC})
    await upgrade(settings.database_url)
    async with opened(settings) as made:
        yield made


async def offer(world: World) -> str:
    code = await world.house.units.run(world.house.login.offer_set_up)
    assert code is not None
    return code


def form(code: str, **changed: str) -> dict[str, str]:
    return {
        "code": code, "email": "ada@example.com", "password": PASSWORD, "display_name": "Ada",
        "account_name": "Ada’s Tools", **changed,
    }  # fmt: skip


async def test_the_code_makes_the_first_operator_who_owns_the_first_account(empty: World) -> None:
    answer = await empty.anonymous().post(SETUP, json=form(await offer(empty)))
    assert answer.status_code == 201
    assert set(answer.json()["data"]) == {"user_id", "account_id", "email", "account_name"}
    me = (await (await empty.sign_in("ada@example.com")).get("/v1/users/me")).json()["data"]
    assert (me["role"], me["account"]["slug"]) == ("owner", "adas-tools")
    assert "admin:access" in me["permissions"]


async def test_it_is_gone_once_an_operator_exists(empty: World) -> None:
    code = await offer(empty)
    await empty.anonymous().post(SETUP, json=form(code))
    again = await empty.anonymous().post(SETUP, json=form(code, email="eve@example.com"))
    made_up = opaque.mint(opaque.SET_UP).text
    other = await empty.anonymous().post(SETUP, json=form(made_up, email="eve@example.com"))
    codes = empty.house.login._codes
    genuine = await empty.house.units.run(lambda unit: codes.issue(unit, opaque.SET_UP, None))
    late = await empty.anonymous().post(SETUP, json=form(genuine, email="eve@example.com"))
    assert (again.status_code, other.status_code, late.status_code) == (404, 404, 404)
    assert await empty.house.units.run(empty.house.login.offer_set_up) is None
    assert await count(empty, "SELECT count(*) FROM user_person") == 1


async def test_of_many_at_once_one_becomes_the_operator(empty: World) -> None:
    code = await offer(empty)
    forms = [form(code, email=f"ada{number}@example.com") for number in range(4)]
    answers = await asyncio.gather(*[empty.anonymous().post(SETUP, json=one) for one in forms])
    assert sorted(answer.status_code for answer in answers) == [201, 404, 404, 404]
    assert await count(empty, "SELECT count(*) FROM admin_grant") == 1


async def test_a_newer_link_kills_the_older_and_a_week_kills_any(empty: World) -> None:
    old, new = await offer(empty), await offer(empty)
    assert (await empty.anonymous().post(SETUP, json=form(old))).status_code == 404
    with time_machine.travel(clock.now() + timedelta(days=7, seconds=1)):
        assert (await empty.anonymous().post(SETUP, json=form(new))).status_code == 404
    assert (await empty.anonymous().post(SETUP, json=form(new))).status_code == 201


async def test_a_form_that_breaks_rules_names_them_and_spends_nothing(empty: World) -> None:
    code = await offer(empty)
    wrong = await empty.anonymous().post(SETUP, json=form(code, email="ada", account_name="", display_name=""))
    weak = await empty.anonymous().post(SETUP, json=form(code, password="ada@example.com"))
    assert set(fields(wrong)) == {"email", "account_name", "display_name"}
    assert set(fields(weak)) == {"password"}
    assert (await empty.anonymous().post(SETUP, json=form(code))).status_code == 201


async def test_it_is_an_event_of_the_new_account_and_a_failed_try_is_one_too(empty: World) -> None:
    await empty.anonymous().post(SETUP, json=form(opaque.mint(opaque.SET_UP).text))
    await empty.anonymous().post(SETUP, json=form(await offer(empty)))
    told = await rows(empty, "SELECT event, result FROM audit_event ORDER BY ts")
    assert {"event": "operator.created", "result": "failure"} in told
    assert {"event": "operator.created", "result": "success"} in told
    assert "operator.created" in {one["event"] for one in await empty.log(await empty.sign_in("ada@example.com"))}
