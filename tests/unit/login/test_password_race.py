"""A sign-in with the old password that runs beside a reset does not survive it."""

import asyncio
from typing import Any

import pytest

from lumio.accounts.store import AccountStore
from lumio.crypto import opaque
from lumio.sessions.store import SessionStore
from tests.support.world import OPERATOR, PASSWORD, World

NEW = "amber-heron-reads-7-maps"


async def reset(world: World) -> int:
    """Reset the operator's password with a code of our own; return the status."""
    async with world.house.database.reading() as connection:
        from lumio.storage.unit import View  # noqa: PLC0415 - only here

        person = await AccountStore(world.house.database.hot).person(View(connection), email=OPERATOR)
    assert person is not None
    codes = world.house.login._codes
    code = await world.house.units.run(lambda unit: codes.issue(unit, opaque.PASSWORD_RESET, person.id))
    answer = await world.anonymous().post("/v1/auth/reset/confirm", json={"code": code, "password": NEW})
    return answer.status_code


async def test_a_password_that_was_replaced_after_it_was_checked_opens_no_session(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    matches = world.house.passwords.matches
    checked, go_on = asyncio.Event(), asyncio.Event()

    async def slow(*given: Any) -> bool:
        right = await matches(*given)
        checked.set()
        await go_on.wait()
        return right

    monkeypatch.setattr(world.house.passwords, "matches", slow)
    signing_in = asyncio.create_task(
        world.anonymous().post("/v1/auth/login", json={"email": OPERATOR, "password": PASSWORD})
    )
    await checked.wait()
    assert await reset(world) == 200
    go_on.set()
    assert (await signing_in).status_code == 401


async def test_a_session_that_opens_just_before_the_reset_is_ended_by_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    add = SessionStore.add
    opened, go_on = asyncio.Event(), asyncio.Event()

    async def slow(*given: Any) -> Any:
        found = await add(*given)
        opened.set()
        await go_on.wait()
        return found

    monkeypatch.setattr(SessionStore, "add", slow)
    signing_in = asyncio.create_task(
        world.anonymous().post("/v1/auth/login", json={"email": OPERATOR, "password": PASSWORD})
    )
    await opened.wait()
    resetting = asyncio.create_task(reset(world))
    await asyncio.sleep(0.2)
    go_on.set()
    answer = await signing_in
    assert answer.status_code == 200
    assert await resetting == 200
    client = world.bearer(answer.json()["data"]["access_token"])
    assert (await client.get("/v1/users/me")).status_code == 401
