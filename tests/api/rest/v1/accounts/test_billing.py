"""Billing details: for Owners, validated by name, sealed in the database, shown masked."""

from typing import Any

from tests.api.rest.outward import fields, rows
from tests.support.teams import Team
from tests.support.world import World

IBAN, TAX = "DE89 3704 0044 0532 0130 00", "DE 123 456 789"
DETAILS: dict[str, Any] = {
    "legal_name": "Acme Overlays GmbH", "address_line1": "Lange Straße 1", "address_line2": "", "city": "Köln",
    "postal_code": "50667", "region": "", "country": "DE", "currency": "EUR", "tax_id": TAX,
    "payout_method": "bank_transfer", "payout_account": IBAN,
}  # fmt: skip


async def test_an_owner_writes_and_reads_masked_and_the_database_has_it_sealed(team: Team, world: World) -> None:
    path = f"{team.path}/billing"
    empty = (await team.robin.get(path)).json()["data"]
    assert set(empty.values()) == {None}
    answer = await team.robin.put(path, json=DETAILS)
    assert answer.status_code == 200, answer.text
    shown = (await team.robin.get(path)).json()["data"]
    masked = {"tax_id": "••••789", "payout_account": "••••3000"}
    assert {name: shown[name] for name in DETAILS} == DETAILS | masked
    assert TAX not in answer.text
    (row,) = await rows(world, "SELECT sealed FROM billing")
    for secret in (IBAN, IBAN.replace(" ", ""), TAX, "Acme"):
        assert secret.encode() not in bytes(row["sealed"])


async def test_a_secret_that_is_left_out_stays_and_the_log_names_fields_only(team: Team, world: World) -> None:
    path = f"{team.path}/billing"
    await team.robin.put(path, json=DETAILS)
    kept = {name: value for name, value in DETAILS.items() if name not in {"tax_id", "payout_account"}}
    answer = await team.robin.put(path, json={**kept, "city": "Bonn"})
    assert answer.json()["data"]["payout_account"] == "••••3000"
    assert (await team.robin.put(path, json={**kept, "tax_id": None})).json()["data"]["tax_id"] is None
    newest, before, first = await world.log(team.robin, event="billing.updated")
    assert {one["result"] for one in (newest, before, first)} == {"success"}
    stored = [row["detail"] for row in await rows(world, "SELECT detail FROM audit_event")]
    assert any('"city"' in (detail or "") for detail in stored)
    assert not any("Bonn" in (detail or "") or "3000" in (detail or "") for detail in stored)


async def test_nobody_but_an_owner_reads_or_writes(team: Team, world: World) -> None:
    path = f"{team.path}/billing"
    await team.robin.put(path, json=DETAILS)
    keys = [world.bearer((await world.mint_key(client))["key"]) for client in (team.anna, team.max)]
    for client in (team.anna, team.max, *keys):
        assert (await client.get(path)).status_code == 403
        assert (await client.put(path, json=DETAILS | {"city": "Bonn"})).status_code == 403
    assert (await team.sam.get(path)).status_code == 404
    assert (await team.sam.put(path, json=DETAILS)).status_code == 404
    assert (await team.robin.get(path)).json()["data"]["city"] == "Köln"


async def test_what_breaks_a_rule_is_named_and_changes_nothing(team: Team) -> None:
    path = f"{team.path}/billing"
    wrong: tuple[tuple[str, object], ...] = (
        ("payout_account", "DE89 3704 0044 0532 0130 01"), ("payout_account", "sam@example.com"),
        ("payout_account", ""), ("country", "XX"), ("country", "de"), ("currency", "XYZ"), ("tax_id", "!"),
        ("tax_id", "1\n23456"), ("legal_name", " "), ("legal_name", "a\u202eb"), ("city", "x" * 121),
        ("payout_method", "cash"), ("postal_code", None), ("vat", "1"), ("account_id", "other"),
    )  # fmt: skip
    for field, value in wrong:
        answer = await team.robin.put(path, json=DETAILS | {field: value})
        assert (answer.status_code, set(fields(answer))) == (422, {field}), (field, value)
    assert (await team.robin.get(path)).json()["data"]["legal_name"] is None


async def test_another_way_of_payment_needs_its_own_account(team: Team) -> None:
    path = f"{team.path}/billing"
    await team.robin.put(path, json=DETAILS)
    changed = {**DETAILS, "payout_method": "paypal"}
    del changed["payout_account"]
    assert set(fields(await team.robin.put(path, json=changed))) == {"payout_account"}
    answer = await team.robin.put(path, json=changed | {"payout_account": "money@acme.example"})
    assert answer.json()["data"]["payout_account"] == "••••@acme.example"
