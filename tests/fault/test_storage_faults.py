"""The store cannot be written: whatever needs an event answers 503, the rest goes on, and it recovers by itself."""

import asyncio
import threading
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import httpx2
import pytest
from sqlalchemy import select

from lumio.app import build
from lumio.kernel.errors import Unavailable
from lumio.keys.store import keys
from lumio.settings import Settings
from lumio.storage.events import events
from lumio.storage.folding import Row, Tally
from lumio.storage.sinks import Sink
from tests.support.world import CHEAP, World, opened


class Broken:
    """A sink that cannot write while `problem` is set, or hangs while `gate` is closed."""

    def __init__(self, real: Sink) -> None:
        self.real = real
        self.problem: Exception | None = None
        self.gate = asyncio.Event()
        self.gate.set()

    async def open(self) -> None:
        await self.real.open()

    async def write(self, rows: Sequence[Row], tallies: Sequence[Tally]) -> None:
        await self.gate.wait()
        if self.problem is not None:
            raise self.problem
        await self.real.write(rows, tallies)

    async def close(self) -> None:
        await self.real.close()


def break_journal(world: World, monkeypatch: pytest.MonkeyPatch) -> Broken:
    """Put a sink that can be broken before the journal's own; the house gets its own back."""
    sink = Broken(world.house.journal._sink)
    monkeypatch.setattr(world.house.journal, "_sink", sink)
    return sink


async def stored(world: World) -> tuple[int, int]:
    """Count keys and events of their making."""
    async with world.house.database.reading() as connection:
        made = (await connection.execute(select(keys.c.id))).all()
        told = (await connection.execute(select(events.c.id).where(events.c.event == "api_key.created"))).all()
    return len(made), len(told)


def is_outage(answer: httpx2.Response) -> bool:
    return answer.status_code == 503 and answer.json()["code"] == "unavailable" and "retry-after" in answer.headers


async def test_a_full_disk_answers_503_to_whatever_needs_an_event_and_changes_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    robin = await world.sign_in()
    before = await stored(world)
    sink = break_journal(world, monkeypatch)
    sink.problem = OSError(28, "No space left on device")
    assert is_outage(await robin.get("/v1/users/me"))
    assert is_outage(await world.bearer("nonsense").get("/v1/users/me"))
    assert is_outage(await robin.post("/v1/auth/step-up", json={"method": "password", "password": "wrong"}))
    assert (await world.anonymous().get("/healthz")).status_code == 200
    assert (await world.anonymous().get("/login")).status_code == 200
    sink.problem = None
    assert (await robin.get("/v1/users/me")).status_code == 200
    assert await stored(world) == before


