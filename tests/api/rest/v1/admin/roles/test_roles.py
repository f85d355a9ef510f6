"""`/v1/admin/roles`: the built-in role and those that operators make."""

import asyncio
from typing import Any

import pytest

from lumio.access import permission
from lumio.admin.store import roles
from lumio.storage.columns import metadata
from tests.support.operators import KEEPER, ROLES, USERS, custom_roles, feed, lay_role, make_role, operator
from tests.support.system_keys import KEYS, journal
from tests.support.world import World

KIM = "kim@example.com"
READER = ("admin:access", "system-keys:read")


async def test_the_built_in_role_holds_every_admin_permission_and_comes_first(world: World) -> None:
    robin = await world.sign_in()
    await make_role(robin, "reader", *READER)
    first, second = (await robin.get(ROLES)).json()["data"]
    assert first == {
        "id": "system_admin",
        "name": "system_admin",
        "permissions": sorted(permission.ADMIN),
        "built_in": True,
        "holders": 1,
        "missing": [],
        "created_at": None,
    }
    assert (second["name"], second["permissions"], second["holders"]) == ("reader", sorted(READER), 0)


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
async def test_the_built_in_role_is_never_changed_and_never_deleted(world: World, method: str) -> None:
    robin = await world.sign_in()
    body = {"permissions": ["admin:access"]} if method == "PATCH" else None
    answer = await robin.request(method, f"{ROLES}/system_admin", json=body)
    assert answer.status_code == 403
    assert "built in" in answer.json()["detail"]
    assert (await robin.get(ROLES)).json()["data"][0]["permissions"] == sorted(permission.ADMIN)


async def test_a_change_is_a_change_of_everybody_who_holds_the_role(world: World) -> None:
    robin = await world.sign_in()
    kim, kim_id = await operator(world, KIM, READER)
    (role,) = [one for one in (await robin.get(ROLES)).json()["data"] if not one["built_in"]]
    assert (await kim.get(KEYS)).status_code == 200
    changed = await robin.patch(f"{ROLES}/{role['id']}", json={"permissions": ["admin:access"]})
    assert changed.json()["data"]["permissions"] == ["admin:access"]
    assert (await kim.get(KEYS)).status_code == 403
    assert await feed(world) == [("user", kim_id, "changed")]


async def test_a_renamed_role_keeps_its_holders(world: World) -> None:
    robin = await world.sign_in()
    kim, _ = await operator(world, KIM, READER)
    (role,) = [one for one in (await robin.get(ROLES)).json()["data"] if not one["built_in"]]
    renamed = await robin.patch(f"{ROLES}/{role['id']}", json={"name": "watcher"})
    assert (renamed.json()["data"]["name"], renamed.json()["data"]["holders"]) == ("watcher", 1)
    assert (await kim.get(KEYS)).status_code == 200
    assert (await robin.get(USERS, params={"query": KIM})).json()["data"][0]["admin_roles"] == ["watcher"]


async def test_a_role_is_deleted_only_when_nobody_holds_it(world: World) -> None:
    robin = await world.sign_in()
    _, kim_id = await operator(world, KIM, READER)
    (role,) = [one for one in (await robin.get(ROLES)).json()["data"] if not one["built_in"]]
    refused = await robin.delete(f"{ROLES}/{role['id']}")
    assert (refused.status_code, refused.json()["code"]) == (409, "conflict")
    assert await custom_roles(world) == {role["name"]: sorted(READER)}
    await robin.patch(f"{USERS}/{kim_id}", json={"admin_roles": []})
    gone = await robin.delete(f"{ROLES}/{role['id']}")
    assert (gone.status_code, gone.json()["data"]) == (200, {"id": role["id"], "name": role["name"]})
    assert (await robin.delete(f"{ROLES}/{role['id']}")).status_code == 404


async def test_each_step_is_told(world: World) -> None:
    robin = await world.sign_in()
    role = await make_role(robin, "reader", *READER)
    await robin.patch(f"{ROLES}/{role['id']}", json={"permissions": ["admin:access", "users:read"]})
    await robin.delete(f"{ROLES}/{role['id']}")
    told = await journal(world, target_type="admin_role", target_id=role["id"])
    assert [row.event for row in told] == ["admin_role.created", "admin_role.changed", "admin_role.deleted"]
    assert '"added":["users:read"]' in told[1].detail
    assert '"removed":["system-keys:read"]' in told[1].detail


async def test_nobody_puts_into_a_role_what_they_do_not_hold(world: World) -> None:
    keeper, _ = await operator(world, "eve@example.com", KEEPER)
    own = await make_role(keeper, "own", "admin:access")
    for name in sorted(permission.ADMIN - KEEPER):
        made = await keeper.post(ROLES, json={"name": "beyond", "permissions": ["admin:access", name]})
        assert made.status_code == 403
        assert made.json()["detail"] == f"You cannot give what you do not hold yourself: {name}."
        changed = await keeper.patch(f"{ROLES}/{own['id']}", json={"permissions": ["admin:access", name]})
        assert changed.status_code == 403
    assert (await custom_roles(world))["own"] == ["admin:access"]
    assert "beyond" not in await custom_roles(world)


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
async def test_nobody_touches_a_role_above_their_own(world: World, method: str) -> None:
    keeper, _ = await operator(world, "eve@example.com", KEEPER)
    role = await lay_role(world, "reader", READER)
    body = {"permissions": ["admin:access"]} if method == "PATCH" else None
    answer = await keeper.request(method, f"{ROLES}/{role}", json=body)
    assert (answer.status_code, "system-keys:read" in answer.json()["detail"]) == (403, True)
    assert (await custom_roles(world))["reader"] == sorted(READER)
    listed = {one["name"]: one["missing"] for one in (await keeper.get(ROLES)).json()["data"]}
    assert listed["reader"] == ["system-keys:read"]
    assert "users:edit" in listed["system_admin"]
    assert listed["role-of-eve"] == []


