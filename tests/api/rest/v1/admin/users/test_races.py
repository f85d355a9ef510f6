"""Two requests at once: there is one active system administrator after every one of them."""

import asyncio
from typing import Any

import httpx2
from sqlalchemy import select, update

from lumio.accounts.store.tables import users
from lumio.admin.store import grants
from tests.support.operators import USERS, give, held, make_role, own_id
from tests.support.world import OPERATOR, World

KIM = "kim@example.com"
ROUNDS = 30
SUSPENSIONS = 8


async def active_admins(world: World) -> int:
    """Count the system administrators who are not suspended."""
    async with world.house.database.reading() as connection:
        joined = select(users.c.id).join(grants, grants.c.user_id == users.c.id)
        rows = await connection.execute(joined.where(grants.c.role == "system_admin", users.c.suspended_at.is_(None)))
        return len(rows.all())


async def at_once(
    one: httpx2.AsyncClient, other_id: str, other: httpx2.AsyncClient, one_id: str, body: dict[str, Any]
) -> list[int]:
    """Let two people do the same to each other; return both statuses."""
    answers = await asyncio.gather(
        one.patch(f"{USERS}/{other_id}", json=body), other.patch(f"{USERS}/{one_id}", json=body)
    )
    return sorted(answer.status_code for answer in answers)


async def test_two_who_demote_each_other_leave_one(world: World) -> None:
    robin = await world.sign_in()
    robin_id, kim_id = await own_id(robin), (await world.new_person(KIM))["user_id"]
    await make_role(robin, "finder", "users:read")
    await give(world, kim_id, "system_admin")
    kim = await world.sign_in(KIM)
    for _ in range(ROUNDS):
        statuses = await at_once(robin, kim_id, kim, robin_id, {"admin_roles": ["finder"]})
        assert await active_admins(world) == 1, statuses
        assert statuses[0] == 200
        assert statuses[1] in {403, 409}
        demoted = robin_id if (kim_id, "system_admin") in await held(world) else kim_id
        await give(world, demoted, "system_admin")


async def test_two_who_leave_the_role_at_once_leave_one(world: World) -> None:
    robin = await world.sign_in()
    robin_id, kim_id = await own_id(robin), (await world.new_person(KIM))["user_id"]
    await make_role(robin, "finder", "users:read")
    await give(world, kim_id, "system_admin")
    kim = await world.sign_in(KIM)
    for _ in range(ROUNDS):
        statuses = await at_once(robin, robin_id, kim, kim_id, {"admin_roles": ["finder"]})
        assert await active_admins(world) == 1, statuses
        assert statuses == [200, 409]
        left = robin_id if (kim_id, "system_admin") in await held(world) else kim_id
        await give(world, left, "system_admin")


async def test_two_who_suspend_each_other_leave_one(world: World) -> None:
    robin_id = await own_id(await world.sign_in())
    kim_id = (await world.new_person(KIM))["user_id"]
    await give(world, kim_id, "system_admin")
    for _ in range(SUSPENSIONS):
        robin, kim = await world.sign_in(OPERATOR), await world.sign_in(KIM)
        statuses = await at_once(robin, kim_id, kim, robin_id, {"suspended": True})
        assert await active_admins(world) == 1, statuses
        assert statuses[0] == 200
        assert statuses[1] in {401, 409}
        await world.house.units.run(lambda unit: unit.execute(update(users).values(suspended_at=None)))
