"""Nothing of one account is reached from another: every route answers 404, as if the id were of nothing."""

from collections.abc import Iterator
from typing import Any

import httpx2
from litestar.routes import HTTPRoute

from tests.support.developers import EXTENSIONS, Team, deploy, make_extension, parts, state, stored
from tests.support.world import World

PLACES = ("/developer/v1/extensions/", "/api/extensions/")


def _routes(world: World) -> Iterator[tuple[str, str]]:
    """Yield the method and path of every route that names an extension."""
    for route in world.house.web.routes:
        if isinstance(route, HTTPRoute) and route.path.startswith(PLACES):
            for method in sorted(route.methods - {"OPTIONS", "HEAD"}):
                yield method, route.path


def _arguments(method: str, path: str) -> dict[str, Any]:
    if method == "PATCH":
        return {"json": {"name": "Stolen"}}
    if method == "POST" and path.endswith("/versions"):
        return {"files": parts("6.6.6")}
    return {}


async def test_every_route_hides_what_belongs_to_another_account(world: World, team: Team) -> None:
    extension_id = await make_extension(team.ci)
    version = await deploy(team.ci, extension_id)
    await world.new_person("mallory@example.com")
    mallory = await world.sign_in("mallory@example.com")
    mine = await make_extension(mallory, "Mallory's")
    page = await world.page_client("mallory@example.com")
    before, files = await state(team.ci), stored(world)

    asked = 0
    for method, template in _routes(world):
        client: httpx2.AsyncClient = page if template.startswith("/api/") else mallory
        for first in (extension_id, mine):
            if "{version_id:str}" not in template and first == mine:
                continue
            path = template.replace("{extension_id:str}", first).replace("{version_id:str}", version["id"])
            path = path.replace("{name:str}", "bundle")
            answer = await client.request(method, path, **_arguments(method, path))
            assert answer.status_code == 404, (method, path, answer.text)
            asked += 1
    assert asked >= 2 * (3 + 2 + 2 * 4)
    assert await state(team.ci) == before
    assert stored(world) == files
    listed = (await mallory.get(EXTENSIONS)).json()["extensions"]
    assert [item["id"] for item in listed] == [mine]


async def test_the_failed_attempts_stand_in_the_log_of_who_tried_and_not_of_the_victim(
    world: World, team: Team
) -> None:
    extension_id = await make_extension(team.ci)
    await world.new_person("mallory@example.com")
    mallory = await world.sign_in("mallory@example.com")
    assert (await mallory.delete(f"{EXTENSIONS}/{extension_id}")).status_code == 404
    entry = (await world.log(mallory, event="extension.deleted"))[0]
    assert (entry["result"], entry["target"]["id"]) == ("failure", extension_id)
    assert not await world.log(team.owner, event="extension.deleted")
