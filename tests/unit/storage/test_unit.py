"""A unit: everything of it commits, or nothing does."""

import asyncio

import asyncpg
import pytest
from sqlalchemy import select, text, update
from sqlalchemy.exc import DBAPIError

from lumio.crypto.sealing import Sealer
from lumio.kernel.errors import Conflict, Unavailable
from lumio.storage import unit as unit_module
from lumio.storage.outbox import Outbox, messages
from lumio.storage.unit import Unit
from tests.support.ground import Ground, fact, things


class Stop(Exception):
    """Something that goes wrong in a service."""


async def test_a_change_its_event_and_its_message_commit_together(ground: Ground) -> None:
    outbox = Outbox(ground.database, Sealer(ground.ring, "outbox"))

    async def step(unit: Unit) -> str:
        await ground.make(unit, "a")
        unit.record(fact())
        unit.post(outbox.message("mail", {"to": "x"}))
        assert unit.recorded == ("thing.made",)
        return "done"

    assert await ground.units.run(step) == "done"
    assert (await ground.names(), await ground.told()) == (["a"], 1)
    assert len(await ground.rows(select(messages.c.id))) == 1


async def test_nothing_of_a_unit_that_fails_is_there(ground: Ground) -> None:
    outbox = Outbox(ground.database, Sealer(ground.ring, "outbox"))

    async def step(unit: Unit) -> None:
        await ground.make(unit, "a")
        unit.record(fact())
        unit.post(outbox.message("mail", {"to": "x"}))
        await unit.seal()
        raise Stop

    with pytest.raises(Stop):
        await ground.units.run(step)
    assert (await ground.names(), await ground.told()) == ([], 0)
    assert await ground.rows(select(messages.c.id)) == []


async def test_a_unit_whose_event_cannot_be_written_changes_nothing(ground: Ground) -> None:
    event = fact()
    object.__setattr__(event, "result", None)  # the journal's own constraint breaks

    async def step(unit: Unit) -> None:
        await ground.make(unit, "a")
        unit.record(event)

    with pytest.raises(Conflict):
        await ground.units.run(step)
    assert (await ground.names(), await ground.told()) == ([], 0)


async def test_nothing_is_seen_before_the_commit(ground: Ground) -> None:
    async def step(unit: Unit) -> None:
        await ground.make(unit, "a")
        unit.record(fact())
        await unit.seal()
        assert (await ground.names(), await ground.told()) == ([], 0)

    await ground.units.run(step)


async def test_a_sealed_unit_refuses_more_of_everything(ground: Ground) -> None:
    outbox = Outbox(ground.database, Sealer(ground.ring, "outbox"))

    async def step(unit: Unit) -> None:
        await unit.seal()
        await unit.seal()
        with pytest.raises(RuntimeError, match="statements"):
            await ground.make(unit, "a")
        with pytest.raises(RuntimeError, match="events"):
            unit.record(fact())
        with pytest.raises(RuntimeError, match="messages"):
            unit.post(outbox.message("mail", {"to": "x"}))

    await ground.units.run(step)
    assert (await ground.names(), await ground.told()) == ([], 0)


async def test_reading_never_changes_anything(ground: Ground) -> None:
    async def write(unit: Unit) -> None:
        await ground.make(unit, "a")

    async def sneak() -> None:
        async with ground.database.reading() as connection:
            await connection.execute(things.insert(), {"name": "a", "n": 0})
            await connection.commit()

    with pytest.raises(Unavailable):
        await sneak()
    assert await ground.names() == []
    await ground.units.run(write)
    with pytest.raises(Unavailable):
        await ground.units.read(lambda view: view.execute(update(things).values(n=1)))


async def test_a_read_sees_one_snapshot_from_its_first_statement_on(ground: Ground) -> None:
    async with ground.database.reading() as connection:
        assert (await connection.execute(select(things.c.name))).all() == []
        await ground.units.run(lambda unit: ground.make(unit, "a"))
        assert (await connection.execute(select(things.c.name))).all() == []
    assert await ground.names() == ["a"]


async def test_units_on_one_row_do_not_lose_each_other_s_change(ground: Ground) -> None:
    await ground.units.run(lambda unit: ground.make(unit, "a"))

    async def step(unit: Unit) -> None:
        await unit.lock(shared=(), exclusive=("thing:a",))
        row = (await unit.execute(select(things.c.n).where(things.c.name == "a"))).one()
        await unit.execute(update(things).where(things.c.name == "a").values(n=row.n + 1))

    await asyncio.gather(*[ground.units.run(step) for _ in range(20)])
    assert [row.n for row in await ground.rows(select(things.c.n))] == [20]


