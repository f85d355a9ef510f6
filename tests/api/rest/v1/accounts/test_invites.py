"""An invitation works once, for one address, with the role that it was made with, while its maker may invite."""

import asyncio
from datetime import timedelta

import pytest

from lumio.crypto import opaque
from lumio.kernel import clock
from tests.api.rest.mailbox import MailFolder, links
from tests.api.rest.outward import change as behind
from tests.api.rest.outward import count, rows, seen
from tests.support.teams import ANNA, MAX, SAM, Team, accept
from tests.support.world import OPERATOR, PUBLIC, World


async def test_an_invitation_is_mailed_accepted_once_and_recorded(team: Team, world: World, mail: MailFolder) -> None:
    answer = await team.invite(team.anna, SAM, "admin")
    assert answer.status_code == 201, answer.text
    made = answer.json()["data"]
    assert set(made) == {"id", "email", "role", "invited_by", "created_at", "expires_at"}
    assert [one["id"] for one in (await team.anna.get(f"{team.path}/invites")).json()["data"]] == [made["id"]]
    link = links(await mail.newest_to(SAM))[0]
    assert link.startswith(f"{PUBLIC}/invite/{opaque.INVITATION}")
    code = link.rpartition("/")[2]
    assert code not in answer.text
    joined = await accept(team.sam, code)
    assert (joined.status_code, joined.json()["data"]["role"]) == (200, "admin")
    assert code not in joined.text
    assert (await team.roles())[SAM] == "admin"
    assert (await accept(team.sam, code)).status_code == 404
    assert (await team.anna.get(f"{team.path}/invites")).json()["data"] == []
    told = {one["event"]: one["actor"] for one in await world.log(team.robin)}
    assert told["invitation.created"] == ANNA
    assert told["invitation.accepted"] == told["member.joined"] == SAM
    assert (await world.account_id(team.sam)) != team.account_id


async def test_an_owner_is_never_invited_by_anybody(team: Team) -> None:
    for client in (team.robin, team.anna):
        answer = await team.invite(client, SAM, "owner")
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    assert (await team.robin.get(f"{team.path}/invites")).json()["data"] == []
    assert (await team.invite(team.max, SAM, "member")).status_code == 403


async def test_the_role_was_fixed_when_the_invitation_was_made(team: Team, mail: MailFolder) -> None:
    code = await team.invited(mail, SAM)
    for body in ({"role": "owner"}, {"role": "admin"}, {"account_id": team.account_id}, {"email": MAX}):
        answer = await team.sam.post(f"/v1/invites/{code}/accept", json=body)
        assert answer.status_code == 422, body
    for edited in (code[:-1], code[:20] + code[20:].swapcase(), opaque.mint(opaque.INVITATION).text):
        assert (await accept(team.sam, edited)).status_code in {404, 422}
    assert SAM not in await team.roles()
    assert (await accept(team.sam, code)).json()["data"]["role"] == "member"


async def test_another_address_cannot_accept_and_the_team_reads_of_it(
    team: Team, world: World, mail: MailFolder
) -> None:
    code = await team.invited(mail, "kim@example.com")
    answer = await accept(team.sam, code)
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    assert "kim@example.com" not in answer.text
    (event,) = await world.log(team.robin, event="invitation.accepted")
    assert (event["result"], event["actor"]) == ("failure", SAM)
    await world.new_person("kim@example.com")
    kim = await world.sign_in("kim@example.com")
    assert (await accept(kim, code)).status_code == 200


async def test_an_address_is_the_same_in_every_spelling(team: Team, mail: MailFolder) -> None:
    answer = await team.invite(team.robin, "Sam@Example.com")
    assert answer.status_code == 201
    code = links(await mail.newest_to("Sam@Example.com"))[0].rpartition("/")[2]
    assert (await accept(team.sam, code)).status_code == 200


