"""From nothing to a published version with a key, over the Developer REST API."""

import hashlib

from tests.support.developers import EXTENSIONS, Team, bundle, deploy, make_extension, publish, stored
from tests.support.world import World


async def test_a_key_makes_deploys_publishes_and_downloads_and_the_log_tells_all_of_it(
    world: World, team: Team
) -> None:
    extension_id = await make_extension(team.ci)
    draft = await deploy(team.ci, extension_id)
    packed = bundle()
    digest = hashlib.sha256(packed).hexdigest()
    assert draft == {
        "id": draft["id"],
        "version": "1.0.0",
        "status": "draft",
        "description": "",
        "breaking": False,
        "artifacts": [{"name": "bundle", "sha256": digest, "size": len(packed)}],
        "deployedBy": "ci-github-actions",
        "createdAt": draft["createdAt"],
        "publishedAt": None,
    }
    published = await publish(team.ci, extension_id, draft["id"])
    assert published.status_code == 200, published.text
    assert published.json()["status"] == "published"
    shown = (await team.ci.get(f"{EXTENSIONS}/{extension_id}")).json()
    assert (shown["status"], shown["currentVersionId"]) == ("published", draft["id"])

    file = await team.ci.get(f"{EXTENSIONS}/{extension_id}/versions/{draft['id']}/artifacts/bundle")
    assert file.content == packed
    assert [path.name for path in stored(world)] == [digest]

    entries = {entry["event"]: entry for entry in await world.log(team.owner)}
    for event in ("extension.created", "extension.deployed", "extension.published"):
        assert (entries[event]["actor"], entries[event]["result"]) == ("ci-github-actions", "success")
    assert entries["extension.deployed"]["detail"]["sha256"] == digest
