"""What a restore left in doubt gives nobody a right, on any way, until the one who may confirms it."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import httpx2
import pytest
from sqlalchemy import update

from lumio.accounts.store import AccountStore
from lumio.accounts.store.tables import accounts
from lumio.accounts.store.withheld import WithheldStore
from lumio.accounts.withholding import Withholding
from lumio.authority.subjects import Subject
from lumio.kernel import clock
from lumio.kernel.errors import NotFound
from tests.api.graphql.asking import granted
from tests.api.rest.mailbox import code as invitation_code
from tests.support import popouts, teams
from tests.support.operators import feed
from tests.support.teams import ANNA, MAX, SAM, Team, accept
from tests.support.world import OPERATOR, PASSWORD, World

PAGE = "/dashboard/account/team"


def role(team: Team, who: str) -> Subject:
    return Subject("role", f"{team.account_id},{team.ids[who]['user_id']}")


async def withhold(team: Team, *subjects: Subject) -> None:
    await teams.withhold(team.world.house, *subjects)


async def statuses(clients: Sequence[httpx2.AsyncClient]) -> list[int]:
    return [(await client.get("/v1/users/me")).status_code for client in clients]


async def confirm(client: httpx2.AsyncClient, team: Team, who: str) -> httpx2.Response:
    return await client.post(f"{team.member(who)}/confirm")


async def shown(team: Team, who: str) -> Any:
    listed = (await team.robin.get(f"{team.path}/members")).json()["data"]
    return next(one["withheld"] for one in listed if one["user"] and one["user"]["email"] == who)


async def test_key_popout_and_session_of_a_withheld_member_are_refused_until_somebody_confirms(
    world: World, team: Team
) -> None:
    key = world.bearer((await world.mint_key(team.anna))["key"])
    popout = popouts.carrying(world, (await popouts.mint(team.anna, "members:read"))["token"])
    page = await world.page_client(ANNA)
    await withhold(team, role(team, ANNA))
    assert await statuses([team.anna, key]) == [401, 401]
    assert (await popout.get("/v1/tokens/me")).status_code == 401
    assert (await page.get(PAGE)).status_code == 303
    assert await shown(team, ANNA) == "owner"
    answer = await confirm(team.robin, team, ANNA)
    assert (answer.status_code, answer.json()["data"]["withheld"]) == (200, None)
    assert await statuses([team.anna, key]) == [200, 200]
    assert (await popout.get("/v1/tokens/me")).status_code == 200
    (withheld,) = await world.log(team.robin, event="member.withheld")
    (confirmed,) = await world.log(team.robin, event="member.confirmed")
    assert (withheld["actor"], confirmed["actor"]) == ("lumio", OPERATOR)
    assert {one["target"]["id"] for one in (withheld, confirmed)} == {team.ids[ANNA]["member_id"]}


async def test_nobody_signs_in_to_a_withheld_place_or_switches_to_it(world: World, team: Team) -> None:
    store, user_id = AccountStore(world.house.database.hot), team.ids[SAM]["user_id"]
    await world.house.units.run(lambda unit: store.add_member(unit, team.account_id, user_id, "member"))
    await withhold(team, role(team, MAX), role(team, SAM))
    body = {"email": MAX, "password": PASSWORD}
    answer = await world.anonymous().post("/v1/auth/login", json=body)
    assert (answer.status_code, "withheld" in answer.json()["detail"]) == (403, True)
    wrong = await world.anonymous().post("/v1/auth/login", json={**body, "password": "violet-otter-sings-8-times"})
    assert wrong.status_code == 401
    sam = await world.sign_in(SAM)
    assert await world.account_id(sam) == team.ids[SAM]["account_id"]
    assert (await sam.post(f"{team.path}/activate")).status_code == 403
    await confirm(team.robin, team, MAX)
    assert await world.account_id(await world.sign_in(MAX)) == team.account_id


async def test_who_belongs_nowhere_and_is_withheld_gets_no_account_of_their_own(world: World, team: Team) -> None:
    closing = update(accounts).where(accounts.c.id == team.ids[SAM]["account_id"]).values(closed_at=clock.now())
    await world.house.units.run(lambda unit: unit.execute(closing))
    person, body = Subject("user", team.ids[SAM]["user_id"]), {"email": SAM, "password": PASSWORD}
    await withhold(team, person)
    answer = await world.anonymous().post("/v1/auth/login", json=body)
    assert (answer.status_code, "withheld" in answer.json()["detail"]) == (403, True)
    await teams.confirm_as_operator(world.house, person)
    assert (await world.anonymous().post("/v1/auth/login", json=body)).status_code == 200


async def test_only_who_may_change_the_role_confirms_it_with_a_fresh_proof(
    world: World, team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = world.bearer((await world.mint_key(team.robin))["key"])
    assert (await confirm(team.robin, team, MAX)).status_code == 409  # it is not withheld
    await withhold(team, role(team, MAX))
    assert (await confirm(team.sam, team, MAX)).status_code == 404
    assert (await confirm(team.max, team, MAX)).status_code == 401
    assert (await team.robin.post(f"{team.path}/members/nobody/confirm")).status_code == 404
    assert (await confirm(key, team, MAX)).json()["code"] == "step_up_required"
    with monkeypatch.context() as later:
        moment = clock.now() + timedelta(minutes=11)
        later.setattr(clock, "now", lambda: moment)
        assert (await confirm(team.robin, team, MAX)).json()["code"] == "step_up_required"
    await withhold(team, role(team, OPERATOR))
    assert (await confirm(team.anna, team, OPERATOR)).status_code == 403  # above an Admin
    assert (await confirm(team.anna, team, MAX)).status_code == 200


async def test_what_the_operator_decided_only_the_operator_confirms(world: World, team: Team) -> None:
    person, account = Subject("user", team.ids[MAX]["user_id"]), Subject("account", team.account_id)
    await withhold(team, person, role(team, MAX))
    assert (await statuses([team.max]), await shown(team, MAX)) == ([401], "operator")
    listed = await world.house.units.read(Withholding(WithheldStore()).all)
    assert [[member.name for member in one.members] for one in listed] == [[MAX], [MAX]]
    answer = await confirm(team.robin, team, MAX)
    assert (answer.status_code, "operat" in answer.json()["detail"]) == (409, True)
    await teams.confirm_as_operator(world.house, person)
    assert await shown(team, MAX) == "owner"
    assert (await confirm(team.robin, team, MAX)).status_code == 200
    assert await statuses([team.max]) == [200]
    key = world.bearer((await world.mint_key(team.robin))["key"])
    await withhold(team, account)
    assert await statuses([team.robin, team.anna, team.max, key, team.sam]) == [401, 401, 401, 401, 200]
    (one,) = await world.house.units.read(Withholding(WithheldStore()).all)
    assert [member.name for member in one.members] == [OPERATOR, ANNA, MAX]


async def test_a_withheld_owner_counts_as_none_and_keys_of_others_fall_with_a_withheld_maker(
    world: World, team: Team
) -> None:
    made = await team.anna.post(f"{team.path}/sub-accounts", json={"name": "ci", "role": "member"})
    bot, body = made.json()["data"]["id"], {"label": "a", "sub_account_id": made.json()["data"]["id"]}
    answers = [await who.post("/v1/api-keys", json=body) for who in (team.anna, team.robin)]
    keys = [world.bearer(answer.json()["data"]["key"]) for answer in answers]
    assert (await team.robin.patch(team.member(ANNA), json={"role": "owner"})).status_code == 200
    await withhold(team, role(team, ANNA))
    assert await statuses(keys) == [401, 200]
    leaving = await team.robin.delete(f"{team.path}/members/me")
    assert (leaving.status_code, "needs an Owner" in leaving.json()["detail"]) == (409, True)
    heir = await team.robin.post(f"{team.path}/transfer", json={"member_id": team.ids[ANNA]["member_id"]})
    assert heir.status_code == 422
    await confirm(team.robin, team, ANNA)
    await withhold(team, Subject("role", f"{team.account_id},{bot}"))
    assert await statuses(keys) == [401, 401]
    assert (await team.robin.get(f"{team.path}/sub-accounts")).json()["data"][0]["withheld"] == "owner"
    assert (await team.robin.post(f"{team.path}/members/{bot}/confirm")).status_code == 200
    assert await statuses(keys) == [200, 200]


async def test_who_joins_again_on_an_invitation_that_the_restore_reopened_is_withheld_too(
    world: World, team: Team, mail: Any
) -> None:
    code = await team.invited(mail, SAM)
    await withhold(team, role(team, SAM))  # they had joined, and were removed: both is lost
    assert (await accept(team.sam, code)).status_code == 200
    assert await shown(team, SAM) == "owner"
    sam = await world.sign_in(SAM)
    assert (await sam.post(f"{team.path}/activate")).status_code == 403


async def test_an_invitation_by_somebody_who_is_withheld_lets_nobody_in(world: World, team: Team, mail: Any) -> None:
    assert (await team.invite(team.anna, SAM)).status_code == 201
    code = invitation_code(await mail.newest_to(SAM, 1))
    await withhold(team, role(team, ANNA))
    refused = await accept(team.sam, code)
    assert (refused.status_code, "may not invite any more" in refused.json()["detail"]) == (403, True)
    await confirm(team.robin, team, ANNA)
    assert (await accept(team.sam, code)).status_code == 200


async def test_a_confirmation_stands_in_the_log_and_in_the_feed_whoever_gave_it(world: World, team: Team) -> None:
    anna, max_ = role(team, ANNA), role(team, MAX)
    await withhold(team, anna, max_)
    await withhold(team, max_)  # a second replay finds it withheld already
    await confirm(team.robin, team, ANNA)
    assert (await feed(world))[-1] == ("role", anna.id, "changed")
    await teams.confirm_as_operator(world.house, max_)
    assert (await feed(world))[-1] == ("role", max_.id, "changed")
    told = {one["target"]["id"]: one for one in await world.log(team.robin, event="member.confirmed")}
    by_operator = told[team.ids[MAX]["member_id"]]
    assert (by_operator["actor"], by_operator["detail"]) == ("lumio", {"by": "operator"})
    assert told[team.ids[ANNA]["member_id"]]["actor"] == OPERATOR
    with pytest.raises(NotFound, match="withheld"):
        await teams.confirm_as_operator(world.house, max_)


async def test_the_page_and_graphql_say_and_do_the_same(world: World, team: Team) -> None:
    page = await world.page_client()
    before = (await page.get(PAGE)).text
    assert ("Withheld" in before, f'<option value="{team.ids[ANNA]["member_id"]}"' in before) == (False, True)
    await withhold(team, role(team, ANNA), Subject("user", team.ids[MAX]["user_id"]))
    text = (await page.get(PAGE)).text
    assert text.count("Withheld until confirmed") == text.count("Withheld by the operator") == 1
    assert text.count('data-action="confirm"') == 1
    assert "hand-over" not in text, "nobody is left to hand the ownership over to"
    assert ">2</span> member(s) had their place changed" in text
    member = team.ids[ANNA]["member_id"]
    listed = (await granted(team.robin, "{ members { id withheld } }"))["members"]
    assert {one["id"]: one["withheld"] for one in listed}[member] == "owner"
    query = "mutation($id: ID!) { confirmMember(memberId: $id) { id role withheld } }"
    changed = (await granted(team.robin, query, id=member))["confirmMember"]
    assert changed == {"id": member, "role": "admin", "withheld": None}
    assert await statuses([team.anna, team.max]) == [200, 401]
