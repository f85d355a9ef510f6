"""The late check (I6): what was decided on arrival is decided again when the answer would start."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from lumio.accounts.store import AccountStore
from lumio.authority.leased import LeasedAuthority
from tests.support.world import World

Meanwhile = Callable[[Callable[[], Awaitable[Any]]], None]


@pytest.fixture
def meanwhile(monkeypatch: pytest.MonkeyPatch) -> Meanwhile:
    """Let something happen while `GET /v1/users/me` is at work."""

    def arrange(happening: Callable[[], Awaitable[Any]]) -> None:
        read = AccountStore.place_of_member
        waiting = [happening]

        async def slow(*given: Any) -> Any:
            found = await read(*given)
            while waiting:
                await waiting.pop()()
            return found

        monkeypatch.setattr(AccountStore, "place_of_member", slow)

    return arrange


async def test_a_key_revoked_while_its_request_is_at_work_gets_401_and_a_row_of_its_own(
    world: World, meanwhile: Meanwhile
) -> None:
    robin = await world.sign_in()
    made = await world.mint_key(robin)
    ci = world.bearer(made["key"])
    meanwhile(lambda: robin.delete(f"/v1/api-keys/{made['id']}"))
    answer = await ci.get("/v1/users/me")
    assert answer.status_code == 401
    assert "account" not in answer.text
    failures = await world.log(robin, event="auth.failed", credential_id=made["id"])
    assert [one["detail"]["reason"] for one in failures] == ["revoked_in_flight"]
    assert failures[0]["actor"] == "ci-github-actions"


async def test_a_session_ended_while_its_request_is_at_work_gets_401(world: World, meanwhile: Meanwhile) -> None:
    robin = await world.sign_in()
    meanwhile(lambda: robin.post("/v1/auth/logout"))
    assert (await robin.get("/v1/users/me")).status_code == 401


async def test_another_key_s_revocation_disturbs_nobody(world: World, meanwhile: Meanwhile) -> None:
    robin = await world.sign_in()
    one, other = await world.mint_key(robin, "one"), await world.mint_key(robin, "other")
    meanwhile(lambda: robin.delete(f"/v1/api-keys/{other['id']}"))
    assert (await world.bearer(one["key"]).get("/v1/users/me")).status_code == 200
    assert await world.log(robin, event="auth.failed") == []


async def test_who_ends_their_own_session_gets_the_answer_to_that(world: World) -> None:
    robin = await world.sign_in()
    assert (await robin.post("/v1/auth/logout")).status_code == 204
    assert (await robin.get("/v1/users/me")).status_code == 401


async def test_an_authority_that_cannot_be_asked_at_the_end_means_503(world: World, meanwhile: Meanwhile) -> None:
    robin = await world.sign_in()
    meanwhile(lambda: blinded(world))
    assert (await robin.get("/v1/users/me")).status_code == 503
    await world.house.database.hot.open()
    await restored(world)
    assert (await robin.get("/v1/users/me")).status_code == 200


async def blinded(world: World) -> None:
    """Take from the authority what it answers by: the file, or the lease."""
    await world.house.database.hot.close()
    await asyncio.sleep(0)  # checks of one turn share a reading, and nothing outside can happen within a turn
    if isinstance(world.house.authority, LeasedAuthority):
        vars(world.house.authority.lease)["renew"] = lambda _asked: None  # or the next proof would come in between
        world.house.authority.lease.drop()


async def restored(world: World) -> None:
    """Wait until it can answer again."""
    if isinstance(world.house.authority, LeasedAuthority):
        del vars(world.house.authority.lease)["renew"]
    async with asyncio.timeout(5):
        while not world.house.authority.fresh():  # noqa: ASYNC110 - a lease tells nobody when it begins
            await asyncio.sleep(0.01)
