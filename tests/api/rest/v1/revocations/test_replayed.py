"""What a restore brought back to life ends again, each thing with its event; what was issued later lives."""

import json
from datetime import datetime
from typing import Any

import httpx2
from sqlalchemy import select

from lumio.authority.subjects import EVERYTHING, Effect, Ending, Entry, Subject
from lumio.kernel import clock
from lumio.storage.events import events
from tests.support import popouts, system_keys
from tests.support.world import World

ME = "/v1/users/me"
ENDED = ("api_key.revoked", "api_key.revoked", "popout_token.revoked", "session.ended")


async def replay(world: World, *subjects: Subject, at: datetime, effect: Effect = "ended") -> int:
    """Do lost rows of one kind again, as those do whom the house has entrusted with it."""
    endings = [Ending(one, effect, "robin", "revoked") for one in subjects]
    again = world.house.authority._outside._replays[subjects[0].kind]  # type: ignore[attr-defined] # both have one
    count: int = await world.house.units.run(lambda unit: again(unit, [Entry(1, one, at, 1) for one in endings]))
    await world.house.units.run(lambda unit: world.house.authority.end(unit, endings))
    await world.forget()
    return count


async def statuses(*clients: httpx2.AsyncClient) -> list[int]:
    return [(await client.get("/v1/tokens/me" if "token" in client.params else ME)).status_code for client in clients]


async def told(world: World) -> list[tuple[str, Any]]:
    """Return name and reason of every event of an ending."""
    async with world.house.database.reading() as connection:
        rows = await connection.execute(select(events.c.event, events.c.detail).where(events.c.event.in_(ENDED)))
        return sorted((row.event, json.loads(row.detail)["reason"]) for row in rows)


async def test_every_kind_of_credential_ends_again_and_each_end_is_told(world: World) -> None:
    robin, other = await world.sign_in(), await world.sign_in()
    key, stays = [await world.mint_key(robin, label) for label in ("ci", "stays")]
    bot, popout = await system_keys.mint(robin), await popouts.mint(robin)
    session = (await world.log(robin, event="session.created"))[0]["target"]["id"]
    clients = [world.bearer(key["key"]), world.bearer(bot["key"]), popouts.carrying(world, popout["token"]), other]
    assert 401 not in await statuses(*clients, world.bearer(stays["key"]))
    now = clock.now()
    assert await replay(world, Subject("key", key["id"]), Subject("key", bot["id"]), at=now) == 2
    assert await replay(world, Subject("popout", popout["id"]), at=now, effect="changed") == 1
    assert await replay(world, Subject("session", session), at=now) == 1
    assert await statuses(*clients, world.bearer(stays["key"])) == [401, 401, 401, 401, 200]
    assert await told(world) == sorted((event, "replayed") for event in ENDED)
    assert await replay(world, Subject("key", key["id"]), Subject("key", "gone"), at=now) == 0


async def test_everything_ends_again_up_to_the_moment_at_which_it_had_ended(world: World) -> None:
    robin = await world.sign_in()
    before = world.bearer((await world.mint_key(robin, "before"))["key"])
    moment = clock.now()
    after = world.bearer((await world.mint_key(robin, "after"))["key"])
    again = world.house.authority._outside._replays["all"]  # type: ignore[attr-defined] # both have one
    lost = Entry(1, Ending(EVERYTHING, "all", "robin", "leak"), moment, 1)
    assert await world.house.units.run(lambda unit: again(unit, [lost])) >= 2
    assert await statuses(before, after) == [401, 200]
