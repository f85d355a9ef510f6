"""`PATCH /developer/v1/extensions/{id}`: changing one."""

from typing import Any

from tests.support.developers import EXTENSIONS, Team, make_extension
from tests.support.world import World


async def test_what_is_given_changes_and_the_rest_stays(team: Team) -> None:
    extension_id = await make_extension(team.ci, description="Old.", category="overlays")
    path = f"{EXTENSIONS}/{extension_id}"
    before = (await team.ci.get(path)).json()
    answer = await team.ci.patch(path, json={"name": "Renamed", "category": None})
    assert answer.status_code == 200, answer.text
    after = answer.json()
    assert (after["name"], after["category"], after["description"]) == ("Renamed", None, "Old.")
    assert after["slug"] == before["slug"]
    assert after["updatedAt"] > before["updatedAt"]


async def test_visibility_and_price_need_the_right_to_publish_and_the_sentence_names_who_has_it(
    world: World, team: Team
) -> None:
    extension_id = await make_extension(team.ci)
    path = f"{EXTENSIONS}/{extension_id}"
    for body in ({"visibility": "public"}, {"pricing": {"type": "free"}}, {"name": "x", "visibility": "public"}):
        refused = await team.member.patch(path, json=body)
        assert refused.status_code == 403, refused.text
        assert "Owner or Admin" in refused.json()["error"]["message"]
    assert (await team.ci.get(path)).json()["name"] == "Chat Confetti"
    assert (await team.member.patch(path, json={"name": "By a member"})).status_code == 200
    assert (await team.admin.patch(path, json={"visibility": "public"})).json()["visibility"] == "public"
    entries = await world.log(team.owner, event="extension.updated")
    assert [entry["result"] for entry in entries] == ["success", "success", "failure", "failure", "failure"]
    assert entries[0]["detail"] == {
        "fields": ["visibility"], "visibility": "public", "visibility_before": "private",
    }  # fmt: skip


async def test_a_price_is_kept_as_it_was_given(team: Team) -> None:
    extension_id = await make_extension(team.ci)
    price = {"type": "subscription", "amount": 4.99, "currency": "EUR", "interval": "month"}
    answer = await team.ci.patch(f"{EXTENSIONS}/{extension_id}", json={"pricing": price})
    assert answer.json()["pricing"] == price
    free = await team.ci.patch(f"{EXTENSIONS}/{extension_id}", json={"pricing": None})
    assert free.json()["pricing"] is None


BAD: list[tuple[dict[str, Any], str]] = [
    ({}, ""),
    ({"visibility": "paid"}, "visibility"),
    ({"visibility": "everyone"}, "visibility"),
    ({"name": None}, "name"),
    ({"pricing": {"type": "one_time"}}, "pricing.amount"),
    ({"pricing": {"type": "one_time", "amount": 0, "currency": "EUR"}}, "pricing.amount"),
    ({"pricing": {"type": "one_time", "amount": -1, "currency": "EUR"}}, "pricing.amount"),
    ({"pricing": {"type": "one_time", "amount": 1, "currency": "eur"}}, "pricing.currency"),
    ({"pricing": {"type": "subscription", "amount": 1, "currency": "EUR"}}, "pricing.interval"),
    ({"pricing": {"type": "free", "amount": 1}}, "pricing.amount"),
    ({"pricing": {"type": "free", "tax": 1}}, "pricing"),
]


async def test_bad_input_names_the_field_and_changes_nothing(team: Team) -> None:
    extension_id = await make_extension(team.ci)
    path = f"{EXTENSIONS}/{extension_id}"
    before = (await team.ci.get(path)).json()
    for body, field in BAD:
        answer = await team.ci.patch(path, json=body)
        assert answer.status_code == 422, (body, answer.text)
        assert answer.json()["error"]["fields"][0]["field"].startswith(field), body
    assert (await team.ci.get(path)).json() == before