async def test_two_units_that_lock_the_same_subjects_in_any_order_both_end(ground: Ground) -> None:
    async def step(unit: Unit, *names: str) -> None:
        await unit.lock(shared=(), exclusive=names)
        await asyncio.sleep(0.001)

    subjects = [f"key:{number}" for number in range(8)]
    await asyncio.gather(
        *[
            ground.units.run(lambda unit, turn=turn: step(unit, *subjects[turn:], *subjects[:turn]))  # type: ignore[misc]
            for turn in range(8)
        ]
    )


def met_others() -> DBAPIError:
    """Return what the driver raises when two transactions met."""
    return DBAPIError("UPDATE", {}, asyncpg.SerializationError("could not serialize access"))


async def test_a_unit_that_met_others_is_run_again_and_then_commits_once(ground: Ground) -> None:
    if ground.database.dialect.single_writer:
        pytest.skip("with one writer nothing can be in the way")
    tries: list[Unit] = []

    async def step(unit: Unit) -> None:
        tries.append(unit)
        await ground.make(unit, "a")
        unit.record(fact())
        if len(tries) < 3:
            raise met_others()

    await ground.units.run(step)
    assert len(tries) == 3
    assert (await ground.names(), await ground.told()) == (["a"], 1)


async def test_a_unit_that_keeps_meeting_others_gives_up_as_unavailable(ground: Ground) -> None:
    if ground.database.dialect.single_writer:
        pytest.skip("with one writer nothing can be in the way")
    tries: list[Unit] = []

    async def step(unit: Unit) -> None:
        tries.append(unit)
        raise met_others()

    with pytest.raises(Unavailable):
        await ground.units.run(step)
    assert len(tries) == unit_module.ATTEMPTS


async def test_a_real_deadlock_is_retried_until_both_units_are_done(ground: Ground) -> None:
    if ground.database.dialect.single_writer:
        pytest.skip("with one writer nothing can be in the way")
    both = asyncio.Barrier(2)
    met: set[str] = set()

    async def step(unit: Unit, first: str, second: str) -> None:
        await unit.lock(shared=(), exclusive=(first,))
        if first not in met:
            met.add(first)
            await both.wait()
        await unit.lock(shared=(), exclusive=(second,))
        await ground.make(unit, first)

    await asyncio.gather(
        ground.units.run(lambda unit: step(unit, "a", "b")), ground.units.run(lambda unit: step(unit, "b", "a"))
    )
    assert await ground.names() == ["a", "b"]


async def test_a_broken_constraint_is_a_conflict(ground: Ground) -> None:
    await ground.units.run(lambda unit: ground.make(unit, "a"))
    with pytest.raises(Conflict):
        await ground.units.run(lambda unit: ground.make(unit, "a"))


async def test_a_statement_that_the_database_refuses_is_unavailable_and_no_traceback_of_the_driver(
    ground: Ground,
) -> None:
    with pytest.raises(Unavailable):
        await ground.units.run(lambda unit: unit.execute(text("SELECT * FROM nothing_of_this_name")))


async def test_what_waits_for_the_commit_runs_after_it_and_only_then(ground: Ground) -> None:
    ran: list[str] = []

    async def note(word: str) -> None:
        ran.append(word)

    async def good(unit: Unit) -> None:
        unit.after_commit.append(lambda: note("good"))
        await ground.make(unit, "a")
        assert ran == []

    async def bad(unit: Unit) -> None:
        unit.after_commit.append(lambda: note("bad"))
        raise Stop

    await ground.units.run(good)
    with pytest.raises(Stop):
        await ground.units.run(bad)
    assert ran == ["good"]


async def test_nobody_waits_longer_than_the_limit_and_a_late_unit_rolls_back(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unit_module, "PATIENCE_SECONDS", 0.1)
    go_on, ended = asyncio.Event(), asyncio.Event()

    async def slow(unit: Unit) -> None:
        await ground.make(unit, "late")
        unit.record(fact())
        await go_on.wait()
        ended.set()

    with pytest.raises(Unavailable, match="in time"):
        await ground.units.run(slow)
    go_on.set()
    await ended.wait()
    monkeypatch.undo()
    await ground.units.run(lambda unit: ground.make(unit, "next"))
    assert (await ground.names(), await ground.told()) == (["next"], 0)


async def test_a_unit_whose_asker_went_away_rolls_back(ground: Ground) -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def slow(unit: Unit) -> None:
        await ground.make(unit, "left")
        begun.set()
        await go_on.wait()

    task = asyncio.create_task(ground.units.run(slow))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    go_on.set()
    await ground.units.run(lambda unit: ground.make(unit, "next"))
    assert await ground.names() == ["next"]
