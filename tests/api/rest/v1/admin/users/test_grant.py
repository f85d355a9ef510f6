"""`PATCH /v1/admin/users/{id}` with `admin_roles`: who gives which role to whom."""

from typing import Any

from lumio.access import permission
from lumio.authority.subjects import Subject
from lumio.storage.columns import metadata
from tests.support.operators import (
    EDITOR,
    USERS,
    feed,
    found,
    give,
    held,
    lay_role,
    make_role,
    operator,
    own_id,
    take,
)
from tests.support.system_keys import KEYS, journal
from tests.support.teams import confirm_as_operator, withhold
from tests.support.world import World

KIM = "kim@example.com"
READER = ("admin:access", "system-keys:read")


async def test_a_role_counts_from_its_grant_on_and_no_longer_than_it_is_held(world: World) -> None:
    robin = await world.sign_in()
    person = await world.new_person(KIM)
    kim = await world.sign_in(KIM)
    await make_role(robin, "reader", *READER)
    address = f"{USERS}/{person['user_id']}"
    assert (await kim.get(KEYS)).status_code == 403

    given = await robin.patch(address, json={"admin_roles": ["reader"]})
    assert (given.status_code, given.json()["data"]["admin_roles"]) == (200, ["reader"])
    assert (await kim.get(KEYS)).status_code == 200
    taken = await robin.patch(address, json={"admin_roles": []})
    assert taken.json()["data"]["admin_roles"] == []
    assert (await kim.get(KEYS)).status_code == 403
    assert await feed(world) == [("user", person["user_id"], "changed")] * 2


async def test_held_rights_are_the_union_of_the_roles(world: World) -> None:
    robin = await world.sign_in()
    person = await world.new_person(KIM)
    kim = await world.sign_in(KIM)
    await make_role(robin, "entrance", "admin:access")
    await make_role(robin, "finder", "users:read")
    for names, status in ((["entrance"], 403), (["finder"], 403), (["entrance", "finder"], 200)):
        await robin.patch(f"{USERS}/{person['user_id']}", json={"admin_roles": names})
        assert (await kim.get(USERS)).status_code == status


async def test_every_grant_and_every_revocation_is_an_event_about_the_person(world: World) -> None:
    robin = await world.sign_in()
    person = await world.new_person(KIM)
    await make_role(robin, "reader", *READER)
    await make_role(robin, "finder", "users:read")
    for names in (["reader"], ["finder"], ["finder"]):
        await robin.patch(f"{USERS}/{person['user_id']}", json={"admin_roles": names})
    about = {"target_type": "user", "target_id": person["user_id"]}
    granted = await journal(world, event="admin_role.granted", **about)
    revoked = await journal(world, event="admin_role.revoked", **about)
    assert ["reader" in row.detail for row in granted] == [True, False]
    assert ["reader" in row.detail for row in revoked] == [True]


async def test_nobody_assigns_or_takes_away_a_permission_that_they_do_not_hold(world: World) -> None:
    editor, _ = await operator(world, "eve@example.com", EDITOR)
    person = await world.new_person(KIM)
    address = f"{USERS}/{person['user_id']}"
    for name in sorted(permission.ADMIN - EDITOR):
        role_name = f"beyond-{name.replace(':', '-')}"
        role = await lay_role(world, role_name, {"users:read", name})
        before = await held(world)
        answer = await editor.patch(address, json={"admin_roles": [role_name]})
        assert answer.status_code == 403
        assert answer.json()["detail"] == f"The role {role_name} is above yours: you do not hold {name}."
        assert await held(world) == before

        await give(world, person["user_id"], role)
        answer = await editor.patch(address, json={"admin_roles": []})
        assert answer.status_code == 403
        assert await held(world) == before | {(person["user_id"], role)}
        await take(world, person["user_id"], role)


async def test_holding_every_admin_permission_is_not_being_system_admin(world: World) -> None:
    almost, _ = await operator(world, "eve@example.com", permission.ADMIN)
    person = await world.new_person(KIM)
    answer = await almost.patch(f"{USERS}/{person['user_id']}", json={"admin_roles": ["system_admin"]})
    assert answer.status_code == 403
    assert (person["user_id"], "system_admin") not in await held(world)


