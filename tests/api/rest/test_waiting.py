"""`Prefer: wait=N` on every answer that carries a receipt: it says honestly whether it is refused everywhere."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, MutableMapping
from typing import Any

import httpx2
import pytest
import pytest_asyncio

from lumio.authority.barrier import Barrier
from tests.api.graphql.asking import GRAPHQL
from tests.support import popouts, system_keys
from tests.support.paper_nodes import PaperFleet, PaperNode, paper_fleet
from tests.support.teams import MAX, make_team
from tests.support.world import PUBLIC, World

KEYS = "/v1/api-keys"
WAIT = {"Prefer": "wait=5"}
fleet_only = pytest.mark.parametrize("template", ["postgresql"], indirect=True)  # a file knows one node only


@pytest_asyncio.fixture
async def fleet(world: World) -> AsyncIterator[PaperFleet]:
    async with paper_fleet(world.house.settings.database_url) as made:
        yield made


@pytest_asyncio.fixture
async def lagging(fleet: PaperFleet) -> PaperNode:
    return await fleet.node("us-east")


async def revoke(world: World, client: httpx2.AsyncClient, **headers: str) -> httpx2.Response:
    made = await world.mint_key(client)
    answer = await client.delete(f"{KEYS}/{made['id']}", headers=headers)
    assert answer.status_code == 200, answer.text
    return answer


async def test_every_receipt_of_every_surface_honours_the_preference(world: World) -> None:
    team = await make_team(world)
    robin, page = team.robin, await world.page_client()
    home = team.path.removeprefix("/v1")
    subs = [
        await robin.post(f"{team.path}/sub-accounts", json={"name": name, "role": "member"}) for name in ("ci", "cd")
    ]
    ways = [
        (robin, f"/v1/api-keys/{(await world.mint_key(robin))['id']}"),
        (page, f"/api/api-keys/{(await world.mint_key(robin))['id']}"),
        (robin, f"/v1/admin/system-keys/{(await system_keys.mint(robin))['id']}"),
        (page, f"/api/system-keys/{(await system_keys.mint(robin))['id']}"),
        (robin, f"/v1/tokens/{(await popouts.mint(robin))['id']}"),
        (page, f"/api/tokens/{(await popouts.mint(robin))['id']}"),
        (robin, f"{team.path}/sub-accounts/{subs[0].json()['data']['id']}"),
        (page, f"/api{home}/sub-accounts/{subs[1].json()['data']['id']}"),
        (robin, team.member(MAX)),
        (team.anna, f"{team.path}/members/me"),
        (robin, team.path),
    ]
    for client, path in ways:
        answer = await client.delete(path, headers=WAIT)
        assert answer.status_code == 200, (path, answer.text)
        assert answer.json()["data"]["effective"] is True, path
        assert answer.headers["preference-applied"] == "wait=5", path
    document = (await world.anonymous().get("/v1/api-doc/openapi.json")).json()
    promised = {
        path
        for path, methods in document["paths"].items()
        for operation in methods.values()
        if "Prefer" in {one["name"] for one in operation["parameters"]}
    }
    assert len(promised) == len([path for _, path in ways if path.startswith("/v1")]), "a receipt that was not asked"


async def test_what_is_no_receipt_says_nothing_of_a_wait(world: World) -> None:
    robin = await world.sign_in()
    made = await world.mint_key(robin)
    for answer in (
        await robin.get(KEYS, headers=WAIT),
        await robin.post(KEYS, json={"label": "another"}, headers=WAIT),
        await robin.delete(f"{KEYS}/unknown", headers=WAIT),
        await robin.delete(f"{KEYS}/{made['id']}", headers={"Prefer": "wait=soon"}),
    ):
        assert "preference-applied" not in answer.headers


@fleet_only
async def test_without_the_preference_the_answer_comes_at_once_and_says_that_it_is_not_everywhere(
    world: World, lagging: PaperNode
) -> None:
    answer = await revoke(world, await world.sign_in())
    assert answer.json()["data"]["effective"] is False
    assert "preference-applied" not in answer.headers
    assert lagging.region == "us-east"


@fleet_only
async def test_the_answer_waits_for_the_last_node_and_no_longer(world: World, lagging: PaperNode) -> None:
    robin = await world.sign_in()
    waiting = asyncio.create_task(revoke(world, robin, Prefer="wait=30"))
    await asyncio.sleep(0.6)
    await lagging.beat()  # heard of, and still behind
    await asyncio.sleep(0.3)
    assert not waiting.done()
    assert (await robin.get(KEYS)).json()["data"] == []  # what is waited for is committed
    await lagging.apply()
    async with asyncio.timeout(5):
        answer = await waiting
    assert answer.json()["data"]["effective"] is True
    assert answer.headers["preference-applied"] == "wait=30"


@fleet_only
async def test_patience_that_runs_out_is_answered_with_the_truth(world: World, lagging: PaperNode) -> None:
    answer = await revoke(world, await world.sign_in(), Prefer="wait=1")
    assert (answer.json()["data"]["effective"], answer.headers["preference-applied"]) == (False, "wait=1")
    await lagging.apply()


@fleet_only
async def test_the_mutations_of_one_query_share_the_wait_and_each_tells_the_truth(
    world: World, lagging: PaperNode
) -> None:
    robin = await world.sign_in()
    keys = [(await world.mint_key(robin))["id"] for _ in range(4)]
    fields = " ".join(f'k{number}: revokeApiKey(id: "{one}") {{ seq effective }}' for number, one in enumerate(keys))
    began = time.monotonic()
    body = {"query": f"mutation {{ {fields} }}"}
    answer = await robin.post(GRAPHQL, json=body, headers={"Prefer": "wait=1"})
    assert [one["effective"] for one in answer.json()["data"].values()] == [False] * 4
    assert time.monotonic() - began < 3  # four waits of their own would take four seconds
    assert answer.headers["preference-applied"] == "wait=1"
    await lagging.apply()
    made = await world.mint_key(robin)
    body = {"query": f'mutation {{ revokeApiKey(id: "{made["id"]}") {{ effective }} }}'}
    waiting = asyncio.create_task(robin.post(GRAPHQL, json=body, headers={"Prefer": "wait=30"}))
    await asyncio.sleep(0.3)
    await lagging.apply()
    assert (await waiting).json()["data"]["revokeApiKey"]["effective"] is True


@fleet_only
async def test_many_who_wait_leave_the_database_to_those_who_ask(world: World, lagging: PaperNode) -> None:
    robin = await world.sign_in()
    pool, before = world.house.database.reads.sync_engine.pool, await world.house.authority.stamp()
    many = 2 * pool.size()  # type: ignore[attr-defined]
    waiting = [asyncio.create_task(revoke(world, robin, Prefer="wait=30")) for _ in range(many)]
    await committed(world, before + many)
    held = []
    for _ in range(40):
        await asyncio.sleep(0.01)
        held.append(pool.checkedout())  # type: ignore[attr-defined]
    assert min(held) == 0
    assert (await robin.get(KEYS)).status_code == 200
    await lagging.apply()
    assert all([(await one).json()["data"]["effective"] for one in waiting])


async def committed(world: World, seq: int) -> None:
    """Wait until a number is committed, and known to this node."""
    while await world.house.authority.stamp() < seq:  # noqa: ASYNC110 - a commit tells nobody
        await asyncio.sleep(0.05)


@fleet_only
async def test_a_client_that_leaves_is_not_waited_for(
    world: World, lagging: PaperNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[float] = []
    look = Barrier.reached

    async def counted(self: Barrier, seq: int, seconds: float) -> bool:
        looks.append(seconds)
        return await look(self, seq, seconds)

    monkeypatch.setattr(Barrier, "reached", counted)
    robin = await world.sign_in()
    made = await world.mint_key(robin)
    gone, answered = asyncio.Event(), []

    async def receive() -> MutableMapping[str, Any]:
        if not looks:
            return {"type": "http.request", "body": b"", "more_body": False}
        await gone.wait()
        return {"type": "http.disconnect"}

    async def send(message: MutableMapping[str, Any]) -> None:
        answered.append(message)

    headers = {"authorization": robin.headers["Authorization"], "prefer": "wait=30", "host": "lumio.example"}
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "DELETE", "scheme": "https",
        "path": f"{KEYS}/{made['id']}", "raw_path": f"{KEYS}/{made['id']}".encode(), "query_string": b"",
        "root_path": "", "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        "client": ("203.0.113.7", 4711), "server": (PUBLIC.partition("//")[2], 443), "state": {},
    }  # fmt: skip
    serving = asyncio.ensure_future(world.house.asgi(scope, receive, send))
    while not looks:  # noqa: ASYNC110 - nobody tells when the first look begins
        await asyncio.sleep(0.01)
    gone.set()
    async with asyncio.timeout(5):
        await serving
    assert len(looks) <= 3
    assert json.loads(answered[1]["body"])["data"]["effective"] is False
    assert (await robin.get(KEYS)).json()["data"] == []
    await lagging.apply()
