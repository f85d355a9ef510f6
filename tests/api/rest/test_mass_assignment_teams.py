"""Threat 12 for teams and billing: no column of any table can be set by naming it in a body."""

from typing import Any

from tests.api.rest.mailbox import MailFolder
from tests.api.rest.outward import fields
from tests.api.rest.test_isolation_teams import state
from tests.api.rest.test_mass_assignment import columns
from tests.support.teams import MAX, SAM, make_team
from tests.support.world import World


async def test_no_write_of_a_team_takes_a_field_that_is_not_its_own(world: World, mail: MailFolder) -> None:
    team = await make_team(world)
    invitation = await team.invited(mail, SAM)
    bot = await team.robin.post(f"{team.path}/sub-accounts", json={"name": "ci", "role": "member"})
    billing = {
        "legal_name": "A", "address_line1": "B", "address_line2": "", "city": "C", "postal_code": "D", "region": "",
        "country": "DE", "currency": "EUR", "payout_method": "paypal", "payout_account": "a@example.com",
        "tax_id": "12345",
    }  # fmt: skip
    writes: list[tuple[str, str, dict[str, Any]]] = [
        ("POST", "/v1/accounts", {"name": "Mine"}),
        ("PATCH", team.path, {"name": "Mine"}),
        ("POST", f"{team.path}/transfer", {"member_id": team.ids[MAX]["member_id"]}),
        ("PATCH", team.member(MAX), {"role": "admin"}),
        ("POST", f"{team.path}/invites", {"email": "kim@example.com", "role": "member"}),
        ("POST", f"{team.path}/sub-accounts", {"name": "other", "role": "member"}),
        ("PUT", f"{team.path}/billing", billing),
        ("POST", f"{team.path}/activate", {}),
        ("DELETE", team.member(MAX), {}),
        ("DELETE", f"{team.path}/sub-accounts/{bot.json()['data']['id']}", {}),
        ("DELETE", team.path, {}),
        ("POST", f"/v1/invites/{invitation}/accept", {}),
    ]
    before = await state(world)
    wrong = []
    for method, path, body in writes:
        client = team.sam if path.startswith("/v1/invites") else team.robin
        for name in sorted((columns() | {"member_id", "account_id", "id"}) - set(body)):
            answer = await client.request(method, path, json={**body, name: "owner"})
            if answer.status_code != 422 or (body and list(fields(answer)) != [name]):
                wrong.append((method, path, name, answer.status_code))
    assert wrong == []
    assert await state(world) == before
