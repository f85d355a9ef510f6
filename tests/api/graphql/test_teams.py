"""Teams and billing over GraphQL: the same refusals, events and shapes as over REST."""

import pytest_asyncio

from tests.api.graphql.asking import ask, granted
from tests.api.rest.mailbox import MailFolder
from tests.api.rest.v1.accounts.test_billing import DETAILS
from tests.support.teams import ANNA, MAX, SAM, Team, accept, make_team
from tests.support.world import OPERATOR, World

MEMBER = "id user { id email displayName } name role kind joinedAt twoFactor suspended withheld"
ROLE = "mutation($id: ID!, $role: String!) { updateMemberRole(id: $id, role: $role) { role } }"
REMOVE = "mutation($id: ID!) { removeMember(id: $id) { apiKeys popoutTokens effective } }"
BILLING = "mutation($d: BillingInput!) { updateBilling(details: $d) { payoutAccount city } }"


def camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)


@pytest_asyncio.fixture
async def team(world: World) -> Team:
    return await make_team(world)


async def test_a_team_s_day_over_graphql(team: Team, world: World) -> None:
    mail = MailFolder(world.house.settings.mail_dir)
    robin = team.robin
    invite = 'mutation { inviteMember(email: "sam@example.com", role: "admin") { id email role invitedBy } }'
    made = (await granted(robin, invite))["inviteMember"]
    assert (made["role"], made["invitedBy"]) == ("admin", OPERATOR)
    assert [one["id"] for one in (await granted(robin, "{ invitations { id } }"))["invitations"]] == [made["id"]]
    code = (await mail.newest_to(SAM)).get_content().split("/invite/")[1].split()[0]
    assert (await accept(team.sam, code)).status_code == 200
    listed = (await granted(robin, f"{{ members {{ {MEMBER} }} }}"))["members"]
    over_rest = (await robin.get(f"{team.path}/members")).json()["data"]
    assert [{camel(name) for name in one} for one in over_rest] == [set(one) for one in listed]
    assert [(one["id"], one["role"]) for one in over_rest] == [(one["id"], one["role"]) for one in listed]
    sub = 'mutation { createSubAccount(name: "ci", role: "member") { id name role } }'
    bot = (await granted(robin, sub))["createSubAccount"]["id"]
    for_bot = f'mutation {{ createApiKey(label: "ci", subAccountId: "{bot}") {{ apiKey {{ holder {{ name }} }} }} }}'
    assert (await granted(robin, for_bot))["createApiKey"]["apiKey"]["holder"]["name"] == "ci"
    gone = (await granted(robin, f'mutation {{ deleteSubAccount(id: "{bot}") {{ apiKeys }} }}'))["deleteSubAccount"]
    assert gone == {"apiKeys": 1}
    who = team.ids[ANNA]["member_id"]
    await world.mint_key(team.anna)
    plan = (await granted(robin, "query($id: ID!) { departure(id: $id) { apiKeys { label } } }", id=who))["departure"]
    assert [one["label"] for one in plan["apiKeys"]] == ["ci-github-actions"]
    assert (await granted(robin, REMOVE, id=who))["removeMember"]["apiKeys"] == 1
    events = {one["event"] for one in await world.log(robin)}
    assert {"member.removed", "invitation.created", "sub_account.created", "sub_account.deleted"} <= events


async def test_an_admin_makes_no_owner_by_any_mutation_or_alias_of_one(team: Team) -> None:
    before = await team.roles()
    mine, max_id = team.ids[ANNA]["member_id"], team.ids[MAX]["member_id"]
    robin_id = team.ids[OPERATOR]["member_id"]
    keep = f'a: updateMemberRole(id: "{max_id}", role: "member") {{ id }}'
    alias = f'mutation {{ {keep} b: updateMemberRole(id: "{max_id}", role: "owner") {{ id }} }}'
    for query in (
        f'mutation {{ updateMemberRole(id: "{mine}", role: "owner") {{ id }} }}',
        alias,
        'mutation { member: inviteMember(email: "new@example.com", role: "owner") { id } }',
        f'mutation {{ transferOwnership(memberId: "{mine}") {{ owner {{ id }} }} }}',
        f'mutation {{ updateMemberRole(id: "{robin_id}", role: "member") {{ id }} }}',
        f'mutation {{ removeMember(id: "{robin_id}") {{ id }} }}',
    ):
        answer = await ask(team.anna, query)
        codes = {one["extensions"]["code"] for one in answer["errors"]}
        assert codes == {"forbidden"}, query
    sub = await ask(team.anna, 'mutation { createSubAccount(name: "boss", role: "owner") { id } }')
    assert sub["errors"][0]["extensions"]["code"] == "validation_error"
    unknown = await ask(
        team.anna, 'mutation { inviteMember(email: "a@b.example", role: "member", account: "x") { id } }'
    )
    assert "data" not in unknown
    assert await team.roles() == before


async def test_a_role_changes_and_billing_is_kept_over_graphql(team: Team) -> None:
    who = team.ids[MAX]["member_id"]
    changed = await granted(team.robin, ROLE, id=who, role="admin")
    assert changed["updateMemberRole"]["role"] == "admin"
    details = {camel(name): value for name, value in DETAILS.items()}
    kept = (await granted(team.robin, BILLING, d=details))["updateBilling"]
    assert kept == {"payoutAccount": "••••3000", "city": "Köln"}
    assert (await granted(team.robin, "{ billing { taxId } }"))["billing"]["taxId"] == "••••789"
    wrong = await ask(team.robin, BILLING, d=details | {"country": "XX"})
    assert [one["field"] for one in wrong["errors"][0]["extensions"]["errors"]] == ["country"]
    refused = await ask(team.anna, "{ billing { city } }")
    assert refused["errors"][0]["extensions"]["code"] == "forbidden"
