"""`POST …/versions/{versionId}/publish`: a draft becomes the current version."""

import asyncio

from sqlalchemy import update

from lumio.access.policy import Role
from lumio.accounts.store.tables import members
from tests.support.developers import EXTENSIONS, Team, deploy, make_extension, publish
from tests.support.world import World


async def test_the_published_version_is_current_and_the_one_before_superseded(world: World, team: Team) -> None:
    extension_id = await make_extension(team.ci)
    first, second = [await deploy(team.ci, extension_id, number) for number in ("1.0.0", "2.0.0")]
    for draft in (first, second):
        answer = await publish(team.admin, extension_id, draft["id"])
        assert answer.status_code == 200, answer.text
        assert answer.json() | {"status": "draft", "publishedAt": None} == draft
        assert answer.json()["publishedAt"] >= draft["createdAt"]
    listed = (await team.ci.get(f"{EXTENSIONS}/{extension_id}/versions")).json()["versions"]
    assert [version["status"] for version in listed] == ["published", "superseded"]
    shown = (await team.ci.get(f"{EXTENSIONS}/{extension_id}")).json()
    assert (shown["status"], shown["currentVersionId"]) == ("published", second["id"])
    entries = await world.log(team.owner, event="extension.published")
    assert [(entry["detail"]["version"], entry["detail"]["before"]) for entry in entries] == [
        ("2.0.0", first["id"]), ("1.0.0", None),
    ]  # fmt: skip


async def test_a_member_may_deploy_but_not_publish_and_is_told_who_may(world: World, team: Team) -> None:
    extension_id = await make_extension(team.member)
    draft = await deploy(team.member, extension_id)
    refused = await publish(team.member, extension_id, draft["id"])
    assert refused.status_code == 403
    assert refused.json()["error"]["code"] == "forbidden"
    assert "the role Owner or Admin has" in refused.json()["error"]["message"]
    assert (await team.ci.get(f"{EXTENSIONS}/{extension_id}")).json()["currentVersionId"] is None
    entry = (await world.log(team.owner, event="extension.published"))[0]
    assert (entry["actor"], entry["result"]) == ("member@example.com", "failure")


async def test_a_key_loses_the_right_with_its_holder_at_once(world: World, team: Team) -> None:
    key = world.bearer((await world.mint_key(team.admin, "admins-key"))["key"])
    extension_id = await make_extension(key)
    first, second = [await deploy(key, extension_id, number) for number in ("1.0.0", "2.0.0")]
    assert (await publish(key, extension_id, first["id"])).status_code == 200
    demotion = update(members).where(members.c.id == team.members["admin"]["member_id"]).values(role=Role.MEMBER)
    await world.house.units.run(lambda unit: unit.execute(demotion))
    refused = await publish(key, extension_id, second["id"])
    assert refused.status_code == 403
    assert (await team.ci.get(f"{EXTENSIONS}/{extension_id}")).json()["currentVersionId"] == first["id"]


async def test_only_a_draft_can_be_published(team: Team) -> None:
    extension_id = await make_extension(team.ci)
    first, second = [await deploy(team.ci, extension_id, number) for number in ("1.0.0", "2.0.0")]
    for draft in (first, second):
        await publish(team.ci, extension_id, draft["id"])
    for version, status in ((first, "superseded"), (second, "published")):
        refused = await publish(team.ci, extension_id, version["id"])
        assert refused.status_code == 409
        assert status in refused.json()["error"]["message"]


async def test_of_drafts_published_at_once_one_stays_the_published_one(team: Team) -> None:
    extension_id = await make_extension(team.ci)
    drafts = [await deploy(team.ci, extension_id, f"1.{number}.0") for number in range(5)]
    answers = await asyncio.gather(*(publish(team.ci, extension_id, draft["id"]) for draft in drafts))
    assert [answer.status_code for answer in answers] == [200] * 5
    listed = (await team.ci.get(f"{EXTENSIONS}/{extension_id}/versions")).json()["versions"]
    current = [version["id"] for version in listed if version["status"] == "published"]
    assert current == [(await team.ci.get(f"{EXTENSIONS}/{extension_id}")).json()["currentVersionId"]]


async def test_a_page_publishes_with_an_empty_object_and_gets_a_problem_document_when_refused(
    world: World, team: Team
) -> None:
    extension_id = await make_extension(team.ci)
    draft = await deploy(team.ci, extension_id)
    page = await world.page_client()
    path = f"/api/extensions/{extension_id}/versions/{draft['id']}/publish"
    assert (await page.post(path, json={"status": "draft"})).status_code == 422
    answer = await page.post(path, json={})
    assert (answer.status_code, answer.json()["status"]) == (200, "published")
    again = await page.post(path, json={})
    assert again.status_code == 409
    assert again.headers["content-type"].startswith("application/problem+json")
