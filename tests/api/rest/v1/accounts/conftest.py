"""One team for the tests of accounts."""

import pytest_asyncio

from tests.support.teams import Team, make_team
from tests.support.world import World


@pytest_asyncio.fixture
async def team(world: World) -> Team:
    """Robin's account with an Admin and a Member, and Sam outside."""
    return await make_team(world)
