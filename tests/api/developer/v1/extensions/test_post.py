"""`POST /developer/v1/extensions`: making one."""

import asyncio
from typing import Any

from tests.support.developers import EXTENSIONS, Team, make_extension
from tests.support.world import World


async def test_a_new_extension_is_private_and_has_no_version(team: Team) -> None:
    answer = await team.ci.post(
        EXTENSIONS, json={"name": " Chat Confetti ", "description": "Fun.", "category": "overlays"}
    )
    assert answer.status_code == 201
    made = answer.json()
    assert answer.headers["Location"] == f"{EXTENSIONS}/{made['id']}"
    assert made["id"].startswith("ext_")
    expected = {
        "slug": "chat-confetti", "name": "Chat Confetti", "visibility": "private", "status": "draft",
        "installCount": 0, "currentVersionId": None, "description": "Fun.", "category": "overlays", "pricing": None,
    }  # fmt: skip
    assert {name: made[name] for name in expected} == expected
    assert (await team.ci.get(f"{EXTENSIONS}/{made['id']}")).json() == made


async def test_the_slug_is_made_from_the_name_and_stays_unique_in_the_account(team: Team) -> None:
    slugs = [
        (await team.ci.post(EXTENSIONS, json={"name": name})).json()["slug"]
        for name in ("Chat Confetti", "Chat  Confetti!", "Größe", "日本")
    ]
    assert slugs[0] == "chat-confetti"
    assert slugs[1].startswith("chat-confetti-")
    assert slugs[2:] == ["groe", "extension"]


async def test_a_slug_that_was_asked_for_and_is_taken_is_a_conflict(team: Team) -> None:
    await make_extension(team.ci, slug="confetti")
    answer = await team.ci.post(EXTENSIONS, json={"name": "Other", "slug": "confetti"})
    assert answer.status_code == 409
    assert answer.json()["error"]["code"] == "conflict"
    assert "confetti" in answer.json()["error"]["message"]


async def test_two_accounts_may_use_the_same_slug(world: World, team: Team) -> None:
    await make_extension(team.ci, slug="confetti")
    await world.new_person("mallory@example.com")
    mallory = await world.sign_in("mallory@example.com")
    await make_extension(mallory, slug="confetti")


BAD: list[tuple[dict[str, Any], str]] = [
    ({}, "name"),
    ({"name": ""}, "name"),
    ({"name": " \t"}, "name"),
    ({"name": "x" * 256}, "name"),
    ({"name": "a\u202eb"}, "name"),
    ({"name": "a\0b"}, "name"),
    ({"name": 7}, "name"),
    ({"name": None}, "name"),
    ({"name": "ok", "slug": "Not-Small"}, "slug"),
    ({"name": "ok", "slug": "ends-"}, "slug"),
    ({"name": "ok", "slug": "line\n"}, "slug"),
    ({"name": "ok", "slug": "x" * 65}, "slug"),
    ({"name": "ok", "description": "x" * 1001}, "description"),
    ({"name": "ok", "category": "a\nb"}, "category"),
    ({"name": "ok", "owner": "me"}, "owner"),
]


async def test_bad_input_names_the_field_and_makes_nothing(team: Team) -> None:
    for body, field in BAD:
        answer = await team.ci.post(EXTENSIONS, json=body)
        assert answer.status_code == 422, (body, answer.text)
        error = answer.json()["error"]
        assert (error["code"], error["status"]) == ("validation_error", 422)
        assert [one["field"] for one in error["fields"]] == [field], body
    assert (await team.ci.get(EXTENSIONS)).json() == {"extensions": []}


async def test_a_body_that_is_no_json_is_400_in_the_same_form(team: Team) -> None:
    answer = await team.ci.post(EXTENSIONS, content=b"{", headers={"Content-Type": "application/json"})
    assert answer.status_code == 400
    error = answer.json()["error"]
    assert (error["status"], error["requestId"]) == (400, answer.headers["X-Request-Id"])


async def test_the_same_idempotency_key_makes_one_extension(team: Team) -> None:
    once = {"Idempotency-Key": "made-once"}
    first, again = [await team.ci.post(EXTENSIONS, json={"name": "One"}, headers=once) for _ in range(2)]
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json() == first.json()
    other = await team.ci.post(EXTENSIONS, json={"name": "Two"}, headers=once)
    assert other.status_code == 422
    assert len((await team.ci.get(EXTENSIONS)).json()["extensions"]) == 1


async def test_a_deleted_extension_can_be_made_anew_with_the_same_idempotency_key(team: Team) -> None:
    once = {"Idempotency-Key": "made-once"}
    first = (await team.ci.post(EXTENSIONS, json={"name": "One"}, headers=once)).json()
    await team.ci.delete(f"{EXTENSIONS}/{first['id']}")
    anew = (await team.ci.post(EXTENSIONS, json={"name": "One"}, headers=once)).json()
    assert anew["id"] != first["id"]
    assert (await team.ci.get(f"{EXTENSIONS}/{anew['id']}")).status_code == 200


async def test_the_same_slug_asked_for_at_once_is_given_once(team: Team) -> None:
    body = {"name": "Race", "slug": "race"}
    answers = await asyncio.gather(*(team.ci.post(EXTENSIONS, json=body) for _ in range(6)))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409, 409, 409]


async def test_every_role_may_make_one(team: Team) -> None:
    for client in (team.owner, team.admin, team.member):
        await make_extension(client)


async def test_nobody_and_a_revoked_key_make_nothing(world: World, team: Team) -> None:
    assert (await world.anonymous().post(EXTENSIONS, json={"name": "x"})).status_code == 401
    listed = (await team.owner.get("/v1/api-keys")).json()["data"]
    await team.owner.delete(f"/v1/api-keys/{listed[0]['id']}")
    assert (await team.ci.post(EXTENSIONS, json={"name": "x"})).status_code == 401
    assert (await team.owner.get(EXTENSIONS)).json() == {"extensions": []}


async def test_a_page_makes_one_with_its_session_and_gets_the_same_shape(world: World, team: Team) -> None:
    page = await world.page_client()
    answer = await page.post("/api/extensions", json={"name": "From a page"})
    assert answer.status_code == 201, answer.text
    assert answer.json() == (await team.ci.get(f"{EXTENSIONS}/{answer.json()['id']}")).json()
    refused = await page.post("/api/extensions", json={"name": ""})
    assert refused.headers["content-type"].startswith("application/problem+json")
    assert refused.json()["errors"][0]["field"] == "name"
    del page.headers["X-CSRF-Token"]
    assert (await page.post("/api/extensions", json={"name": "Forged"})).status_code == 403
