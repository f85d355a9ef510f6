"""A sealed log of many rows over 91 days, written through the sealer's own store: real leaves, real chain."""

import random
from typing import Any

from sqlalchemy import text

from lumio.audit.sealer import DAY, chained
from lumio.audit.store.retention import RetentionStore
from lumio.audit.store.sealing import SealStore
from lumio.kernel import clock, ids
from lumio.storage.database import Database
from lumio.storage.dialect import migration_engine
from lumio.storage.unit import Unit, Units

SLICE = 2000
DAYS = 92
EVENTS = ("auth.succeeded",) * 17 + ("auth.failed", "api_key.created", "extension.deployed")
KEYS = [f"key-{number}" for number in range(50)]


def row(account_id: str, ts: int, chance: random.Random) -> dict[str, Any]:
    """Return an event as the journal keeps it."""
    event, key = chance.choice(EVENTS), chance.choice(KEYS)
    return {
        "id": ids.uuid7(), "account_id": account_id, "ts": ts, "last_ts": None, "event": event,
        "result": "failure" if event == "auth.failed" else "success", "actor_type": "api_key", "actor_id": key,
        "actor_label": f"ci-{key}", "on_behalf_of": None, "auth_method": "api_key", "credential_id": key,
        "ip": f"198.51.100.{chance.randrange(250)}", "ip_source": "peer", "user_agent": "lumio-cli/1.0",
        "request_id": None, "target_type": None, "target_id": None, "detail": None, "count": chance.randrange(1, 40),
        "node": "bench",
    }  # fmt: skip


async def fill(url: str, account_id: str, many: int) -> None:
    """Write `many` rows that end now; the oldest day of them is ripe for a purge."""
    database, chance = Database(url), random.Random(1)
    units, store = Units(database, "bench"), SealStore(database.dialect)
    now = clock.to_micros(clock.now())
    start = (now // DAY - DAYS + 1) * DAY
    if database.dialect.single_writer:
        await units.run(lambda unit: unit.execute(text("PRAGMA cache_size=-262144")))
    for first in range(0, many, SLICE):
        size = min(SLICE, many - first)
        rows = [row(account_id, start + (now - start) * (first + place) // many, chance) for place in range(size)]
        day = rows[-1]["ts"] // DAY

        async with database.writing() as connection:  # nobody waits: no unit of five seconds
            unit = Unit(database, connection, "bench")
            end = await store.end(unit)
            batch = chained(rows, day, end.position, end.chain, await store.account_ends(unit, {account_id}))
            await store.add(unit, day, batch.events, batch.places)
            await store.move_ends(unit, batch.end, batch.accounts)
            times = {"first_ts": rows[0]["ts"], "last_ts": rows[-1]["ts"]}
            await store.grow_segment(unit, day, {"first": end.position + 1, "last": batch.end["position"], **times})
            await unit.commit()
    await units.run(lambda unit: RetentionStore().keep_state(unit, start))
    # What PostgreSQL's autovacuum does within a minute of a table that grew; nobody grows by ninety days in one.
    engine = migration_engine(database.dialect)  # without the limits of a request
    async with engine.connect() as connection:
        await connection.execute(text("ANALYZE"))
        await connection.commit()
    await engine.dispose()
    await database.close()
