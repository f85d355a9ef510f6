"""System keys in GraphQL: the same actions, events and refusals as over REST."""

import pytest

from lumio.access import policy
from lumio.crypto import opaque
from tests.api.graphql.asking import granted, refused
from tests.support.system_keys import KEYS, LABEL, appoint, carrying, journal, mint, rows
from tests.support.world import World

LIST = "{ adminSystemKeys { id label permissions createdAt lastUsedAt } }"
CREATE = """mutation ($label: String!, $profile: String) {
  adminCreateSystemKey(label: $label, profile: $profile) {
    key warnings systemKey { id label permissions createdAt lastUsedAt }
  }
}"""
DELETE = "mutation ($id: ID!) { adminDeleteSystemKey(id: $id) { id revokedAt seq effective } }"


async def test_a_key_is_made_listed_used_and_deleted(world: World) -> None:
    robin = await world.sign_in()
    made = (await granted(robin, CREATE, label=LABEL, profile="introspector"))["adminCreateSystemKey"]
    assert opaque.is_well_formed(made["key"], opaque.SYSTEM_KEY)
    assert made["warnings"] == []
    assert made["systemKey"]["permissions"] == ["auth:introspect"]
    assert (await granted(robin, LIST))["adminSystemKeys"] == [made["systemKey"]]
    bot = carrying(world, made["key"])
    assert (await granted(bot, "{ me { kind label } }"))["me"] == {"kind": "system_key", "label": LABEL}
    key_id = made["systemKey"]["id"]
    receipt = (await granted(robin, DELETE, id=key_id))["adminDeleteSystemKey"]
    assert (receipt["id"], receipt["effective"]) == (key_id, True)
    assert (await bot.get("/v1/users/me")).status_code == 401
    assert (await granted(robin, LIST))["adminSystemKeys"] == []


async def test_both_surfaces_show_and_record_the_same(world: World) -> None:
    robin = await world.sign_in()
    over_rest = await mint(robin, "over-rest")
    over_graph = (await granted(robin, CREATE, label="over-graph"))["adminCreateSystemKey"]["systemKey"]
    assert over_graph["permissions"] == over_rest["permissions"]
    listed = (await robin.get(KEYS)).json()["data"]
    assert [item["label"] for item in listed] == ["over-graph", "over-rest"]
    shown = (await granted(robin, LIST))["adminSystemKeys"]
    assert [one["id"] for one in shown] == [item["id"] for item in listed]
    created = await journal(world, event="api_key.created")
    assert [(row.target_type, row.target_id) for row in created] == [
        ("system_key", over_rest["id"]), ("system_key", over_graph["id"]),
    ]  # fmt: skip


async def test_the_list_has_every_key_and_not_a_page_of_them(world: World) -> None:
    robin = await world.sign_in()
    (await mint(robin), await mint(robin), await mint(robin))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("lumio.system_keys.listing.LARGEST", 2)
        assert len((await granted(robin, LIST))["adminSystemKeys"]) == 3


@pytest.mark.parametrize(
    ("held", "codes"),
    [
        (set(), ["forbidden", "forbidden", "forbidden"]),
        ({"system-keys:read"}, [None, "forbidden", "forbidden"]),
        ({"system-keys:create"}, ["forbidden", None, "forbidden"]),
        ({"system-keys:delete"}, ["forbidden", "forbidden", None]),
    ],
)
async def test_an_admin_role_reaches_exactly_what_it_holds(
    world: World, monkeypatch: pytest.MonkeyPatch, held: set[str], codes: list[str | None]
) -> None:
    made = await mint(await world.sign_in())
    monkeypatch.setitem(policy.ADMIN_ROLES, "part", frozenset(held | {"admin:access"}))
    kim = await appoint(world, "kim@example.com", "part")
    asked = [(LIST, {}), (CREATE, {"label": "x", "profile": "probe"}), (DELETE, {"id": made["id"]})]
    for (query, variables), code in zip(asked, codes, strict=True):
        if code is None:
            await granted(kim, query, **variables)
        else:
            assert (await refused(kim, query, **variables))["code"] == code


async def test_a_system_key_without_the_permission_and_a_stranger_reach_nothing(world: World) -> None:
    made = await mint(await world.sign_in())
    assert (await refused(carrying(world, made["key"]), LIST))["code"] == "forbidden"
    assert (await refused(world.anonymous(), DELETE, id=made["id"]))["code"] == "unauthorized"
    assert len(await rows(world)) == 1


async def test_permissions_are_no_argument(world: World) -> None:
    query = 'mutation { adminCreateSystemKey(label: "x", permissions: ["*"]) { key } }'
    assert (await refused(await world.sign_in(), query))["code"] == "validation_error"
    assert await rows(world) == []
