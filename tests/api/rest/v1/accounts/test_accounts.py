"""Several accounts of one person: making, naming, switching between them, closing one."""

import httpx2

from tests.api.rest.mailbox import MailFolder
from tests.support.teams import MAX, SAM, Team, accept
from tests.support.world import PASSWORD, World


async def listed(client: httpx2.AsyncClient) -> dict[str, tuple[str, bool]]:
    answer = await client.get("/v1/accounts")
    assert answer.status_code == 200, answer.text
    return {one["id"]: (one["role"], one["active"]) for one in answer.json()["data"]}


async def test_a_person_sees_their_accounts_and_a_key_its_own(team: Team, world: World, mail: MailFolder) -> None:
    home = await world.account_id(team.sam)
    assert (await accept(team.sam, await team.invited(mail, SAM))).status_code == 200
    assert await listed(team.sam) == {home: ("owner", True), team.account_id: ("member", False)}
    assert (await team.sam.get(team.path)).json()["data"]["role"] == "member"
    key = world.bearer((await world.mint_key(team.sam))["key"])
    assert await listed(key) == {home: ("owner", True)}
    assert (await key.get(team.path)).status_code == 404
    assert (await team.max.get(f"/v1/accounts/{home}")).status_code == 404


async def test_activation_gives_tokens_for_the_account_and_ends_those_of_the_one_before(
    team: Team, world: World, mail: MailFolder
) -> None:
    await accept(team.sam, await team.invited(mail, SAM))
    pair = await world.anonymous().post("/v1/auth/login", json={"email": SAM, "password": PASSWORD})
    before = pair.json()["data"]
    client = world.bearer(before["access_token"])
    answer = await client.post(f"{team.path}/activate")
    assert answer.status_code == 200, answer.text
    fresh = answer.json()["data"]["tokens"]
    now = world.bearer(fresh["access_token"])
    me = (await now.get("/v1/users/me")).json()["data"]
    assert (me["account"]["id"], me["role"]) == (team.account_id, "member")
    assert (await client.get("/v1/users/me")).status_code == 401
    for refresh in (fresh["refresh_token"], before["refresh_token"]):
        again = await world.anonymous().post("/v1/auth/refresh", json={"refresh_token": refresh})
        renewed = world.bearer(again.json()["data"]["access_token"])
        assert await world.account_id(renewed) == team.account_id
    made = await world.mint_key(renewed, "made-in-the-team")
    assert made["id"] in {one["id"] for one in (await team.robin.get("/v1/api-keys")).json()["data"]}
    (event,) = await world.log(team.robin, event="session.account_changed")
    assert (event["actor"], event["result"]) == (SAM, "success")


async def test_nobody_switches_to_an_account_that_is_not_theirs(team: Team, world: World) -> None:
    for path in (team.path, "/v1/accounts/unknown"):
        assert (await team.sam.post(f"{path}/activate")).status_code == 404
    key = world.bearer((await world.mint_key(team.robin))["key"])
    assert (await key.post(f"{team.path}/activate")).status_code == 403


async def test_an_account_is_made_named_and_closed(team: Team, world: World) -> None:
    answer = await team.sam.post("/v1/accounts", json={"name": "Side Project"})
    assert answer.status_code == 201, answer.text
    made = answer.json()["data"]
    assert (made["slug"], made["role"], made["active"]) == ("side-project", "owner", False)
    assert (await team.sam.patch(f"/v1/accounts/{made['id']}", json={"name": "x"})).status_code == 404
    tokens = (await team.sam.post(f"/v1/accounts/{made['id']}/activate")).json()["data"]["tokens"]
    there = world.bearer(tokens["access_token"])
    renamed = await there.patch(f"/v1/accounts/{made['id']}", json={"name": "Overlay Lab"})
    assert (renamed.json()["data"]["name"], renamed.json()["data"]["slug"]) == ("Overlay Lab", "side-project")
    key = world.bearer((await world.mint_key(there))["key"])
    closed = await there.delete(f"/v1/accounts/{made['id']}")
    assert closed.status_code == 200, closed.text
    for client in (key, there):
        assert (await client.get("/v1/users/me")).status_code == 401
    assert made["id"] not in await listed(await world.sign_in(SAM))


async def test_an_account_with_others_in_it_is_not_closed_and_only_an_owner_closes(team: Team) -> None:
    assert (await team.robin.delete(team.path)).status_code == 409
    assert (await team.anna.delete(team.path)).status_code == 403
    assert (await team.anna.patch(team.path, json={"name": "Acme"})).status_code == 200
    assert (await team.max.patch(team.path, json={"name": "Acme"})).status_code == 403


async def test_a_key_makes_no_account(team: Team, world: World) -> None:
    key = world.bearer((await world.mint_key(team.max))["key"])
    assert (await key.post("/v1/accounts", json={"name": "More"})).status_code == 403
    assert (await world.anonymous().post("/v1/accounts", json={"name": "More"})).status_code == 401
    assert len(await listed(team.max)) == 1
    assert MAX in await team.roles()


async def test_a_page_switches_without_a_new_sign_in(team: Team, world: World, mail: MailFolder) -> None:
    await accept(team.sam, await team.invited(mail, SAM))
    page = await world.page_client(SAM)
    answer = await page.post(f"/api/accounts/{team.account_id}/activate")
    assert answer.status_code == 200, answer.text
    assert answer.json()["data"]["tokens"] is None
    me = (await page.get("/api/users/me")).json()["data"]
    assert (me["account"]["id"], me["role"]) == (team.account_id, "member")


async def test_the_lists_go_page_by_page_and_lose_nobody(team: Team) -> None:
    for name in ("one", "two", "three"):
        await team.robin.post(f"{team.path}/sub-accounts", json={"name": name, "role": "member"})
        await team.invite(team.robin, f"{name}@example.com")
    for what, limit in (("members", 2), ("sub-accounts", 1), ("invites", 2)):
        whole = [one["id"] for one in (await team.robin.get(f"{team.path}/{what}")).json()["data"]]
        seen: list[str] = []
        following = f"{team.path}/{what}?limit={limit}"
        while following:
            body = (await team.robin.get(following)).json()
            assert len(body["data"]) <= limit
            seen += [one["id"] for one in body["data"]]
            following = body["_links"].get("next", {}).get("href")
        assert seen == whole, what
        for wrong in ("limit=0", "limit=201", "cursor=x", "account_id=x", "page=2"):
            assert (await team.robin.get(f"{team.path}/{what}?{wrong}")).status_code == 422, (what, wrong)
