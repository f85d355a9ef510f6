"""`lumio-server revoke --all` under load: nothing that was issued before commits after it, and what is new works."""

import asyncio
import json
from collections.abc import Sequence
from typing import Any

import httpx2
import pytest
from sqlalchemy import func, select

from lumio.app import at_work
from lumio.authority.subjects import EVERYTHING
from lumio.extensions.store import extensions
from lumio.keys.store import KeyStore
from lumio.storage.unit import Unit
from tests.support import popouts, system_keys
from tests.support.operators import feed
from tests.support.restores import operate, variables_of
from tests.support.world import World

WRITERS = 8
ME, DEVELOPER = "/v1/users/me", "/developer/v1/extensions"


async def test_no_unit_of_anybody_commits_after_everything_ended_and_a_new_sign_in_works(world: World) -> None:
    robin = await world.sign_in()
    keys = [world.bearer((await world.mint_key(robin, f"w-{number}"))["key"]) for number in range(WRITERS)]
    popout = popouts.carrying(world, (await popouts.mint(robin))["token"])
    bot = world.bearer((await system_keys.mint(robin))["key"])
    page = await world.page_client()
    over = asyncio.Event()
    writing = [asyncio.create_task(write(key, number, over)) for number, key in enumerate(keys)]
    await asyncio.sleep(0.5)

    async def step(unit: Unit) -> int:
        await unit.lock(shared=(), exclusive=[str(EVERYTHING)])
        seen = (await unit.execute(select(func.count()).select_from(extensions))).scalar_one()
        ended = await staff.services.endings.everything(unit, staff.authority, "a drill")
        assert {name: ended.counts[name] for name in ("api_keys", "popout_tokens", "system_keys")} == {
            "api_keys": WRITERS, "popout_tokens": 1, "system_keys": 1,
        }  # fmt: skip
        return int(seen)

    async with at_work(world.house.settings) as staff:
        at_commit = await staff.units.run(step)
    await refused([*keys, robin, bot])
    over.set()
    answers = [answer for answers in await asyncio.gather(*writing) for answer in answers]
    assert {201, 401} <= set(answers) <= {201, 401, 503}
    count = select(func.count()).select_from(extensions)
    assert (await world.house.units.read(lambda view: view.execute(count))).scalar_one() == at_commit > 0
    assert (await popout.get("/v1/tokens/me")).status_code == 401
    assert (await page.get("/dashboard/account/team")).status_code == 303

    again = await world.sign_in()
    assert (await world.bearer((await world.mint_key(again))["key"]).get(ME)).status_code == 200
    assert (await again.post(DEVELOPER, json={"name": "after"})).status_code == 201
    log = await world.log(again, event="credentials.ended")
    assert [(one["detail"]["api_keys"], one["detail"]["reason"]) for one in log] == [(WRITERS, "a drill")]
    (platform,) = await system_keys.journal(world, event="credentials.ended", account_id=None)
    assert json.loads(platform.detail)["system_keys"] == 1


async def test_a_key_that_was_being_made_when_everything_ended_is_ended_too(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    robin = await world.sign_in()
    inside, go_on, add = asyncio.Event(), asyncio.Event(), KeyStore.add

    async def slowly(*given: Any) -> Any:
        row = await add(*given)
        inside.set()
        await go_on.wait()
        return row

    monkeypatch.setattr(KeyStore, "add", slowly)
    minting = asyncio.create_task(world.mint_key(robin))
    await inside.wait()
    async with at_work(world.house.settings) as staff:
        endings = staff.services.endings
        ending = asyncio.create_task(staff.units.run(lambda unit: endings.everything(unit, staff.authority, "now")))
        await asyncio.sleep(0.3)
        assert not ending.done()
        go_on.set()
        made, ended = await asyncio.gather(minting, ending)
    assert ended.counts["api_keys"] == 1
    await refused([world.bearer(made["key"])])


async def write(client: httpx2.AsyncClient, number: int, over: asyncio.Event) -> list[int]:
    """Make extensions one after the other until it is over; return the statuses."""
    answers: list[int] = []
    while not over.is_set():
        answer = await client.post(DEVELOPER, json={"name": f"thing {number} {len(answers)}"})
        answers.append(answer.status_code)
    return answers


async def refused(clients: Sequence[httpx2.AsyncClient]) -> None:
    """Wait until nobody is let in: at once on a file, within a lease in a fleet."""
    async with asyncio.timeout(12):
        while {(await client.get(ME)).status_code for client in clients} != {401}:  # noqa: ASYNC110
            await asyncio.sleep(0.05)


async def test_the_command_says_what_it_ended_and_which_node_knows(world: World) -> None:
    robin = await world.sign_in()
    key = world.bearer((await world.mint_key(robin))["key"])
    variables = variables_of(world.house.settings)
    asked = await asyncio.to_thread(operate, variables, "revoke")
    assert (asked.returncode, "--all" in asked.stderr) == (2, True)
    done = await asyncio.to_thread(operate, variables, "revoke", "--all", "--reason", "a drill", "--yes", "--json")
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert (said["effective"], said["ended"]["api_keys"], said["ended"]["accounts"]) == (True, 1, 1)
    assert {node["applied_seq"] for node in said["nodes"]} == {said["seq"]}
    assert (await key.get(ME)).status_code == 401
    assert (await feed(world))[-1] == ("all", "*", "all")
