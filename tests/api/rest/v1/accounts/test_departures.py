"""What somebody leaves behind is shown before, and ends with them in one step."""

from typing import Any

import httpx2
import pytest

from lumio.keys.service import Keys
from lumio.popouts.service import Popouts
from tests.api.rest.mailbox import MailFolder
from tests.api.rest.outward import count
from tests.support.operators import feed
from tests.support.teams import ANNA, MAX, Team
from tests.support.world import OPERATOR, World

POPOUT = {"label": "stream-overlay", "permissions": ["extensions:read"]}


async def popout(client: httpx2.AsyncClient, **more: str) -> dict[str, Any]:
    answer = await client.post("/v1/tokens", json={**POPOUT, **more})
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()["data"]
    return made


async def alive(world: World, made: dict[str, Any]) -> bool:
    """Tell whether a key or a popout token is still accepted."""
    if "key" in made:
        answer = await world.bearer(made["key"]).get("/v1/users/me")
    else:
        answer = await world.anonymous().get("/v1/tokens/me", params={"token": made["token"]})
    assert answer.status_code in {200, 401}, answer.text
    return answer.status_code == 200


async def test_the_plan_shows_everything_that_the_removal_ends_and_when_it_was_used(team: Team, world: World) -> None:
    own, others = await world.mint_key(team.max, "ci-max"), await world.mint_key(team.robin, "robins")
    made = await popout(team.max)
    await world.bearer(own["key"], "198.51.100.9").get("/v1/users/me")
    for seconds, work in world.house.chores._chores:
        if seconds == 5:
            await work()
    plan = (await team.robin.get(f"{team.member(MAX)}/departure")).json()["data"]
    assert plan["member"]["user"]["email"] == MAX
    assert [one["id"] for one in plan["api_keys"]] == [own["id"]]
    assert {"label", "lookup_id", "last_used_at", "last_used_ip"} <= set(plan["api_keys"][0])
    assert [one["id"] for one in plan["popout_tokens"]] == [made["id"]]
    assert (plan["api_keys"][0]["last_used_ip"], "key" in plan["api_keys"][0]) == ("198.51.100.9", False)

    answer = await team.robin.delete(team.member(MAX))
    assert answer.status_code == 200, answer.text
    told = answer.json()["data"]
    assert (told["api_keys"], told["popout_tokens"], told["effective"]) == (1, 1, True)
    assert [await alive(world, one) for one in (own, made, others)] == [False, False, True]
    assert (await team.max.get("/v1/users/me")).status_code == 401
    assert MAX not in await team.roles()


async def test_a_removal_records_an_event_for_each_thing_that_ends_and_writes_the_feed(
    team: Team, world: World, mail: MailFolder
) -> None:
    keys = [await world.mint_key(team.max, f"ci-{number}") for number in range(2)]
    made = await popout(team.max)
    await team.robin.delete(team.member(MAX))
    log = await world.log(team.robin)
    revoked = {one["target"]["id"] for one in log if one["event"] == "api_key.revoked"}
    assert revoked == {one["id"] for one in keys}
    assert [one["target"]["id"] for one in log if one["event"] == "popout_token.revoked"] == [made["id"]]
    (removed,) = [one for one in log if one["event"] == "member.removed"]
    assert (removed["actor"], removed["result"]) == (OPERATOR, "success")
    written = await feed(world)
    assert {("key", one["id"], "ended") for one in keys} | {("popout", made["id"], "ended")} <= set(written)
    assert written[-1] == ("role", f"{team.account_id},{team.ids[MAX]['user_id']}", "changed")
    assert "no longer in" in (await mail.newest_to(MAX))["Subject"]


@pytest.mark.parametrize("broken", ["keys", "popouts"])
async def test_a_removal_that_breaks_half_way_removes_nobody_and_ends_nothing(
    team: Team, world: World, broken: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    own, made = await world.mint_key(team.max), await popout(team.max)
    before = await team.roles()

    async def fail(*_: object) -> None:
        raise RuntimeError("broken on purpose")

    monkeypatch.setattr(Keys if broken == "keys" else Popouts, "end", fail)
    assert (await team.robin.delete(team.member(MAX))).status_code == 500
    assert await team.roles() == before
    assert [await alive(world, one) for one in (own, made)] == [True, True]


async def test_whoever_leaves_takes_everything_along_and_can_sign_in_again(team: Team, world: World) -> None:
    own = await world.mint_key(team.max)
    mine = await team.max.get(f"{team.member(MAX)}/departure")
    assert [one["id"] for one in mine.json()["data"]["api_keys"]] == [own["id"]]
    assert (await team.max.get(f"{team.member(ANNA)}/departure")).status_code == 403
    answer = await team.max.delete(f"{team.path}/members/me")
    assert (answer.status_code, answer.json()["data"]["api_keys"]) == (200, 1)
    assert not await alive(world, own)
    assert (await team.max.get("/v1/users/me")).status_code == 401
    again = await world.sign_in(MAX)
    home = (await again.get("/v1/users/me")).json()["data"]
    assert (home["account"]["name"], home["role"]) == ("Max’s account", "owner")
    (left,) = await world.log(team.robin, event="member.left")
    assert (left["actor"], left["result"]) == (MAX, "success")


async def test_whoever_comes_back_finds_nothing_of_what_ended(team: Team, world: World, mail: MailFolder) -> None:
    own = await world.mint_key(team.max)
    await team.robin.delete(team.member(MAX))
    invitation = await team.invited(mail, MAX, count=2)
    back = await world.sign_in(MAX)
    assert (await back.post(f"/v1/invites/{invitation}/accept")).status_code == 200
    assert not await alive(world, own)
    assert (await team.max.get("/v1/users/me")).status_code == 401
    live = "SELECT count(*) FROM api_key WHERE revoked_at IS NULL AND account_id = :id"
    assert await count(world, live, id=team.account_id) == 0


async def test_a_popout_token_ends_with_its_maker_and_with_the_member_that_it_was_bound_to(
    team: Team, world: World
) -> None:
    bound = await popout(team.anna, member_id=team.ids[MAX]["member_id"])
    for_robin = await popout(team.robin)
    plan = (await team.robin.get(f"{team.member(ANNA)}/departure")).json()["data"]
    assert [one["id"] for one in plan["popout_tokens"]] == [bound["id"]]
    await team.robin.delete(team.member(MAX))
    assert [await alive(world, one) for one in (bound, for_robin)] == [False, True]


async def test_nobody_of_another_account_sees_a_plan_or_removes_anybody(team: Team) -> None:
    for method, path in (
        ("GET", f"{team.member(MAX)}/departure"),
        ("DELETE", team.member(MAX)),
        ("PATCH", team.member(MAX)),
        ("DELETE", f"{team.path}/members/me"),
    ):
        answer = await team.sam.request(method, path, json={"role": "member"} if method == "PATCH" else None)
        assert answer.status_code == 404, (method, path)
    own = (await team.sam.get("/v1/users/me")).json()["data"]["account"]["id"]
    assert (await team.sam.delete(f"/v1/accounts/{own}/members/{team.ids[MAX]['member_id']}")).status_code == 404
    assert (await team.roles())[MAX] == "member"