async def test_only_admin_permissions_stand_in_an_admin_role(world: World) -> None:
    robin = await world.sign_in()
    for name in sorted(permission.ACCOUNT | permission.SERVICE):
        answer = await robin.post(ROLES, json={"name": "wide", "permissions": ["admin:access", name]})
        assert answer.status_code == 422, name
        assert [one["field"] for one in answer.json()["errors"]] == ["permissions"]
    assert await custom_roles(world) == {}


async def test_a_row_that_says_more_than_admin_permissions_gives_no_more(world: World) -> None:
    kim, _ = await operator(world, KIM, {"admin:access", "system-keys:create", "auth:introspect", "root:everything"})
    rights = set((await kim.get("/v1/users/me")).json()["data"]["permissions"])
    assert rights - permission.ACCOUNT == {"admin:access", "system-keys:create"}
    assert (await kim.post(KEYS, json={"label": "spy", "profile": "introspector"})).status_code == 403
    assert (await kim.post(KEYS, json={"label": "probe", "profile": "probe"})).status_code == 201


BAD: list[tuple[dict[str, Any], str]] = [
    ({"permissions": ["admin:access"]}, "name"),
    ({"name": "reader"}, "permissions"),
    ({"name": "reader", "permissions": []}, "permissions"),
    ({"name": "reader", "permissions": ["*"]}, "permissions"),
    ({"name": "Reader", "permissions": ["admin:access"]}, "name"),
    ({"name": "r", "permissions": ["admin:access"]}, "name"),
    ({"name": "x" * 41, "permissions": ["admin:access"]}, "name"),
    ({"name": "reader\n", "permissions": ["admin:access"]}, "name"),
    ({"name": "\u202ereader", "permissions": ["admin:access"]}, "name"),
]


async def test_bad_input_names_its_field_and_makes_nothing(world: World) -> None:
    robin = await world.sign_in()
    for body, field in BAD:
        answer = await robin.post(ROLES, json=body)
        assert answer.status_code == 422, body
        assert [one["field"] for one in answer.json()["errors"]] == [field]
    assert await custom_roles(world) == {}


async def test_no_other_column_can_be_set(world: World) -> None:
    robin = await world.sign_in()
    role = await make_role(robin, "reader", *READER)
    columns = {column.name for table in metadata.tables.values() for column in table.columns}
    for name in sorted((columns | {"built_in", "holders", "missing"}) - {"name", "permissions"}):
        for method, path in (("POST", ROLES), ("PATCH", f"{ROLES}/{role['id']}")):
            body = {"name": "other", "permissions": ["admin:access"], name: "owner"}
            answer = await robin.request(method, path, json=body)
            assert answer.status_code == 422, (method, name)
            assert [one["field"] for one in answer.json()["errors"]] == [name]
    assert await custom_roles(world) == {"reader": sorted(READER)}


@pytest.mark.parametrize("name", ["reader", "system_admin"])
async def test_two_roles_never_share_a_name(world: World, name: str) -> None:
    robin = await world.sign_in()
    await make_role(robin, "reader", *READER)
    other = await make_role(robin, "other", "admin:access")
    assert (await robin.post(ROLES, json={"name": name, "permissions": ["admin:access"]})).status_code == 409
    assert (await robin.patch(f"{ROLES}/{other['id']}", json={"name": name})).status_code == 409
    assert set(await custom_roles(world)) == {"reader", "other"}


async def test_of_ten_makings_of_one_name_at_once_one_succeeds(world: World) -> None:
    robin = await world.sign_in()
    body = {"name": "reader", "permissions": ["admin:access"]}
    answers = await asyncio.gather(*(robin.post(ROLES, json=body) for _ in range(10)))
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 9


async def test_a_role_deleted_while_it_is_given_is_never_both(world: World) -> None:
    robin = await world.sign_in()
    kim = await world.new_person(KIM)
    for number in range(10):
        role = await make_role(robin, f"reader-{number}", "admin:access")
        gone, given = await asyncio.gather(
            robin.delete(f"{ROLES}/{role['id']}"),
            robin.patch(f"{USERS}/{kim['user_id']}", json={"admin_roles": [role["name"]]}),
        )
        assert (gone.status_code, given.status_code) in {(200, 422), (409, 200)}


async def test_a_repetition_makes_no_second_role(world: World) -> None:
    robin = await world.sign_in()
    robin.headers["Idempotency-Key"] = "once"
    body = {"name": "reader", "permissions": ["admin:access"]}
    first, again = [await robin.post(ROLES, json=body) for _ in range(2)]
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json()["data"] == again.json()["data"]
    async with world.house.database.reading() as connection:
        assert len((await connection.execute(roles.select())).all()) == 1
