"""What a stranger can see of an answer, and small ways to look behind it.

Promise: two answers compare equal exactly when nobody outside could tell them apart.
"""

from typing import Any

import httpx2
from sqlalchemy import text

from tests.support.world import World

DIFFERS_ALWAYS = {"x-request-id", "date", "ratelimit"}


def seen(answer: httpx2.Response) -> tuple[int, dict[str, str], Any]:
    """Return status, headers and body of an answer, without its own id and what counts requests."""
    headers = {name: value for name, value in answer.headers.items() if name not in DIFFERS_ALWAYS}
    if "application/problem+json" not in headers.get("content-type", ""):
        return answer.status_code, headers, answer.text
    body = {name: value for name, value in answer.json().items() if name != "request_id"}
    # The id's length is fixed, so the length of the body may be compared as it is.
    return answer.status_code, headers, body


def fields(answer: httpx2.Response) -> dict[str, str]:
    """Return the rule that each named field broke."""
    return {one["field"]: one["rule"] for one in answer.json()["errors"]}


async def rows(world: World, sql: str, **values: Any) -> list[dict[str, Any]]:
    """Return rows of the database as they lie there."""
    async with world.house.database.reading() as connection:
        return [dict(row) for row in (await connection.execute(text(sql), values)).mappings()]


async def count(world: World, sql: str, **values: Any) -> int:
    """Return the one number that a query finds."""
    found = await rows(world, sql, **values)
    return int(next(iter(found[0].values())))


async def change(world: World, sql: str, **values: Any) -> None:
    """Change the database behind the house's back, as an operator with a shell could who restarts it then."""
    async with world.house.database.writing() as connection:
        await connection.execute(text(sql), values)
        await connection.commit()
    await world.forget()
