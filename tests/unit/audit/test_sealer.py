"""The sealer: every event gets one place in the chain, whatever way it came."""

import asyncio
import json
from hashlib import sha256
from typing import Any

import pytest
from sqlalchemy import delete, select

from lumio.audit.heads import HeadFile
from lumio.audit.sealer import HEAD_EVENTS, Sealer
from lumio.audit.store.sealing import SealStore
from lumio.crypto.chain import GENESIS
from lumio.crypto.notary import Notary
from lumio.kernel import clock
from lumio.kernel.errors import Unavailable
from lumio.kernel.event import ANONYMOUS, Counted, Event, Origin
from lumio.storage.events import events, hot, tally
from lumio.storage.sealed import account_chain, chain, log, seal, segment
from lumio.storage.unit import Unit
from tests.support.ground import Ground, fact


@pytest.fixture
def sealer(ground: Ground) -> Sealer:
    heads = HeadFile(ground.settings.audit_heads)
    return Sealer(SealStore(ground.database.dialect), ground.units, Notary(ground.ring), heads)


async def sealed(ground: Ground) -> list[Any]:
    """Return the sealed rows with their places, in order."""
    both = select(seal, log).join(log, seal.c.position == log.c.position).order_by(seal.c.position)
    return list(await ground.rows(both))


async def test_every_row_leaves_the_journal_into_one_place_without_a_gap(ground: Ground, sealer: Sealer) -> None:
    await sealer.run(everything=True)
    before = (await ground.rows(select(chain.c.position)))[0][0]
    for number in range(300):
        await ground.journal.append(fact(label=str(number)))

    async def change(unit: Unit) -> None:
        await ground.make(unit, "a")
        unit.record(fact("thing.renamed"))

    await ground.units.run(change)
    assert await sealer.run() == 301
    rows = await sealed(ground)
    assert [row.position for row in rows] == list(range(1, before + 302))
    assert [json.loads(row.detail)["label"] for row in rows[before:-1]] == [str(number) for number in range(300)]
    assert rows[-1].event == "thing.renamed"
    assert await ground.rows(select(hot.c.id)) == []
    assert len(await ground.rows(select(events.c.id))) == len(rows)


async def test_the_chains_end_is_what_the_leaves_make_of_it(ground: Ground, sealer: Sealer) -> None:
    for number in range(20):
        event = fact(label=str(number))
        object.__setattr__(event, "account_id", f"account-{number % 3}")
        await ground.journal.append(event)
    await sealer.run(everything=True)
    end, ends = GENESIS, dict[str, bytes]()
    for row in await sealed(ground):
        end = sha256(b"\1" + end + row.leaf).digest()
        assert row.chain == end
        if row.account_id is None:
            assert row.account_prev is None
            continue
        assert row.account_prev == ends.get(row.account_id, GENESIS)
        ends[row.account_id] = sha256(b"\1" + row.account_prev + row.leaf).digest()
    (state,) = await ground.rows(select(chain))
    assert (state.position, state.chain) == (len(await sealed(ground)), end)
    assert {row.account_id: row.chain for row in await ground.rows(select(account_chain))} == ends


async def test_a_unit_that_fails_after_it_moved_rows_leaves_all_of_them_in_the_journal(
    ground: Ground, sealer: Sealer, monkeypatch: pytest.MonkeyPatch
) -> None:
    await sealer.run(everything=True)
    before = await sealed(ground)
    for number in range(30):
        ground.journal.begin(fact(label=str(number)))
    await ground.journal.append(fact())

    async def broken(*_: object) -> None:
        raise Unavailable("the disk is full")

    with monkeypatch.context() as patched:
        patched.setattr(sealer._store, "grow_segment", broken)
        with pytest.raises(Unavailable):
            await sealer.run()
    assert await sealed(ground) == before
    assert len(await ground.rows(select(hot.c.id))) > 0
    await sealer.run()
    rows = await sealed(ground)
    assert [row.position for row in rows] == list(range(1, len(rows) + 1))
    assert sum(row._mapping["count"] for row in rows[len(before) :]) == 31


async def test_a_backlog_of_many_slices_is_one_chain_in_the_order_of_the_journal(
    ground: Ground, sealer: Sealer, monkeypatch: pytest.MonkeyPatch
) -> None:
    await sealer.run(everything=True)
    monkeypatch.setattr(sealer._store, "slice", 7)
    for number in range(40):
        event = fact(label=str(number))
        object.__setattr__(event, "account_id", f"account-{number % 5}")
        ground.journal.begin(event)
    await ground.journal.append(fact(label="last"))
    assert await sealer.run() == 41
    rows = (await sealed(ground))[-41:]
    assert [json.loads(row.detail)["label"] for row in rows] == [*map(str, range(40)), "last"]
    previous = rows[0].chain
    for row in rows[1:]:
        previous = sha256(b"\1" + previous + row.leaf).digest()
        assert row.chain == previous
    ends = {row.account_id: sha256(b"\1" + row.account_prev + row.leaf).digest() for row in rows if row.account_id}
    kept = {row.account_id: (row.chain, row._mapping["count"]) for row in await ground.rows(select(account_chain))}
    assert {account: kept[account] for account in ends} == {account: (end, 8) for account, end in ends.items()}


