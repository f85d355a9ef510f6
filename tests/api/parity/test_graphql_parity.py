"""The same action through REST and through GraphQL: the same refusal, the same event, the same result.

Each case runs on either surface with a key of its own to act on, as each of four clients.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import httpx2
import pytest
from sqlalchemy import select

from lumio.access.policy import Role
from lumio.kernel import ids
from lumio.storage.events import events
from lumio.surface.graph.faults import graph_name
from tests.api.graphql.asking import ask
from tests.support.world import World

Send = Callable[[httpx2.AsyncClient, str], Awaitable[httpx2.Response]]
PAST = "2020-01-01T00:00:00Z"
NEWCOMER = "mia@example.com"
CREATED = "key apiKey { id label prefix lookupId createdAt expiresAt predecessorId }"
KEY = "id label prefix lookupId holder { id name } minter { id name } createdAt expiresAt ageDays predecessorId"
ME = "kind label user { id email displayName } account { id slug name } role permissions credentialId"


@dataclass(frozen=True)
class Case:
    """One action on both surfaces; `on` says whose key it acts on: one's own, another person's, or none."""

    rest: Send
    query: str
    on: str = "none"


def _create(**body: Any) -> Send:
    return lambda client, _: client.post("/v1/api-keys", json=body)


CASES = {
    "me": Case(lambda client, _: client.get("/v1/users/me"), f"{{ me {{ {ME} }} }}"),
    "list keys": Case(lambda client, _: client.get("/v1/api-keys"), f"{{ apiKeys {{ {KEY} }} }}"),
    "list too few": Case(lambda client, _: client.get("/v1/api-keys?limit=0"), "{ apiKeys(first: 0) { id } }"),
    "list after nothing": Case(
        lambda client, _: client.get("/v1/api-keys?cursor=x"), '{ apiKeys(after: "x") { id } }'
    ),
    "create": Case(_create(label="made"), f'mutation {{ createApiKey(label: "made") {{ {CREATED} }} }}'),
    "create unlabelled": Case(_create(label=""), 'mutation { createApiKey(label: "") { key } }'),
    "create invisible": Case(_create(label="  "), 'mutation { createApiKey(label: "  ") { key } }'),
    "create expired": Case(
        _create(label="a", expires_at=PAST), f'mutation {{ createApiKey(label: "a", expiresAt: "{PAST}") {{ key }} }}'
    ),
    "create timeless": Case(
        _create(label="a", expires_at="soon"), 'mutation { createApiKey(label: "a", expiresAt: "soon") { key } }'
    ),
    "create for nobody": Case(
        _create(label="a", sub_account_id="x"), 'mutation { createApiKey(label: "a", subAccountId: "x") { key } }'
    ),
    "read the log": Case(
        lambda client, _: client.get("/v1/audit-log?event=api_key.created&limit=200"),
        '{ auditLog(filter: {event: "api_key.created"}, first: 200) { edges { node { id event actor result } } } }',
    ),
    "read a wrong log": Case(
        lambda client, _: client.get("/v1/audit-log?event=A&result=maybe&since=soon"),
        '{ auditLog(filter: {event: "A", result: "maybe", since: "soon"}) { edges { cursor } } }',
    ),
}
for _whose in ("own", "other", "none"):
    CASES[f"rotate, {_whose}"] = Case(
        lambda client, key_id: client.post(f"/v1/api-keys/{key_id}/rotate"),
        f"mutation($id: ID!) {{ rotateApiKey(id: $id) {{ {CREATED} }} }}",
        _whose,
    )
    CASES[f"revoke, {_whose}"] = Case(
        lambda client, key_id: client.delete(f"/v1/api-keys/{key_id}"),
        "mutation($id: ID!) { revokeApiKey(id: $id) { id revokedAt seq effective } }",
        _whose,
    )

CLIENTS = ("owner's session", "member's session", "owner's key", "member's key", "nobody")


@dataclass
class Stage:
    """One client on the stage, with the two people whose keys are acted on."""

    world: World
    client: httpx2.AsyncClient
    own: httpx2.AsyncClient
    other: httpx2.AsyncClient

    async def target(self, whose: str) -> str:
        """Return the id of a fresh key to act on, or of none."""
        if whose == "none":
            return ids.uuid7()
        return str((await self.world.mint_key(self.own if whose == "own" else self.other, "target"))["id"])

    async def happened(self) -> list[Any]:
        """Return all events so far, authentications apart."""

        async def step(view: Any) -> list[Any]:
            found = select(events).where(events.c.event != "auth.succeeded").order_by(events.c.ts, events.c.id)
            return list((await view.execute(found)).all())

        return await self.world.house.units.read(step)


async def _set(world: World, name: str) -> Stage:
    robin = await world.sign_in()
    await world.new_person(NEWCOMER, Role.MEMBER, await world.account_id(robin))
    mia = await world.sign_in(NEWCOMER)
    who, _, what = name.partition("'s ")
    own, other = (mia, robin) if who == "member" else (robin, mia)
    client = own if what == "session" else world.anonymous()
    if what == "key":
        client = world.bearer((await world.mint_key(own, "asking"))["key"])
    return Stage(world, client, own, other)


def _facts(row: Any, target: str) -> tuple[Any, ...]:
    """Return what an event says, with the key that was acted on under one name."""
    about = "target" if row.target_id == target else row.target_type
    return (
        row.event, row.result, row.actor_type, row.actor_label, row.actor_id, row.on_behalf_of, row.account_id,
        row.credential_id, row.auth_method, row.ip, about, (row.detail or "").replace(target, "target"),
    )  # fmt: skip


def _refusal(errors: list[dict[str, str]], rest: dict[str, Any]) -> dict[str, Any]:
    broken = sorted((graph_name(one["field"]), one["rule"], one["message"]) for one in errors)
    return {"code": rest["code"], "errors": broken, "step_up": rest.get("step_up")}


async def _by_rest(case: Case, stage: Stage, target: str) -> tuple[dict[str, Any], Any]:
    answer = await case.rest(stage.client, target)
    body = answer.json()
    if answer.status_code < 400:
        return {"code": None}, body["data"]
    return _refusal(body.get("errors", []), body) | {"message": body["detail"]}, None


async def _by_graphql(case: Case, stage: Stage, target: str) -> tuple[dict[str, Any], Any]:
    variables = {"id": target} if "$id" in case.query else {}
    answer = await ask(stage.client, case.query, **variables)
    if "errors" not in answer:
        return {"code": None}, next(iter(answer["data"].values()))
    (error,) = answer["errors"]
    told = error["extensions"]
    return _refusal(told.get("errors", []), told) | {"message": error["message"]}, None


@pytest.mark.parametrize("name", CLIENTS)
async def test_both_surfaces_refuse_alike_and_record_alike(world: World, name: str) -> None:
    stage = await _set(world, name)
    for label, case in CASES.items():
        seen = []
        for way in (_by_rest, _by_graphql):
            target = await stage.target(case.on)
            before = len(await stage.happened())
            outcome, _ = await way(case, stage, target)
            seen.append((outcome, [_facts(row, target) for row in (await stage.happened())[before:]]))
        assert seen[0] == seen[1], label


def _camel(value: Any) -> Any:
    match value:
        case dict():
            return {graph_name(key): _camel(inner) for key, inner in value.items()}
        case list():
            return [_camel(inner) for inner in value]
    return value


@pytest.mark.parametrize("label", ["me", "list keys", "read the log"])
async def test_both_surfaces_show_the_same(world: World, label: str) -> None:
    stage = await _set(world, "owner's session")
    await stage.target("own")
    await stage.target("other")
    _, over_rest = await _by_rest(CASES[label], stage, "")
    _, over_graphql = await _by_graphql(CASES[label], stage, "")
    shown = [edge["node"] for edge in over_graphql["edges"]] if label == "read the log" else over_graphql

    assert shown
    for rest, graph in zip(*((one if isinstance(one, list) else [one]) for one in (over_rest, shown)), strict=True):
        assert {key: value for key, value in _camel(rest).items() if key in graph} == graph


async def test_a_made_key_is_described_alike(world: World) -> None:
    stage = await _set(world, "owner's session")
    for label in ("create", "rotate, own"):
        _, over_rest = await _by_rest(CASES[label], stage, await stage.target("own"))
        _, over_graphql = await _by_graphql(CASES[label], stage, await stage.target("own"))
        differing = {"id", "key", "lookup_id", "created_at", "predecessor_id"}

        flat = over_graphql["apiKey"] | {"key": over_graphql["key"]}
        for field, value in over_rest.items():
            shown = flat[graph_name(field)]
            assert (shown == value) is (field not in differing), (label, field)
        assert bool(flat["predecessorId"]) is (label == "rotate, own")