@pytest.mark.parametrize("what", ["demoted", "removed", "suspended", "left"])
async def test_the_inviter_s_right_is_asked_again_at_acceptance(
    team: Team, world: World, mail: MailFolder, what: str
) -> None:
    assert (await team.invite(team.anna, SAM, "member")).status_code == 201
    code = links(await mail.newest_to(SAM))[0].rpartition("/")[2]
    if what == "demoted":
        await team.robin.patch(team.member(ANNA), json={"role": "member"})
    elif what == "removed":
        await team.robin.delete(team.member(ANNA))
    elif what == "left":
        await team.anna.delete(f"{team.path}/members/me")
    else:
        await team.robin.patch(f"/v1/admin/users/{team.ids[ANNA]['user_id']}", json={"suspended": True})
    answer = await accept(team.sam, code)
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    assert SAM not in await team.roles()
    failures = [one for one in await world.log(team.robin, event="invitation.accepted") if one["actor"] == SAM]
    assert [one["result"] for one in failures] == ["failure"]


async def test_an_invitation_to_a_role_above_the_inviter_s_present_one_is_refused(
    team: Team, world: World, mail: MailFolder
) -> None:
    assert (await team.invite(team.anna, SAM, "member")).status_code == 201
    code = links(await mail.newest_to(SAM))[0].rpartition("/")[2]
    await behind(world, "UPDATE invitation SET role = 'owner'")
    assert (await accept(team.sam, code)).status_code == 403
    assert SAM not in await team.roles()


async def test_an_invitation_ends_after_seven_days_and_when_it_is_withdrawn(
    team: Team, world: World, mail: MailFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = await team.invited(mail, SAM)
    (row,) = await rows(world, "SELECT created_at, expires_at FROM invitation")
    assert row["expires_at"] - row["created_at"] == pytest.approx(7 * 86400 * 10**6, abs=10**6)
    second = await team.invited(mail, SAM, count=2)
    refused = await accept(team.sam, first)
    (open_one,) = (await team.robin.get(f"{team.path}/invites")).json()["data"]
    assert (await team.max.delete(f"{team.path}/invites/{open_one['id']}")).status_code == 403
    assert (await team.robin.delete(f"{team.path}/invites/{open_one['id']}")).status_code == 200
    assert (await team.robin.delete(f"{team.path}/invites/{open_one['id']}")).status_code == 404
    third = await team.invited(mail, SAM, count=3)
    await behind(world, "UPDATE invitation SET expires_at = :now", now=clock.to_micros(clock.now() - timedelta(1)))
    bodies = {str(seen(await accept(team.sam, one))).replace(one, "code") for one in (first, second, third)}
    assert len(bodies) == 1
    assert refused.status_code == 404
    assert SAM not in await team.roles()


async def test_two_acceptances_at_once_make_one_member(team: Team, world: World, mail: MailFolder) -> None:
    code = await team.invited(mail, SAM)
    again = await world.sign_in(SAM)
    answers = await asyncio.gather(*(accept(client, code) for client in (team.sam, again) * 5))
    assert min(one.status_code for one in answers) == 200
    assert sum(one.status_code == 200 for one in answers) == 1
    mine = "SELECT count(*) FROM member WHERE account_id = :id AND user_id = :user"
    assert await count(world, mine, id=team.account_id, user=team.ids[SAM]["user_id"]) == 1


async def test_who_is_in_the_account_is_not_invited_again(team: Team) -> None:
    for email in (MAX, "MAX@example.com", OPERATOR):
        answer = await team.invite(team.anna, email)
        assert (answer.status_code, answer.json()["code"]) == (409, "conflict")


async def test_nobody_s_mail_box_is_flooded(team: Team) -> None:
    answers = [await team.invite(team.robin, SAM) for _ in range(6)]
    assert [one.status_code for one in answers] == [201] * 5 + [429]
    assert int(answers[-1].headers["Retry-After"]) > 0
    assert len((await team.robin.get(f"{team.path}/invites")).json()["data"]) == 1


async def test_a_program_s_key_cannot_accept(team: Team, world: World, mail: MailFolder) -> None:
    code = await team.invited(mail, SAM)
    key = world.bearer((await world.mint_key(team.sam))["key"])
    assert (await accept(key, code)).status_code == 403
    assert (await accept(world.anonymous(), code)).status_code == 401


async def test_an_address_that_is_none_is_refused_by_name(team: Team) -> None:
    for email in ("", "nobody", "a@b@c", "sam@example.com\n", "sam@exämple.com", None):
        answer = await team.robin.post(f"{team.path}/invites", json={"email": email, "role": "member"})
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "email"), email
