"""What the tests of people and admin roles share: operators with chosen roles, and the calls that most begin with."""

from collections.abc import Iterable
from typing import Any

import httpx2
from sqlalchemy import delete, insert, select

from lumio.admin.store import grants, roles
from lumio.authority.feed import revocations
from lumio.kernel import clock, ids
from tests.support.world import World

USERS = "/v1/admin/users"
ROLES = "/v1/admin/roles"
EDITOR = frozenset({"admin:access", "users:read", "users:edit"})
KEEPER = frozenset({"admin:access", "admin-roles:read", "admin-roles:edit"})


async def lay_role(world: World, name: str, permissions: Iterable[str]) -> str:
    """Put a custom role into the database, whoever may; return its id."""
    row = {"id": ids.uuid7(), "name": name, "permissions": sorted(permissions), "created_at": clock.now()}
    await world.house.units.run(lambda unit: unit.execute(insert(roles), row))
    return str(row["id"])


async def give(world: World, user_id: str, role_id: str) -> None:
    """Put a grant into the database, whoever may."""
    row = {"user_id": user_id, "role": role_id, "granted_at": clock.now()}
    await world.house.units.run(lambda unit: unit.execute(insert(grants), row))


async def take(world: World, user_id: str, role_id: str) -> None:
    """Take a grant out of the database."""
    gone = delete(grants).where(grants.c.user_id == user_id, grants.c.role == role_id)
    await world.house.units.run(lambda unit: unit.execute(gone))


async def operator(world: World, email: str, permissions: Iterable[str]) -> tuple[httpx2.AsyncClient, str]:
    """Make a person with a custom role of these permissions; return their signed-in client and their id."""
    person = await world.new_person(email)
    name = f"role-of-{email.partition('@')[0]}"
    await give(world, person["user_id"], await lay_role(world, name, permissions))
    return await world.sign_in(email), person["user_id"]


async def held(world: World) -> set[tuple[str, str]]:
    """Return every grant as (person, role)."""
    async with world.house.database.reading() as connection:
        rows = await connection.execute(select(grants.c.user_id, grants.c.role))
        return {(row.user_id, row.role) for row in rows}


async def custom_roles(world: World) -> dict[str, list[str]]:
    """Return the permissions of every custom role by name."""
    async with world.house.database.reading() as connection:
        rows = await connection.execute(select(roles.c.name, roles.c.permissions))
        return {row.name: row.permissions for row in rows}


async def feed(world: World) -> list[tuple[str, str, str]]:
    """Return the revocation feed as (kind, id, effect), in order."""
    async with world.house.database.reading() as connection:
        rows = await connection.execute(select(revocations).order_by(revocations.c.seq))
        return [(row.subject_kind, row.subject_id, row.effect) for row in rows]


async def own_id(client: httpx2.AsyncClient) -> str:
    """Return the id of the person behind a client."""
    return str((await client.get("/v1/users/me")).json()["data"]["user"]["id"])


async def found(client: httpx2.AsyncClient, query: str) -> list[dict[str, Any]]:
    """Return the people that a search finds."""
    answer = await client.get(USERS, params={"query": query})
    assert answer.status_code == 200, answer.text
    listed: list[dict[str, Any]] = answer.json()["data"]
    return listed


async def make_role(client: httpx2.AsyncClient, name: str, *permissions: str) -> dict[str, Any]:
    """Make a role as an operator does; return it."""
    answer = await client.post(ROLES, json={"name": name, "permissions": list(permissions)})
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()["data"]
    return made
