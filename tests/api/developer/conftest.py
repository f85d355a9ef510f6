"""Fixtures of the Developer REST API's tests: a team, and limits that these tests do not meet."""

from dataclasses import replace

import pytest
import pytest_asyncio

from lumio.app import House
from lumio.settings import RATES, Settings
from tests.support.developers import Team, make_team
from tests.support.world import World


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Settings with limits out of reach: what they are is tested elsewhere."""
    return replace(settings, rates=dict.fromkeys(RATES, 100_000))


@pytest.fixture(scope="session")
def _houses() -> dict[str, House]:
    """Houses of these tests alone: a house keeps the settings that it was built with."""
    return {}


@pytest_asyncio.fixture
async def team(world: World) -> Team:
    """The operator's account, with an Admin and a Member in it."""
    return await make_team(world)