async def test_a_bad_credential_on_a_broken_journal_is_never_let_in(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    sink = break_journal(world, monkeypatch)
    sink.problem = OSError(5, "Input/output error")
    answers = [await world.bearer(text).get("/v1/users/me") for text in ("nonsense", "lm_dev_" + "0" * 57)]
    assert [answer.status_code for answer in answers] == [503, 503]


async def test_a_journal_that_hangs_answers_503_within_its_limit_and_then_recovers(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lumio.storage.unit.PATIENCE_SECONDS", 0.5)
    async with opened(replace(settings, journal_timeout_seconds=0.5)) as world:
        robin = await world.sign_in()
        sink = break_journal(world, monkeypatch)
        sink.gate.clear()
        loop = asyncio.get_running_loop()
        started = loop.time()
        try:
            answers = await asyncio.gather(*[robin.get("/v1/users/me") for _ in range(20)])
            took = loop.time() - started
        finally:
            sink.gate.set()
        assert [answer for answer in answers if not is_outage(answer)] == []
        assert took < 5
        await _until_well(robin)


async def test_a_change_beside_a_hanging_journal_answers_503_within_five_seconds_or_so(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lumio.storage.unit.PATIENCE_SECONDS", 0.5)
    monkeypatch.setattr(world.house.journal, "_timeout", 0.5)
    robin = await world.sign_in()
    before = await stored(world)
    sink = break_journal(world, monkeypatch)
    sink.gate.clear()
    loop = asyncio.get_running_loop()
    started = loop.time()
    answer = await robin.post("/v1/api-keys", json={"label": "x"})
    assert is_outage(answer)
    assert "key" not in answer.json()
    assert loop.time() - started < 5
    sink.gate.set()
    monkeypatch.undo()
    assert (await robin.get("/v1/users/me")).status_code == 200
    made, told = await stored(world)
    assert made == told + before[0] - before[1]


async def test_an_insert_right_that_was_taken_away_fails_closed(world: World) -> None:
    robin = await world.sign_in()
    before = await stored(world)
    database = world.house.database
    if database.dialect.single_writer:
        forbid = (
            "CREATE TRIGGER no_more BEFORE INSERT ON audit_hot BEGIN SELECT RAISE(ABORT, 'no right'); END",
            "DROP TRIGGER no_more",
        )
    else:
        forbid = (
            "ALTER TABLE audit_hot ADD CONSTRAINT no_more CHECK (event = '') NOT VALID",
            "ALTER TABLE audit_hot DROP CONSTRAINT no_more",
        )
    await _tell(world, forbid[0])
    assert (await robin.get("/v1/users/me")).status_code == 503
    assert (await robin.post("/v1/api-keys", json={"label": "x"})).status_code == 503
    assert (await world.anonymous().get("/healthz")).status_code == 200
    await _tell(world, forbid[1])
    assert await stored(world) == before
    assert (await robin.post("/v1/api-keys", json={"label": "x"})).status_code == 201
    assert await stored(world) == (before[0] + 1, before[1] + 1)


async def _tell(world: World, statement: str) -> None:
    async with world.house.database.writing() as connection:
        await connection.exec_driver_sql(statement)
        await connection.commit()


async def test_a_server_that_went_away_is_unavailable_and_comes_back_by_itself(world: World) -> None:
    if world.house.database.dialect.single_writer:
        pytest.skip("a file has no server to lose")
    robin = await world.sign_in()
    cut = (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    async with world.house.database.writing() as connection:
        await connection.exec_driver_sql(cut)
    answers = [(await robin.get("/v1/users/me")).status_code for _ in range(12)]
    assert set(answers) <= {200, 503}
    assert answers[-1] == 200


async def test_a_file_locked_by_another_program_is_unavailable_and_not_for_ever(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not world.house.database.dialect.single_writer:
        pytest.skip("a server keeps no file to lock")
    monkeypatch.setattr("lumio.storage.unit.PATIENCE_SECONDS", 0.5)
    monkeypatch.setattr(world.house.journal, "_timeout", 0.5)
    robin = await world.sign_in()
    locked, release = threading.Event(), threading.Event()

    def hold() -> None:
        import sqlite3  # noqa: PLC0415 - only this program

        connection = sqlite3.connect(world.house.database.dialect.url.database or "", isolation_level=None)
        connection.execute("BEGIN IMMEDIATE")
        locked.set()
        release.wait(20)
        connection.execute("ROLLBACK")
        connection.close()

    thread = threading.Thread(target=hold)
    thread.start()
    await asyncio.to_thread(locked.wait)
    assert is_outage(await robin.get("/v1/users/me"))
    assert is_outage(await robin.post("/v1/api-keys", json={"label": "x"}))
    release.set()
    await asyncio.to_thread(thread.join)
    monkeypatch.undo()
    await _until_well(robin)


async def _until_well(client: httpx2.AsyncClient) -> None:
    for _ in range(60):
        if (await client.get("/v1/users/me")).status_code == 200:
            return
        await asyncio.sleep(0.1)
    pytest.fail("did not recover by itself")


async def test_a_house_on_a_database_that_is_not_there_answers_503_and_no_traceback(settings: Settings) -> None:
    house = build(settings, password_cost=CHEAP, key_cost=CHEAP)
    answer: Any = await World(house).bearer("nonsense").get("/readyz")
    assert answer.status_code == 503
    assert "Traceback" not in answer.text
    house.close_pools()
    with pytest.raises(Unavailable):
        await house.database.hot.row(_nothing())


def _nothing() -> Any:
    from lumio.authority.feed import NEWEST  # noqa: PLC0415 - only here

    return NEWEST
