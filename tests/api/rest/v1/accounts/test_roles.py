"""Who may give which role to whom, and what a key may do afterwards."""

from tests.api.rest.mailbox import MailFolder
from tests.support.developers import deploy, make_extension, publish
from tests.support.operators import feed
from tests.support.teams import ANNA, MAX, Team
from tests.support.world import OPERATOR, World


async def test_everybody_in_the_account_is_listed_with_role_and_kind(team: Team) -> None:
    for client in (team.robin, team.anna, team.max):
        answer = await client.get(f"{team.path}/members")
        assert answer.status_code == 200
        found = {one["user"]["email"]: (one["role"], one["kind"]) for one in answer.json()["data"]}
        assert found == {
            OPERATOR: ("owner", "person"), ANNA: ("admin", "person"), MAX: ("member", "person")
        }  # fmt: skip
        first = answer.json()["data"][0]
        assert set(first) == {
            "id",
            "user",
            "name",
            "role",
            "kind",
            "joined_at",
            "two_factor",
            "suspended",
            "withheld",
        }
    assert (await team.sam.get(f"{team.path}/members")).status_code == 404


async def test_a_demotion_takes_publishing_from_existing_keys_at_once_and_a_promotion_gives_it_back(
    team: Team, world: World
) -> None:
    key = world.bearer((await world.mint_key(team.anna))["key"])
    extension = await make_extension(key)
    for version, role, status in (("1.0.0", "admin", 200), ("1.1.0", "member", 403), ("1.2.0", "admin", 200)):
        changed = await team.robin.patch(team.member(ANNA), json={"role": role})
        assert (changed.status_code, changed.json()["data"]["role"]) == (200, role)
        made = await deploy(key, extension, version)
        assert (await publish(key, extension, made["id"])).status_code == status, role


async def test_a_change_of_role_is_recorded_mailed_and_in_the_feed(
    team: Team, world: World, mail: MailFolder
) -> None:
    assert (await team.robin.patch(team.member(ANNA), json={"role": "member"})).status_code == 200
    (event,) = await world.log(team.robin, event="member.role_changed")
    assert (event["actor"], event["result"], event["target"]["id"]) == (
        OPERATOR, "success", team.ids[ANNA]["member_id"]
    )  # fmt: skip
    assert "Member" in (await mail.newest_to(ANNA)).get_content()
    assert (await feed(world))[-1] == ("role", f"{team.account_id},{team.ids[ANNA]['user_id']}", "changed")


async def test_only_an_owner_makes_changes_or_removes_an_owner(team: Team) -> None:
    before = await team.roles()
    for client in (team.anna, team.max):
        for target in (ANNA, MAX, OPERATOR):
            assert (await client.patch(team.member(target), json={"role": "owner"})).status_code == 403
        assert (await client.patch(team.member(OPERATOR), json={"role": "member"})).status_code == 403
        assert (await client.delete(team.member(OPERATOR))).status_code == 403
        for heir in (ANNA, MAX):
            body = {"member_id": team.ids[heir]["member_id"]}
            assert (await client.post(f"{team.path}/transfer", json=body)).status_code == 403
    assert await team.roles() == before


async def test_an_admin_acts_on_admins_and_members_and_no_higher(team: Team) -> None:
    assert (await team.anna.patch(team.member(MAX), json={"role": "admin"})).status_code == 200
    assert (await team.anna.patch(team.member(MAX), json={"role": "member"})).status_code == 200
    assert (await team.anna.patch(team.member(ANNA), json={"role": "member"})).status_code == 200
    assert (await team.anna.patch(team.member(MAX), json={"role": "admin"})).status_code == 403
    assert (await team.roles())[MAX] == "member"


async def test_the_last_owner_can_neither_step_down_nor_leave_nor_be_removed(team: Team, world: World) -> None:
    for answer in (
        await team.robin.patch(team.member(OPERATOR), json={"role": "admin"}),
        await team.robin.delete(team.member(OPERATOR)),
        await team.robin.delete(f"{team.path}/members/me"),
    ):
        assert (answer.status_code, answer.json()["code"]) == (409, "conflict")
        assert "needs an Owner" in answer.json()["detail"]
    assert (await team.roles())[OPERATOR] == "owner"
    failures = [one for one in await world.log(team.robin, result="failure") if one["event"].startswith("member.")]
    assert len(failures) == 3


async def test_a_suspended_owner_does_not_count_as_the_one_who_remains(team: Team, world: World) -> None:
    assert (await team.robin.patch(team.member(ANNA), json={"role": "owner"})).status_code == 200
    suspended = await team.robin.patch(f"/v1/admin/users/{team.ids[ANNA]['user_id']}", json={"suspended": True})
    assert suspended.status_code == 200
    assert (await team.robin.delete(f"{team.path}/members/me")).status_code == 409
    assert (await team.roles())[OPERATOR] == "owner"


async def test_a_transfer_makes_the_other_owner_and_oneself_admin(team: Team, world: World, mail: MailFolder) -> None:
    for wrong in ("unknown", team.ids[OPERATOR]["member_id"]):
        answer = await team.robin.post(f"{team.path}/transfer", json={"member_id": wrong})
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "member_id")
    answer = await team.robin.post(f"{team.path}/transfer", json={"member_id": team.ids[MAX]["member_id"]})
    assert answer.status_code == 200, answer.text
    data = answer.json()["data"]
    assert (data["owner"]["role"], data["former"]["role"]) == ("owner", "admin")
    assert await team.roles() == {OPERATOR: "admin", ANNA: "admin", MAX: "owner"}
    for address in (OPERATOR, MAX):
        assert "ownership" in (await mail.newest_to(address))["Subject"]
    assert [one["result"] for one in await world.log(team.max, event="ownership.transferred")][:1] == ["success"]
    assert (await team.robin.get(f"{team.path}/billing")).status_code == 403
    assert (await team.max.get(f"{team.path}/billing")).status_code == 200


async def test_a_change_of_role_needs_a_person_who_has_just_proven_who_they_are(team: Team, world: World) -> None:
    key = world.bearer((await world.mint_key(team.robin))["key"])
    for method, path, body in (
        ("PATCH", team.member(MAX), {"role": "admin"}),
        ("DELETE", team.member(MAX), None),
        ("DELETE", f"{team.path}/members/me", None),
        ("POST", f"{team.path}/invites", {"email": "new@example.com", "role": "member"}),
        ("POST", f"{team.path}/sub-accounts", {"name": "ci", "role": "member"}),
        ("POST", f"{team.path}/transfer", {"member_id": team.ids[MAX]["member_id"]}),
        ("PUT", f"{team.path}/billing", {}),
        ("DELETE", team.path, None),
    ):
        answer = await key.request(method, path, json=body)
        assert (answer.status_code, answer.json()["code"]) == (403, "step_up_required"), path
    assert (await team.roles())[MAX] == "member"


async def test_a_role_that_does_not_exist_is_refused_by_name(team: Team) -> None:
    for role in ("Owner", "", "superuser", None, 7, ["owner"]):
        answer = await team.robin.patch(team.member(MAX), json={"role": role})
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "role"), role