async def test_who_lost_the_right_a_moment_ago_assigns_nothing(world: World) -> None:
    robin = await world.sign_in()
    editor, editor_id = await operator(world, "eve@example.com", EDITOR)
    person = await world.new_person(KIM)
    await make_role(robin, "finder", "users:read")
    address = f"{USERS}/{person['user_id']}"
    assert (await editor.patch(address, json={"admin_roles": ["finder"]})).status_code == 200
    await robin.patch(f"{USERS}/{editor_id}", json={"admin_roles": []})
    assert (await editor.patch(address, json={"admin_roles": []})).status_code == 403


async def test_nobody_takes_all_admin_roles_from_themselves(world: World) -> None:
    editor, editor_id = await operator(world, "eve@example.com", EDITOR)
    answer = await editor.patch(f"{USERS}/{editor_id}", json={"admin_roles": []})
    assert (answer.status_code, answer.json()["detail"]) == (403, "Nobody takes all admin roles from themselves.")
    assert (await editor.get(USERS)).status_code == 200


async def test_the_last_system_admin_who_can_sign_in_stays_one(world: World) -> None:
    robin = await world.sign_in()
    robin_id = await own_id(robin)
    await make_role(robin, "finder", "users:read")
    alone = await robin.patch(f"{USERS}/{robin_id}", json={"admin_roles": ["finder"]})
    assert (alone.status_code, alone.json()["code"]) == (409, "conflict")

    kim = await world.new_person(KIM)
    await robin.patch(f"{USERS}/{kim['user_id']}", json={"admin_roles": ["system_admin"], "suspended": True})
    still_alone = await robin.patch(f"{USERS}/{robin_id}", json={"admin_roles": ["finder"]})
    assert still_alone.status_code == 409, "a suspended person cannot sign in"
    assert (robin_id, "system_admin") in await held(world)

    await robin.patch(f"{USERS}/{kim['user_id']}", json={"suspended": False})
    person = Subject("user", kim["user_id"])
    await withhold(world.house, person)
    still_alone = await robin.patch(f"{USERS}/{robin_id}", json={"admin_roles": ["finder"]})
    assert still_alone.status_code == 409, "nor can one who is withheld"
    await confirm_as_operator(world.house, person)
    assert (await robin.patch(f"{USERS}/{robin_id}", json={"admin_roles": ["finder"]})).status_code == 200
    assert (await robin.get(USERS)).status_code == 403


async def test_the_answer_and_the_list_agree(world: World) -> None:
    robin = await world.sign_in()
    person = await world.new_person(KIM)
    answer = await robin.patch(f"{USERS}/{person['user_id']}", json={"admin_roles": ["system_admin"]})
    assert [answer.json()["data"]] == await found(robin, KIM)


BAD: list[tuple[dict[str, Any], str]] = [
    ({"admin_roles": ["nobody"]}, "admin_roles"),
    ({"admin_roles": "system_admin"}, "admin_roles"),
    ({"admin_roles": [""]}, "admin_roles[0]"),
    ({"suspended": "yes"}, "suspended"),
    ({"suspended": None}, "suspended"),
]


async def test_bad_input_names_its_field_and_changes_nothing(world: World) -> None:
    robin = await world.sign_in()
    person = await world.new_person(KIM)
    before = await held(world)
    for body, field in BAD:
        answer = await robin.patch(f"{USERS}/{person['user_id']}", json=body)
        assert answer.status_code == 422, body
        assert [one["field"] for one in answer.json()["errors"]] == [field]
    assert await held(world) == before


async def test_no_other_column_can_be_set(world: World) -> None:
    robin = await world.sign_in()
    person = await world.new_person(KIM)
    columns = {column.name for table in metadata.tables.values() for column in table.columns}
    for name in sorted(columns | {"role", "permissions", "is_admin", "verified", "accounts", "id"}):
        answer = await robin.patch(f"{USERS}/{person['user_id']}", json={"suspended": False, name: "owner"})
        assert answer.status_code == 422, name
        assert [one["field"] for one in answer.json()["errors"]] == [name]
    (item,) = await found(robin, KIM)
    assert (item["admin_roles"], item["verified"]) == ([], True)


async def test_a_person_who_is_not_there_is_404(world: World) -> None:
    robin = await world.sign_in()
    for name in ("01939f2e-7c1a-7d2e-9a44-3f0c5c0b7a11", "nobody", "%25"):
        assert (await robin.patch(f"{USERS}/{name}", json={"suspended": True})).status_code == 404, name
