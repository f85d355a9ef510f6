"""`DELETE /developer/v1/extensions/{id}`: for good, with all versions."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import func, select

from lumio.extensions.bundles import BundleStore
from lumio.extensions.store import VersionStore, artifacts, extensions, versions
from lumio.kernel import clock
from tests.support.developers import EXTENSIONS, Team, deploy, make_extension, stored
from tests.support.world import World


async def _rows(world: World) -> list[int]:
    async def count(view: Any) -> list[int]:
        tables = (extensions, versions, artifacts)
        return [(await view.execute(select(func.count()).select_from(table))).scalar_one() for table in tables]

    return await world.house.units.read(count)


async def test_an_extension_goes_with_its_versions_and_leaves_its_event(world: World, team: Team) -> None:
    extension_id = await make_extension(team.ci)
    await deploy(team.ci, extension_id)
    await deploy(team.ci, extension_id, "1.1.0")
    assert await _rows(world) == [1, 2, 2]
    answer = await team.admin.delete(f"{EXTENSIONS}/{extension_id}")
    assert answer.status_code == 200
    assert answer.json()["id"] == extension_id
    assert await _rows(world) == [0, 0, 0]
    assert (await team.ci.get(f"{EXTENSIONS}/{extension_id}")).status_code == 404
    assert (await team.ci.delete(f"{EXTENSIONS}/{extension_id}")).status_code == 404
    entries = await world.log(team.owner, event="extension.deleted")
    assert [entry["result"] for entry in entries] == ["failure", "success"]
    assert entries[1]["detail"]["versions"] == 2


async def test_a_member_deletes_nothing(team: Team) -> None:
    extension_id = await make_extension(team.member)
    refused = await team.member.delete(f"{EXTENSIONS}/{extension_id}")
    assert refused.status_code == 403
    assert "Owner or Admin" in refused.json()["error"]["message"]
    assert (await team.ci.get(f"{EXTENSIONS}/{extension_id}")).status_code == 200


async def test_files_that_no_version_names_are_swept_after_a_day_and_the_others_stay(
    world: World, team: Team
) -> None:
    gone, stays = await make_extension(team.ci, "Gone"), await make_extension(team.ci, "Stays")
    draft = await deploy(team.ci, gone)
    await deploy(team.ci, stays)  # the same content: one file for two versions
    assert len(stored(world)) == 1
    bundles = BundleStore(world.house.settings.bundle_store)
    tomorrow = clock.now() + timedelta(days=1)

    async def wanted(digests: Sequence[str]) -> set[str]:
        return await world.house.units.read(lambda view: VersionStore().used(view, digests))

    await team.ci.delete(f"{EXTENSIONS}/{gone}/versions/{draft['id']}")
    assert await bundles.sweep_orphans(tomorrow, wanted) == 0
    await team.ci.delete(f"{EXTENSIONS}/{stays}")
    assert await bundles.sweep_orphans(clock.now() - timedelta(days=1), wanted) == 0
    assert len(stored(world)) == 1
    assert await bundles.sweep_orphans(tomorrow, wanted) == 1
    assert stored(world) == []
