"""The journal: when `append` returns the row is on disk, and when it is not, nobody is told that it is."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest

from lumio.kernel.errors import Unavailable
from lumio.kernel.event import ANONYMOUS, Actor, Counted, Event, Origin
from lumio.storage import journal as journal_module
from lumio.storage.events import NAMES, events
from lumio.storage.folding import VARIOUS, Row, Tally
from lumio.storage.journal import Journal
from lumio.storage.sinks import Sink
from lumio.storage.unit import Unit
from tests.support.ground import NODE, Ground, fact

COUNT = NAMES.index("count")


class Watched:
    """A sink that writes through the real one, and counts; it fails or hangs while told to."""

    def __init__(self, real: Sink) -> None:
        self.real = real
        self.batches: list[int] = []
        self.problem: BaseException | None = None
        self.gate = asyncio.Event()
        self.gate.set()

    async def open(self) -> None:
        await self.real.open()

    async def write(self, rows: Sequence[Row], tallies: Sequence[Tally]) -> None:
        await self.gate.wait()
        if self.problem is not None:
            raise self.problem
        self.batches.append(sum(row[COUNT] for row in rows))
        await self.real.write(rows, tallies)

    async def close(self) -> None:
        await self.real.close()


@asynccontextmanager
async def watched(ground: Ground, limit: float = 5) -> AsyncIterator[tuple[Journal, Watched]]:
    journal = Journal(ground.database, NODE, limit)
    sink = Watched(journal._sink)
    journal._sink = sink
    await journal.open()
    try:
        yield journal, sink
    finally:
        await journal.close()


async def test_append_returns_only_when_another_connection_can_read_the_row(ground: Ground) -> None:
    for number in range(1, 6):
        await ground.journal.append(fact())
        assert await ground.told() == number


async def test_before_that_append_has_not_returned(ground: Ground) -> None:
    async with watched(ground) as (journal, sink):
        sink.gate.clear()
        task = asyncio.create_task(journal.append(fact()))
        await asyncio.sleep(0.05)
        assert not task.done()
        assert await ground.told() == 0
        sink.gate.set()
        await task
        assert await ground.told() == 1


async def test_five_hundred_at_once_are_all_there_exactly_once_in_far_fewer_commits(ground: Ground) -> None:
    async with watched(ground) as (journal, sink):
        made = [fact(label=str(number)) for number in range(500)]
        await asyncio.gather(*map(journal.append, made))
        found = [row.id for row in await ground.rows(events.select().where(events.c.event == "thing.made"))]
        assert sorted(found) == sorted(event.id for event in made)
        assert sum(sink.batches) == 500
        assert len(sink.batches) < 50


async def test_events_of_one_batch_that_agree_are_one_row_with_their_exact_count(ground: Ground) -> None:
    async with watched(ground) as (journal, sink):
        sink.gate.clear()
        made = [fact(label="busy" if number % 3 else "idle") for number in range(300)]
        waiting = [asyncio.create_task(journal.append(event)) for event in made]
        await asyncio.sleep(0.05)
        sink.gate.set()
        await asyncio.gather(*waiting)
    rows = await ground.rows(events.select().where(events.c.event == "thing.made", events.c.count > 1))
    assert sorted(row.count for row in rows) == [100, 200]
    assert {row.request_id for row in rows} == {None}
    assert all(row.ts < row.last_ts for row in rows)
    assert await ground.told() == 300


async def test_a_counted_event_raises_one_row_across_batches_and_nodes_keep_their_own(ground: Ground) -> None:
    far, near = Origin("203.0.113.7", "peer", "curl/8"), Origin("203.0.113.9", "peer", "curl/8")
    counted = Counted("address/203.0.113.0/1", until=2**60)
    for origin, reason in ((far, "unknown"), (far, "unknown"), (near, "malformed")):
        fakes = [Event("auth.failed", "failure", ANONYMOUS, origin).failed(reason) for _ in range(7)]
        await asyncio.gather(*(ground.journal.append(one, counted) for one in fakes))
    other = Journal(ground.database, "node-u", 5)
    await other.open()
    await other.append(Event("auth.failed", "failure", ANONYMOUS, far).failed("unknown"), counted)
    await other.close()
    mine, yours = sorted(
        await ground.rows(events.select().where(events.c.event == "auth.failed")), key=lambda row: row.node
    )
    assert (mine.count, mine.ip, mine.user_agent, mine.detail) == (21, None, "curl/8", VARIOUS)
    assert (yours.count, yours.ip, yours.detail) == (1, "203.0.113.7", '{"reason":"unknown"}')


async def test_what_queues_up_during_a_commit_is_the_next_batch(ground: Ground) -> None:
    async with watched(ground) as (journal, sink):
        sink.gate.clear()
        first = asyncio.create_task(journal.append(fact()))
        await asyncio.sleep(0.02)
        rest = [asyncio.create_task(journal.append(fact())) for _ in range(30)]
        await asyncio.sleep(0.02)
        sink.gate.set()
        await asyncio.gather(first, *rest)
        assert sink.batches == [1, 30]


async def test_a_row_holds_every_text_as_it_was(ground: Ground) -> None:
    label = "żółć 😀 ' \" \\ \n \u202e {} [] %s ?"
    await ground.journal.append(fact(label=label))
    (row,) = await ground.rows(events.select().where(events.c.event == "thing.made"))
    assert label in json.loads(row.detail).values()
    assert (row.node, row.count, row.last_ts) == (NODE, 1, None)


async def test_what_is_too_long_for_its_column_is_whole_or_refused_and_never_cut_off(ground: Ground) -> None:
    name = "x" * 65
    refused = False
    try:
        await ground.journal.append(Event(name, "success", ANONYMOUS, Origin()))
    except Unavailable:
        refused = True
    assert (await ground.told(name), await ground.told(name[:64])) == (0 if refused else 1, 0)
    await ground.journal.append(fact())
    assert await ground.told() == 1


PROBLEMS = [
    OSError(28, "No space left on device"),
    TimeoutError(),
    ConnectionResetError(),
    RuntimeError("cannot schedule new futures after shutdown"),
    EOFError(),
    KeyError("x"),
]


@pytest.mark.parametrize("problem", PROBLEMS, ids=lambda problem: type(problem).__name__)
async def test_a_failing_sink_fails_every_waiter_and_recovers_by_itself(ground: Ground, problem: Exception) -> None:
    async with watched(ground) as (journal, sink):
        sink.problem = problem
        answers = await asyncio.gather(*[journal.append(fact()) for _ in range(5)], return_exceptions=True)
        assert [type(answer) for answer in answers] == [Unavailable] * 5
        assert await ground.told() == 0
        sink.problem = None
        await journal.append(fact())
        assert await ground.told() == 1


async def test_a_hanging_sink_is_unavailable_within_the_limit_and_recovers_by_itself(ground: Ground) -> None:
    async with watched(ground, limit=0.2) as (journal, sink):
        sink.gate.clear()
        started = asyncio.get_running_loop().time()
        answers = await asyncio.gather(*[journal.append(fact()) for _ in range(5)], return_exceptions=True)
        assert [type(answer) for answer in answers] == [Unavailable] * 5
        assert asyncio.get_running_loop().time() - started < 2
        sink.gate.set()
        for _ in range(3):
            await journal.append(fact())
        assert await ground.told() == 8


async def test_the_limit_counts_from_the_moment_an_event_is_queued(ground: Ground) -> None:
    async with watched(ground, limit=0.2) as (journal, sink):
        sink.gate.clear()
        pending = journal.begin(fact())
        await asyncio.sleep(0.3)
        started = asyncio.get_running_loop().time()
        with pytest.raises(Unavailable):
            await pending
        assert asyncio.get_running_loop().time() - started < 0.15
        sink.gate.set()


async def test_a_success_that_comes_by_the_thousand_is_told_like_any_other(ground: Ground) -> None:
    actor = Actor("api_key", "k-1", "ci\0" + "x" * 400, "u-1", "api_key", "k-1")
    origin = Origin("::1", "peer", "a\0", "r")
    await ground.journal.append(Event("thing.made", "success", actor, origin, account_id="a-1"))
    await ground.journal.succeeded("thing.made", actor, origin, "a-1")
    one, other = [
        {name: getattr(row, name) for name in NAMES if name not in {"id", "ts"}}
        for row in await ground.rows(events.select().where(events.c.event == "thing.made"))
    ]
    assert one == other


async def test_who_comes_late_to_a_hanging_store_has_the_whole_limit_too(ground: Ground) -> None:
    async with watched(ground, limit=0.4) as (journal, sink):
        sink.gate.clear()
        early = [asyncio.create_task(journal.append(fact())) for _ in range(2)]
        await asyncio.sleep(0.25)
        late = asyncio.create_task(journal.append(fact()))
        answers = await asyncio.gather(*early, return_exceptions=True)
        assert [type(answer) for answer in answers] == [Unavailable] * 2
        sink.gate.set()
        await late
        assert await ground.told() == 3


async def test_a_full_queue_refuses_more_at_once(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal_module, "QUEUE_MAX", 3)
    async with watched(ground) as (journal, sink):
        sink.gate.clear()
        waiting = [asyncio.create_task(journal.append(fact()))]
        await asyncio.sleep(0.02)
        waiting += [asyncio.create_task(journal.append(fact())) for _ in range(3)]
        await asyncio.sleep(0.02)
        with pytest.raises(Unavailable, match="full"):
            await journal.append(fact())
        sink.gate.set()
        await asyncio.gather(*waiting)
        assert await ground.told() == 4


async def test_a_waiter_that_leaves_takes_nobody_along(ground: Ground) -> None:
    async with watched(ground) as (journal, sink):
        sink.gate.clear()
        tasks = [asyncio.create_task(journal.append(fact())) for _ in range(3)]
        await asyncio.sleep(0.02)
        tasks[1].cancel()
        sink.gate.set()
        await asyncio.gather(tasks[0], tasks[2])
        assert await ground.told() == 3


async def test_close_writes_what_waits(ground: Ground) -> None:
    async with watched(ground) as (journal, sink):
        sink.gate.clear()
        pending = [journal.begin(fact()) for _ in range(1200)]
        asyncio.get_running_loop().call_later(0.05, sink.gate.set)
    assert all(one.done and one.problem is None for one in pending)
    assert await ground.told() == 1200


async def test_an_event_that_cannot_be_written_down_is_the_caller_s_error_and_nobody_else_s(ground: Ground) -> None:
    wrong = fact()
    object.__setattr__(wrong, "detail", {"label": object()})
    with pytest.raises(TypeError):
        await ground.journal.append(wrong)
    await ground.journal.append(fact())
    assert await ground.told() == 1


async def test_units_and_the_journal_write_side_by_side(ground: Ground) -> None:
    async def make(number: int) -> None:
        async def step(unit: Unit) -> None:
            await ground.make(unit, f"thing-{number}")
            unit.record(fact())

        await ground.units.run(step)

    await asyncio.gather(*[make(number) for number in range(20)], *[ground.journal.append(fact()) for _ in range(20)])
    assert (len(await ground.names()), await ground.told()) == (20, 40)


async def test_two_hosts_that_were_given_one_name_do_not_lock_shared_rows_crosswise(ground: Ground) -> None:
    if ground.database.dialect.single_writer:
        pytest.skip("one writer has nobody to wait for crosswise")
    names = [Counted(f"address/192.0.2.{number}/1", until=2**60) for number in range(40)]
    sinks = [Journal(ground.database, NODE, 5)._sink for _ in range(2)]
    told = [Event("auth.failed", "failure", ANONYMOUS, Origin()).row(NODE) for _ in names]
    rows = [tuple(one[column] for column in NAMES) for one in told]
    batch = [Tally(f"{NODE}/{one.name}", one.until, row) for one, row in zip(names, rows, strict=True)]
    for sink in sinks:
        await sink.open()
    try:
        for _ in range(20):
            await asyncio.gather(sinks[0].write(rows[:1], batch), sinks[1].write(rows[:1], batch[::-1]))
    finally:
        for sink in sinks:
            await sink.close()
    assert await ground.told("auth.failed") == 2 * 20 * (len(batch) + 1)
