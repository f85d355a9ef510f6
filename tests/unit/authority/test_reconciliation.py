"""A database that went back is held against the journal before anything is served (I3, I4, I9); on both databases."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import pytest_asyncio
from sqlalchemy import delete, select, update

from lumio.authority import feed, nodes, reconciliation
from lumio.authority.choice import Place, choose
from lumio.authority.interface import Authority
from lumio.authority.leased import LeasedAuthority
from lumio.authority.ledger import Ledger
from lumio.authority.ledger_file import LedgerFile
from lumio.authority.reconciliation import REPLAYED, Reconciliation
from lumio.authority.subjects import EVERYTHING, Effect, Ending, Entry, Subject
from lumio.kernel.errors import Conflict, Unavailable
from lumio.settings import LEASE_LONGEST
from lumio.storage.unit import Unit
from tests.support.ground import LEASE, NODE, Ground

CHANGED = Subject("role", "a-1,u-1")


def key(name: str) -> Subject:
    return Subject("key", name)


class Host:
    """A host with a journal of its own, and an authority that writes into it; `again` is what it did again."""

    def __init__(self, ground: Ground, folder: Path) -> None:
        self.file = LedgerFile(folder)
        self.outside = Reconciliation(Ledger(self.file), ground.units)
        self.authority: Authority = choose(ground.database, Place(NODE, lease_seconds=LEASE), self.outside)
        self.again: list[str] = []
        self.outside.entrust(dict.fromkeys(("key", "role", "all"), self.do_again))
        self._ground = ground

    async def do_again(self, unit: Unit, rows: Sequence[Entry]) -> int:
        for row in rows:
            await self._ground.make(unit, f"again {row.ending.subject} {len(self.again)}")
            self.again.append(str(row.ending.subject))
        return len(rows)

    async def end(self, *subjects: Subject, effect: Effect = "ended") -> int:
        endings = [Ending(one, effect, "robin", "revoked") for one in subjects]
        return (await self._ground.units.run(lambda unit: self.authority.end(unit, endings))).seq

    def noted(self) -> list[tuple[int, str]]:
        return [(one.seq, one.ending.subject.id) for one in self.file.rows()]


@pytest_asyncio.fixture
async def host(ground: Ground, tmp_path: Path) -> Host:
    await rows_are(ground, 0)
    return Host(ground, tmp_path / "journal")


async def rows_are(ground: Ground, seq: int, epoch: int = 1) -> None:
    """Take the feed back to a number, as a restore does."""

    async def step(unit: Unit) -> None:
        await unit.execute(delete(feed.revocations).where(feed.revocations.c.seq > seq))
        await unit.execute(update(feed.counter).values(n=seq, epoch=epoch))

    await ground.units.run(step)


async def until(true: Callable[[], bool]) -> None:
    """Wait a few seconds for something that tells nobody when it happens."""
    async with asyncio.timeout(5):
        while not true():  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def reached(host: Host, seq: int) -> None:
    """Wait until an authority serves, and knows a number."""
    authority = host.authority
    assert isinstance(authority, LeasedAuthority)
    await until(lambda: authority.fresh() and authority.memory.cursor >= seq)


async def state(ground: Ground) -> tuple[int, int]:
    (row,) = await ground.rows(select(feed.counter))
    return row.n, row.epoch


async def in_the_feed(ground: Ground) -> list[tuple[int, str, str]]:
    rows = await ground.rows(select(feed.revocations).order_by(feed.revocations.c.seq))
    return [(row.seq, row.subject_id, row.effect) for row in rows]


async def test_a_revocation_is_in_the_journal_before_it_is_acknowledged(host: Host) -> None:
    seq = await host.end(key("a"), key("b"))
    assert host.noted() == [(seq - 1, "a"), (seq, "b")]
    (first, _) = host.file.rows()
    assert (first.epoch, first.ending.actor, first.ending.reason) == (1, "robin", "revoked")


async def test_one_that_cannot_be_noted_is_committed_and_not_acknowledged(host: Host, ground: Ground) -> None:
    host.file.path.parent.write_text("a file where a folder belongs")
    with pytest.raises(Unavailable, match="journal of revocations"):
        await host.end(key("a"))
    assert await in_the_feed(ground) == [(1, "a", "ended")]


async def test_a_database_that_lacks_nothing_stays_as_it_is(host: Host, ground: Ground) -> None:
    await host.end(key("a"))
    found = await host.outside.run()
    assert (found.seq, found.lost, host.again) == (1, 0, [])
    assert await state(ground) == (1, 1)


async def test_what_was_lost_is_done_again_above_every_number_that_was_ever_given(host: Host, ground: Ground) -> None:
    await host.end(key("a"))
    await host.end(key("b"), CHANGED)
    await rows_are(ground, 1)
    found = await host.outside.run()
    assert (found.lost, found.epoch, dict(found.changed)) == (2, 2, {"key": 1, "role": 1})
    assert host.again == ["key:b", "role:a-1,u-1"]
    rows = await in_the_feed(ground)
    assert rows[:3] == [(1, "a", "ended"), (2, "b", "ended"), (3, CHANGED.id, "ended")]
    assert [(name, effect) for _, name, effect in rows[3:]] == [("b", "ended"), (CHANGED.id, "changed")]
    assert rows[3][0] > 3 + 10_000
    assert await state(ground) == (rows[-1][0], 2)
    assert await ground.told(REPLAYED) == 1


async def test_it_is_done_once(host: Host, ground: Ground) -> None:
    await host.end(key("a"))
    await rows_are(ground, 0)
    await host.outside.run()
    before = await state(ground)
    assert (await host.outside.run()).lost == 0
    assert host.again == ["key:a"]
    assert await state(ground) == before


async def test_another_restore_does_it_again_and_epochs_only_grow(host: Host, ground: Ground) -> None:
    await host.end(key("a"))
    await rows_are(ground, 0)
    await host.outside.run()
    first = await state(ground)
    await rows_are(ground, 0)
    found = await host.outside.run()
    assert (found.epoch, host.again) == (3, ["key:a", "key:a"])
    last = await state(ground)
    assert last[0] > first[0]
    assert last[1] == 3


async def test_two_that_find_it_at_the_same_time_do_it_once(host: Host, ground: Ground) -> None:
    await host.end(key("a"))
    await rows_are(ground, 0)
    other = Host(ground, host.file.path.parent)
    await asyncio.gather(host.outside.run(), other.outside.run())
    assert host.again + other.again == ["key:a"]
    assert (await state(ground))[1] == 2


async def test_a_host_that_knows_more_adds_what_the_first_could_not_know(
    host: Host, ground: Ground, tmp_path: Path
) -> None:
    other = Host(ground, tmp_path / "other")
    await host.end(key("a"))
    await other.outside.run()  # notes what the database has
    await other.outside.ledger.close()
    await other.end(key("b"))
    await rows_are(ground, 0)
    await host.outside.run()
    found = await other.outside.run()
    assert (host.again, other.again, found.epoch) == (["key:a"], ["key:b"], 3)
    assert (await state(ground))[1] == 3


async def test_the_journal_learns_what_the_database_has_and_it_has_not(host: Host, ground: Ground) -> None:
    await host.end(key("a"))
    await ground.units.run(lambda unit: ground.authority.end(unit, [Ending(key("b"), "ended", "robin", "crashed")]))
    await host.outside.run()
    await host.outside.ledger.close()
    assert host.noted() == [(1, "a"), (2, "b")]


async def test_a_number_that_another_timeline_gave_again_hides_nothing(host: Host, ground: Ground) -> None:
    await host.end(key("a"))
    await rows_are(ground, 0)
    await ground.units.run(lambda unit: ground.authority.end(unit, [Ending(key("b"), "ended", "robin", "unnoted")]))
    assert (await host.outside.run()).lost == 1
    assert host.again == ["key:a"]
    assert (await in_the_feed(ground))[0] == (1, "b", "ended")


async def test_everything_is_lost_and_done_again_as_everything(host: Host, ground: Ground) -> None:
    await host.end(EVERYTHING, effect="all")
    await rows_are(ground, 0)
    await host.outside.run()
    assert host.again == ["all:*"]
    assert (await in_the_feed(ground))[-1][1:] == ("*", "all")


async def test_a_kind_that_nobody_can_end_stops_it_and_changes_nothing(host: Host, ground: Ground) -> None:
    await host.end(key("a"), Subject("grant", "g"))
    await rows_are(ground, 0)
    with pytest.raises(Unavailable, match="nobody here can end a grant"):
        await host.outside.run()
    assert (await state(ground), await ground.names()) == ((0, 1), [])


async def test_nothing_is_served_before_it_is_known_what_is_missing(host: Host, ground: Ground) -> None:
    await host.end(key("a"), Subject("grant", "g"))
    await rows_are(ground, 0)
    if ground.database.dialect.single_writer:
        with pytest.raises(Unavailable, match="nobody here"):
            await host.authority.open()
        await host.authority.close()
        return
    await host.authority.open()
    try:
        await asyncio.sleep(0.8)
        assert not host.authority.fresh()
        with pytest.raises(Unavailable, match="nobody here"):
            await host.authority.stamp()
        host.outside.entrust(dict.fromkeys(("key", "grant"), host.do_again))
        await reached(host, 1_000_000)
        assert host.again == ["key:a", "grant:g"]
    finally:
        await host.authority.close()


async def test_a_conflict_in_a_replay_is_unavailable_and_not_the_end_of_the_tail(host: Host, ground: Ground) -> None:
    async def clash(_unit: Unit, _rows: Sequence[Entry]) -> int:
        raise Conflict("taken")

    await host.end(key("a"))
    await rows_are(ground, 0)
    host.outside.entrust({"key": clash})
    with pytest.raises(Unavailable, match="taken"):
        await host.outside.run()


async def test_a_running_node_notices_within_seconds_and_serves_nothing_meanwhile(host: Host, ground: Ground) -> None:
    if ground.database.dialect.single_writer:
        pytest.skip("a replaced file stops its server")
    await host.authority.open()
    try:
        await host.end(key("a"))
        await reached(host, 1)
        await rows_are(ground, 0)
        await until(lambda: host.again == ["key:a"])
        await reached(host, 1_000_000)
    finally:
        await host.authority.close()
    assert len({seq for seq, _ in host.noted()}) == len(host.noted()) == 2


async def test_a_running_node_notices_though_the_counter_has_caught_up(
    host: Host, ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    if ground.database.dialect.single_writer:
        pytest.skip("a replaced file stops its server")
    await host.authority.open()
    try:
        await host.end(key("a"))
        await reached(host, 1)
        monkeypatch.setattr(reconciliation, "OVERLAP", 0)

        async def step(unit: Unit) -> None:
            await unit.execute(delete(feed.revocations))
            await unit.execute(update(feed.counter).values(n=0))
            await ground.authority.end(unit, [Ending(key("b"), "ended", "robin", "in the restored one")])

        await ground.units.run(step)
        await until(lambda: host.again == ["key:a"])
    finally:
        await host.authority.close()


async def test_a_file_that_went_back_under_a_running_server_stops_it(host: Host, ground: Ground) -> None:
    if not ground.database.dialect.single_writer:
        pytest.skip("a fleet holds the database against the journal instead")
    await host.authority.open()
    await host.end(key("a"))
    assert await host.authority.stamp() == 1
    await rows_are(ground, 0)
    with pytest.raises(Unavailable, match="older state"):
        await host.authority.stamp()
    await host.end(key("b"))
    await host.end(key("c"))
    for asked in (host.authority.stamp(), host.authority.unchanged(1, [])):
        with pytest.raises(Unavailable, match="older state"):
            await asked
    assert not host.authority.fresh()
    await host.authority.close()


async def test_i10_after_a_restore_nodes_that_it_forgot_are_outlasted(host: Host, ground: Ground) -> None:
    if ground.database.dialect.single_writer:
        pytest.skip("one file has no nodes")
    await host.end(key("a"))
    await rows_are(ground, 0)
    await host.authority.open()
    try:
        await reached(host, 1)
        seq = await host.end(key("b"))
        assert not await host.authority.effective(seq, 0.5)
        (unknown,) = await ground.rows(select(nodes.nodes).where(nodes.nodes.c.name == nodes.UNKNOWN))
        assert unknown.lease_seconds == LEASE_LONGEST
    finally:
        await host.authority.close()
