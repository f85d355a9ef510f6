"""kill -9 of the server in the middle of many authentications: what a client was answered is in the log, once.

The small version runs with the suite; `make prove` runs the broad one: 200,000 authentications, five kills.
"""

import asyncio
import os
from collections import Counter

from sqlalchemy import func, select

from lumio.audit.heads import HeadFile
from lumio.audit.store.verifying import VerifyStore
from lumio.audit.verdict import Outcome
from lumio.audit.verification import Verification
from lumio.settings import RATES, Settings
from lumio.storage.events import events
from lumio.storage.unit import Units
from tests.support.busy_clients import BusyClients
from tests.support.serving import LiveServer
from tests.support.world import opened

BROAD = os.environ.get("LUMIO_PROVE") == "broad"
CLIENTS, KEYS, KILLS, PAUSE_SECONDS = (64, 40, 5, 6.0) if BROAD else (32, 10, 1, 1.5)
WANTED = 200_000 if BROAD else 0


async def test_every_answer_that_a_client_saw_has_its_row_and_none_is_there_twice(settings: Settings) -> None:
    async with opened(settings) as world:
        robin = await world.sign_in()
        made = [await world.mint_key(robin, f"key-{number}") for number in range(KEYS)]
    variables = {"LUMIO_DATA_DIR": str(settings.data_dir), "LUMIO_DATABASE_URL": settings.database_url}
    server = LiveServer(variables | {f"LUMIO_RATE_{name}": "100000000" for name in RATES})
    asked: Counter[str] = Counter()
    answered: Counter[str] = Counter()
    try:
        for life in range(KILLS + 1):
            await asyncio.to_thread(server.start)
            last = life == KILLS
            while True:
                clients = BusyClients(server.port, [one["key"] for one in made], CLIENTS)
                load = asyncio.create_task(clients.run(PAUSE_SECONDS + 1))
                await asyncio.sleep(PAUSE_SECONDS)
                if not last:
                    await asyncio.to_thread(server.kill)
                clients.stopped = True
                await load
                asked, answered = asked + clients.asked, answered + clients.answered
                assert set(clients.others) <= {503}
                if not last or answered.total() >= WANTED:
                    break
    finally:
        await asyncio.to_thread(server.stop)

    async with opened(settings) as world:
        await world.house.sealer.run(everything=True)
        good = select(events.c.credential_id, func.sum(events.c.count).label("told")).where(
            events.c.event == "auth.succeeded"
        )
        found = await world.house.units.read(lambda view: view.execute(good.group_by(events.c.credential_id)))
        told = {str(row.credential_id): int(row.told) for row in found}
        units = Units(world.house.database, "")
        keys = world.house.notary.public_keys
        verdict = await Verification(units, VerifyStore(), keys).everything(HeadFile(settings.audit_heads))
    assert answered.total() >= max(WANTED, 100)
    print(f"{asked.total()} asked, {answered.total()} answered, {sum(told.values())} told")  # noqa: T201
    for one in made:
        assert answered[one["key"]] <= told.get(one["id"], 0) <= asked[one["key"]], one["label"]
    assert verdict.outcome is Outcome.INTACT, verdict
