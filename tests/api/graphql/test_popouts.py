"""Popout tokens over GraphQL, from making to revoking."""

import pytest
from msgspec import Struct
from msgspec.structs import fields
from strawberry.types import get_object_definition

from lumio.access import guard
from lumio.access.policy import POPOUT_ADMITS, Role
from lumio.popouts import graph, model
from tests.api.graphql.asking import granted, refused
from tests.support import popouts
from tests.support.world import World

CREATE = """
mutation($label: String!, $permissions: [String!], $member: ID) {
  createPopoutToken(label: $label, permissions: $permissions, memberId: $member) {
    token popoutToken { id label permissions prefix lookupId member { name } maker { name } }
  }
}
"""
UPDATE = """
mutation($id: ID!, $label: String, $permissions: [String!]) {
  updatePopoutToken(id: $id, label: $label, permissions: $permissions) { id label permissions }
}
"""
DELETE = "mutation($id: ID!) { deletePopoutToken(id: $id) { id revokedAt seq effective } }"
LIST = "{ popoutTokens { id label permissions cursor } }"


async def test_a_popout_token_lives_from_its_making_to_its_revocation(world: World) -> None:
    robin = await world.sign_in()
    made = (await granted(robin, CREATE, label="overlay"))["createPopoutToken"]
    shown = made["popoutToken"]
    assert made["token"].startswith(shown["prefix"] + shown["lookupId"])
    assert (shown["permissions"], shown["member"], shown["maker"]) == (
        ["extensions:read"], {"name": "Robin Vale"}, {"name": "Robin Vale"},
    )  # fmt: skip
    popout = popouts.carrying(world, made["token"])
    assert (await granted(popout, "{ me { kind label } }"))["me"] == {"kind": "popout_token", "label": "overlay"}

    changed = await granted(robin, UPDATE, id=shown["id"], label="lower", permissions=["members:read"])
    assert changed["updatePopoutToken"] == {"id": shown["id"], "label": "lower", "permissions": ["members:read"]}
    renamed = await granted(robin, UPDATE, id=shown["id"], label="left")
    assert renamed["updatePopoutToken"]["permissions"] == ["members:read"]
    assert await popouts.rights(world, made["token"]) == ["members:read"]

    receipt = (await granted(robin, DELETE, id=shown["id"]))["deletePopoutToken"]
    assert (receipt["id"], receipt["effective"]) == (shown["id"], True)
    assert (await popout.post("/v1/gql", json={"query": "{ me { kind } }"})).status_code == 401
    assert (await granted(robin, LIST))["popoutTokens"] == []


async def test_each_surface_leaves_the_same_events(world: World) -> None:
    robin = await world.sign_in()
    made = (await granted(robin, CREATE, label="overlay"))["createPopoutToken"]["popoutToken"]
    await granted(robin, UPDATE, id=made["id"], permissions=["members:read"])
    await granted(robin, DELETE, id=made["id"])
    told = [(one["event"], one["actor"]) for one in await world.log(robin, event="popout_token.*")]
    assert [event for event, _ in told] == [
        "popout_token.revoked", "popout_token.updated", "popout_token.created",
    ]  # fmt: skip
    assert {actor for _, actor in told} == {"robin@example.com"}


async def test_the_list_goes_on_after_a_cursor_and_holds_no_secret(world: World) -> None:
    robin = await world.sign_in()
    made = [await popouts.mint(robin) for _ in range(3)]
    first = (await granted(robin, "{ popoutTokens(first: 2) { id cursor } }"))["popoutTokens"]
    rest = await granted(
        robin, "query($after: String) { popoutTokens(after: $after) { id } }", after=first[-1]["cursor"]
    )
    found = [one["id"] for one in first + rest["popoutTokens"]]
    assert found == [one["id"] for one in reversed(made)]
    assert not [one for one in made if one["token"] in str(await granted(robin, LIST))]


async def test_a_popout_token_reads_and_never_changes(world: World) -> None:
    robin = await world.sign_in()
    made = await popouts.mint(robin, *POPOUT_ADMITS)
    popout = popouts.carrying(world, made["token"])
    assert (await granted(popout, LIST))["popoutTokens"][0]["id"] == made["id"]
    for query, values in ((CREATE, {"label": "x"}), (UPDATE, {"id": made["id"], "label": "x"}), (DELETE, made)):
        wanted = {name: value for name, value in values.items() if name in {"id", "label"}}
        assert (await refused(popout, query, **wanted))["code"] == "forbidden"
    assert (await refused(popout, "{ apiKeys { id } }"))["code"] == "forbidden"
    assert (await refused(popout, "{ adminSystemKeys { id } }"))["code"] == "forbidden"


async def test_refusals_have_the_codes_of_rest(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    robin = await world.sign_in()
    await world.new_person("mo@example.com", Role.MEMBER, await world.account_id(robin))
    mo = await world.sign_in("mo@example.com")
    theirs, own = await popouts.mint(robin), await popouts.mint(mo)
    assert (await refused(mo, DELETE, id=theirs["id"]))["code"] == "not_found"
    assert (await refused(mo, CREATE, label="x", permissions=["billing:read"]))["code"] == "forbidden"
    broken = await refused(robin, CREATE, label="", permissions=["*"])
    assert (broken["code"], broken["errors"][0]["field"]) == ("validation_error", "label")
    assert (await refused(world.anonymous(), LIST))["code"] == "unauthorized"
    monkeypatch.setattr(guard, "STEP_UP_SECONDS", -1)
    assert (await refused(mo, CREATE, label="x"))["code"] == "step_up_required"
    wider = await refused(mo, UPDATE, id=own["id"], permissions=["extensions:read", "members:read"])
    assert wider["code"] == "step_up_required"


def test_the_types_have_the_fields_of_their_models() -> None:
    kinds: dict[type, type[Struct]] = {graph.PopoutParty: model.Party, graph.PopoutToken: model.PopoutView}
    for shown, kept in kinds.items():
        described = {field.python_name for field in get_object_definition(shown, strict=True).fields}
        assert described - {"cursor"} == {field.name for field in fields(kept)}
