"""A sub-account has a role and keys that others make for it, and no way in of its own."""

from typing import Any

import httpx2

from tests.support.developers import EXTENSIONS, deploy, make_extension, publish
from tests.support.teams import ANNA, MAX, Team
from tests.support.world import World


async def make(team: Team, client: httpx2.AsyncClient, name: str = "ci-bot", role: str = "member") -> str:
    answer = await client.post(f"{team.path}/sub-accounts", json={"name": name, "role": role})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["data"]["id"])


async def key_for(client: httpx2.AsyncClient, sub_account: str, label: str = "for-bot") -> dict[str, Any]:
    answer = await client.post("/v1/api-keys", json={"label": label, "sub_account_id": sub_account})
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()["data"]
    return made


async def works(world: World, made: dict[str, Any]) -> bool:
    return (await world.bearer(made["key"]).get(EXTENSIONS)).status_code == 200


async def test_a_key_of_a_sub_account_has_its_role_and_nobody_s_more(team: Team, world: World) -> None:
    bot = await make(team, team.robin)
    made = await key_for(team.robin, bot)
    key = world.bearer(made["key"])
    me = (await key.get("/v1/users/me")).json()["data"]
    assert (me["user"], me["role"], me["account"]["id"]) == (None, "member", team.account_id)
    extension = await make_extension(key)
    version = await deploy(key, extension)
    assert (await publish(key, extension, version["id"])).status_code == 403
    shown = (await team.robin.get(f"/v1/api-keys/{made['id']}")).json()["data"]
    assert (shown["holder"]["name"], shown["minter"]["name"]) == ("ci-bot", "Robin Vale")


async def test_sub_accounts_are_shown_apart_and_among_the_members_with_their_kind(team: Team) -> None:
    bot = await make(team, team.anna, role="admin")
    assert [one["id"] for one in (await team.anna.get(f"{team.path}/sub-accounts")).json()["data"]] == [bot]
    listed = (await team.max.get(f"{team.path}/members")).json()["data"]
    assert [(one["name"], one["role"]) for one in listed if one["kind"] == "sub_account"] == [("ci-bot", "admin")]
    again = await team.robin.post(f"{team.path}/sub-accounts", json={"name": "CI-Bot", "role": "member"})
    assert (again.status_code, again.json()["code"]) == (409, "conflict")


async def test_only_owner_and_admin_make_sub_accounts_and_keys_for_them(team: Team) -> None:
    bot = await make(team, team.robin)
    assert (await team.max.post(f"{team.path}/sub-accounts", json={"name": "b", "role": "member"})).status_code == 403
    refused = await team.max.post("/v1/api-keys", json={"label": "a", "sub_account_id": bot})
    assert refused.status_code == 403
    for wrong in ("unknown", team.ids[MAX]["member_id"]):
        answer = await team.anna.post("/v1/api-keys", json={"label": "a", "sub_account_id": wrong})
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "sub_account_id")
    owner = await team.robin.post(f"{team.path}/sub-accounts", json={"name": "boss", "role": "owner"})
    assert (owner.status_code, owner.json()["errors"][0]["field"]) == (422, "role")
    promoted = await team.robin.patch(f"{team.path}/members/{bot}", json={"role": "owner"})
    assert promoted.status_code == 422
    assert (await team.sam.post("/v1/api-keys", json={"label": "a", "sub_account_id": bot})).status_code == 422


async def test_the_keys_die_with_the_sub_account(team: Team, world: World) -> None:
    bot = await make(team, team.robin)
    made, own = await key_for(team.robin, bot), await world.mint_key(team.robin)
    plan = (await team.robin.get(f"{team.path}/members/{bot}/departure")).json()["data"]
    assert [one["id"] for one in plan["api_keys"]] == [made["id"]]
    assert (await team.robin.delete(f"{team.path}/members/{bot}")).status_code == 404
    person = f"{team.path}/sub-accounts/{team.ids[MAX]['member_id']}"
    assert (await team.robin.delete(person)).status_code == 404
    answer = await team.robin.delete(f"{team.path}/sub-accounts/{bot}")
    assert (answer.status_code, answer.json()["data"]["api_keys"]) == (200, 1)
    assert [await works(world, one) for one in (made, own)] == [False, True]


async def test_keys_end_when_their_minter_leaves_unless_somebody_minted_them_anew(team: Team, world: World) -> None:
    bot = await make(team, team.anna)
    stays, goes = await key_for(team.anna, bot, "stays"), await key_for(team.anna, bot, "goes")
    anew = await team.robin.post(f"/v1/api-keys/{stays['id']}/rotate")
    assert anew.status_code == 201, anew.text
    plan = (await team.robin.get(f"{team.member(ANNA)}/departure")).json()["data"]
    assert {one["id"] for one in plan["api_keys"]} == {stays["id"], goes["id"]}
    assert (await team.robin.delete(team.member(ANNA))).json()["data"]["api_keys"] == 2
    assert [await works(world, one) for one in (stays, goes, anew.json()["data"])] == [False, False, True]


async def test_keys_end_when_their_minter_may_not_invite_any_more(team: Team, world: World) -> None:
    bot = await make(team, team.anna)
    made, own = await key_for(team.anna, bot), await world.mint_key(team.anna)
    assert (await team.robin.patch(team.member(ANNA), json={"role": "member"})).status_code == 200
    assert [await works(world, one) for one in (made, own)] == [False, True]
    revoked = [one["target"]["id"] for one in await world.log(team.robin, event="api_key.revoked")]
    assert revoked == [made["id"]]
    await team.robin.patch(team.member(ANNA), json={"role": "admin"})
    assert not await works(world, made)


async def test_keys_rest_while_their_minter_is_suspended(team: Team, world: World) -> None:
    bot = await make(team, team.anna)
    made = await key_for(team.anna, bot)
    person = f"/v1/admin/users/{team.ids[ANNA]['user_id']}"
    for suspended in (True, False):
        await team.robin.patch(person, json={"suspended": suspended})
        assert await works(world, made) is not suspended


async def test_a_member_rotates_no_key_of_a_sub_account(team: Team) -> None:
    made = await key_for(team.robin, await make(team, team.robin))
    assert (await team.max.post(f"/v1/api-keys/{made['id']}/rotate")).status_code == 404
    assert (await team.sam.post(f"/v1/api-keys/{made['id']}/rotate")).status_code == 404