async def test_a_tally_is_sealed_when_its_minute_is_over_and_what_comes_later_is_counted_too(
    ground: Ground, sealer: Sealer, monkeypatch: pytest.MonkeyPatch
) -> None:
    guess = Event("auth.failed", "failure", ANONYMOUS, Origin("203.0.113.7", "peer")).failed("unknown")
    counted = Counted("address/203.0.113.7/1", until=clock.to_micros(clock.now()) + 60_000_000)
    await asyncio.gather(*(ground.journal.append(guess, counted) for _ in range(7)))
    await sealer.run()
    assert [row.count for row in await ground.rows(select(tally.c.count))] == [7]
    later = clock.from_micros(counted.until + 1)
    monkeypatch.setattr(clock, "now", lambda: later)
    await sealer.run()
    assert await ground.rows(select(tally)) == []
    await ground.journal.append(guess, counted)
    await sealer.run()
    rows = [row for row in await sealed(ground) if row.event == "auth.failed"]
    assert [row._mapping["count"] for row in rows] == [7, 1]


async def test_two_sealers_at_once_seal_each_row_once(ground: Ground, sealer: Sealer) -> None:
    await sealer.run(everything=True)
    for number in range(600):
        ground.journal.begin(fact(label=str(number)))
    await ground.journal.append(fact())
    await asyncio.gather(*(sealer.run() for _ in range(4)))
    await sealer.run()
    found = [row.id for row in await sealed(ground)]
    assert len(found) == len(set(found))
    assert await ground.rows(select(hot.c.id)) == []


async def test_a_head_leaves_at_once_after_1024_events_and_a_minute_later_else(
    ground: Ground, sealer: Sealer, monkeypatch: pytest.MonkeyPatch
) -> None:
    heads, start = HeadFile(ground.settings.audit_heads), clock.to_micros(clock.now()) + 3600_000_000
    left: list[int] = []
    for minutes, more in ((0, 1), (0, 1), (0, HEAD_EVENTS), (0, 1), (1, 1), (1, 0), (2, 0)):
        moment = clock.from_micros(start + minutes * 60_000_000)
        monkeypatch.setattr(clock, "now", lambda moment=moment: moment)
        for number in range(more):
            ground.journal.begin(fact(label=str(number)))
        await ground.journal.append(fact()) if more else None
        await sealer.run()
        left.append(len(list(heads.read())))
    assert [count - left[0] for count in left] == [0, 0, 1, 1, 2, 2, 2]
    assert all(Notary(ground.ring).genuine(statement or {}) for _, statement in heads.read())
    (state,) = await ground.rows(select(chain))
    _, last = list(heads.read())[-1]
    assert last is not None
    assert (last["position"], last["chain"]) == (state.position, state.chain.hex())
    assert state.head_position == state.position


async def test_segments_are_runs_of_one_day_in_order(
    ground: Ground, sealer: Sealer, monkeypatch: pytest.MonkeyPatch
) -> None:
    day = 86_400_000_000
    start = clock.to_micros(clock.now())
    for jump in (0, 0, 1, 100, 2):
        monkeypatch.setattr(clock, "now", lambda jump=jump: clock.from_micros(start + jump * day))
        await ground.journal.append(fact(label=str(jump)))
        await sealer.run(everything=True)
    runs = await ground.rows(select(segment).order_by(segment.c.first))
    assert [run.day - runs[0].day for run in runs] == [0, 1, 100, 2]
    assert [run.first for run in runs[1:]] == [run.last + 1 for run in runs[:-1]]
    assert runs[-1].last == (await ground.rows(select(chain.c.position)))[0][0]


async def looked(ground: Ground, sealer: Sealer) -> Any:
    """Return what a sealer makes ready before its unit: nothing on PostgreSQL, where nobody waits for it."""
    _, ready = await ground.units.read(lambda view: sealer._look(view, clock.now()))
    return ready


async def test_what_was_made_ready_counts_for_nothing_when_another_sealer_came_between(
    ground: Ground, sealer: Sealer
) -> None:
    await sealer.run(everything=True)
    for number in range(5):
        await ground.journal.append(fact(label=str(number)))
    ready = await looked(ground, sealer)
    assert (ready is not None) == ground.database.dialect.single_writer
    await sealer.run()
    for number in range(5, 10):
        await ground.journal.append(fact(label=str(number)))
    assert await ground.units.run(lambda unit: sealer._seal(unit, clock.now(), ready)) == 5
    rows = (await sealed(ground))[-10:]
    assert [json.loads(row.detail)["label"] for row in rows] == [str(number) for number in range(10)]
    end, first = rows[0].chain, rows[0].position
    for place, row in enumerate(rows[1:], first + 1):
        end = sha256(b"\1" + end + row.leaf).digest()
        assert (row.position, row.chain) == (place, end)


async def test_a_row_that_vanished_from_the_journal_is_not_sealed_from_memory(ground: Ground, sealer: Sealer) -> None:
    await sealer.run(everything=True)
    before = len(await sealed(ground))
    for number in range(3):
        await ground.journal.append(fact(label=str(number)))
    ready = await looked(ground, sealer)
    gone = (await ground.rows(select(hot.c.n)))[1][0]
    await ground.units.run(lambda unit: unit.execute(delete(hot).where(hot.c.n == gone)))

    async def seal_all(unit: Unit) -> int:
        return await sealer._seal(unit, clock.now(), ready)

    if ready is None:
        assert await ground.units.run(seal_all) == 2
    else:
        with pytest.raises(RuntimeError, match="2 of 3 rows"):
            await ground.units.run(seal_all)
        assert len(await ground.rows(select(hot.c.n))) == 2, "the unit took nothing"
        assert await sealer.run() == 2
    assert len(await sealed(ground)) == before + 2
