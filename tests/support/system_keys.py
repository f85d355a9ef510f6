"""What the tests of system keys share: making one, and reading every row of the journal, whoever's it is."""

from typing import Any

import httpx2
from sqlalchemy import insert, select

from lumio.access.principal import ACCOUNT_HEADER
from lumio.admin.store import grants
from lumio.crypto import opaque
from lumio.kernel import clock
from lumio.storage.events import events
from lumio.system_keys.store import system_keys
from tests.support.world import World

KEYS = "/v1/admin/system-keys"
LABEL = "kick-bot-prod"


async def mint(client: httpx2.AsyncClient, label: str = LABEL, profile: str | None = None) -> dict[str, Any]:
    """Make a system key; return the answer's data with the key."""
    answer = await client.post(KEYS, json={"label": label} | ({} if profile is None else {"profile": profile}))
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()["data"]
    return made


def carrying(world: World, key: str, account_id: str | None = None, ip: str = "203.0.113.7") -> httpx2.AsyncClient:
    """Return a client that presents a system key, acting on an account when one is named."""
    client = world.bearer(key, ip)
    if account_id is not None:
        client.headers[ACCOUNT_HEADER] = account_id
    return client


def with_wrong_secret(key: str) -> str:
    """Return a well-formed key with the lookup id of `key` and another secret."""
    other = opaque.mint(opaque.SYSTEM_KEY).text
    cut = opaque.PREFIX_LENGTH + opaque.LOOKUP_LENGTH
    body = key[:cut] + other[cut : -opaque.CHECKSUM_LENGTH]
    return body + opaque.checksum(body)


async def rows(world: World) -> list[Any]:
    """Return every row of the table of system keys."""
    async with world.house.database.reading() as connection:
        return list((await connection.execute(select(system_keys).order_by(system_keys.c.created_at))).all())


async def journal(world: World, **values: Any) -> list[Any]:
    """Return the rows of the journal that have these values, the oldest first."""
    found = select(events).order_by(events.c.ts, events.c.id)
    for name, value in values.items():
        found = found.where(events.c[name] == value)
    async with world.house.database.reading() as connection:
        return list((await connection.execute(found)).all())


async def appoint(world: World, email: str, role: str) -> httpx2.AsyncClient:
    """Make a person with an account of their own and an admin role; return their signed-in client."""
    person = await world.new_person(email)

    async def step(unit: Any) -> None:
        row = {"user_id": person["user_id"], "role": role, "granted_at": clock.now()}
        await unit.execute(insert(grants), row)

    await world.house.units.run(step)
    return await world.sign_in(email)
