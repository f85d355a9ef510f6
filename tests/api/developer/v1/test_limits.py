"""The limits of the Developer REST API itself (product C5), in its own form of error."""

from dataclasses import replace

import pytest

from lumio.app import House
from lumio.settings import Settings
from tests.support.developers import EXTENSIONS, Team, make_extension, parts, send, stored
from tests.support.world import World

pytestmark = pytest.mark.usefixtures("one_minute")


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Settings under which two of a thing are enough."""
    small = ("DEVELOPER_EXTENSIONS", "DEVELOPER_VERSIONS", "DEVELOPER_DELETE")
    return replace(settings, rates={**settings.rates, **dict.fromkeys(small, 2)})


@pytest.fixture
def _houses() -> dict[str, House]:
    """No house that another test has built: it would keep that test's limits."""
    return {}


async def test_each_kind_of_change_has_its_own_limit_and_reading_goes_on(world: World, team: Team) -> None:
    first, second = await make_extension(team.ci, "One"), await make_extension(team.ci, "Two")
    for number in range(2):
        assert (await send(team.ci, first, parts(f"1.{number}.0"))).status_code == 201
    for refused in (
        await team.ci.post(EXTENSIONS, json={"name": "Three"}),
        await send(team.ci, second),
    ):
        assert refused.status_code == 429
        error = refused.json()["error"]
        assert (error["code"], error["status"]) == ("rate_limited", 429)
        assert 0 < int(refused.headers["Retry-After"]) <= 3600
    assert len(stored(world)) == 1
    for extension_id in (first, second):
        assert (await team.ci.delete(f"{EXTENSIONS}/{extension_id}")).status_code == 200
    assert (await team.ci.delete(f"{EXTENSIONS}/{first}")).status_code == 429
    assert (await team.ci.get(EXTENSIONS)).status_code == 200
    assert (await team.owner.post(EXTENSIONS, json={"name": "Another's"})).status_code == 201
