"""`DELETE …/versions/{versionId}`: drafts only."""

from tests.support.developers import EXTENSIONS, Team, deploy, make_extension, parts, publish, send
from tests.support.world import World


async def test_a_draft_goes_and_its_number_is_free_again(world: World, team: Team) -> None:
    extension_id = await make_extension(team.ci)
    draft = await deploy(team.member, extension_id)
    path = f"{EXTENSIONS}/{extension_id}/versions/{draft['id']}"
    assert (await team.member.delete(path)).status_code == 200
    assert (await team.member.get(path)).status_code == 404
    assert (await team.member.delete(path)).status_code == 404
    await deploy(team.ci, extension_id)
    entries = await world.log(team.owner, event="extension.version_deleted", result="success")
    assert [entry["detail"]["version"] for entry in entries] == ["1.0.0"]


async def test_the_same_deployment_sent_again_after_that_makes_a_new_draft(team: Team) -> None:
    extension_id = await make_extension(team.ci)
    once = {"Idempotency-Key": "the-same-build"}
    first = (await send(team.ci, extension_id, headers=once)).json()
    await team.ci.delete(f"{EXTENSIONS}/{extension_id}/versions/{first['id']}")
    anew = await send(team.ci, extension_id, parts(), headers=once)
    assert anew.status_code == 201
    assert anew.json()["id"] != first["id"]


async def test_a_published_or_superseded_version_stays(team: Team) -> None:
    extension_id = await make_extension(team.ci)
    for number in ("1.0.0", "2.0.0"):
        await publish(team.ci, extension_id, (await deploy(team.ci, extension_id, number))["id"])
    path = f"{EXTENSIONS}/{extension_id}/versions"
    listed = (await team.ci.get(path)).json()["versions"]
    assert [version["status"] for version in listed] == ["published", "superseded"]
    for version in listed:
        refused = await team.owner.delete(f"{path}/{version['id']}")
        assert refused.status_code == 409
        assert version["status"] in refused.json()["error"]["message"]
    assert (await team.ci.get(path)).json()["versions"] == listed
