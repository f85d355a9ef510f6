"""Promise R as a machine of states: hypothesis puts questions, answers, reads, commits and time into any order.

Promise: after every step I1, I2, I3, I4, I6, I10 and I11 hold on both nodes, with the real authority between them.
"""

import asyncio
from dataclasses import dataclass, replace
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from lumio.authority.interface import Status
from lumio.authority.lease import WALL_JUMP, silence
from lumio.authority.memory import STATUS_SECONDS, TOMBSTONE_SECONDS
from lumio.authority.subjects import EVERYTHING, Effect, Entry, Subject
from lumio.kernel import clock
from lumio.kernel.errors import Unavailable
from tests.simulation.desk import CREDENTIALS, SUBJECTS, Desk, DeskNode, Facts
from tests.support.on_paper import LEASE

W = silence(LEASE)
EPSILON = 1e-3
WAYS = ("whole", "whole", "whole", "again", "gap", "short", "lost")
ENDED: list[tuple[Subject, Effect]] = [(one, "changed" if one.kind == "role" else "ended") for one in SUBJECTS]
ENDED.append((EVERYTHING, "all"))
PLACES = st.sampled_from((0, 1))
NAMES = st.sampled_from(tuple(CREDENTIALS))
WHAT = st.sampled_from(ENDED)
SECONDS = st.sampled_from((0.3, 6.0, LEASE - EPSILON, LEASE, W + EPSILON, STATUS_SECONDS, TOMBSTONE_SECONDS))


@dataclass(slots=True)
class Asked:
    """A request between its check on arrival and its answer."""

    node: DeskNode
    name: str
    status: Status[Facts]


@dataclass(slots=True)
class Read:
    """A status that is being read."""

    node: DeskNode
    name: str
    gate: asyncio.Event
    task: "asyncio.Task[Status[Facts] | None]"


class Fleet(RuleBasedStateMachine):
    """Two nodes that begin with a lease each, and know every credential."""

    def __init__(self) -> None:
        super().__init__()
        self.desk = Desk()
        self.patches = [patch.object(clock, one, lambda: self.desk.now) for one in ("monotonic", "boottime")]
        for one in self.patches:
            one.start()
        self.everywhere: list[Entry] = []
        self.asked: list[Asked] = []
        self.reads: list[Read] = []
        self.cursors: dict[str, tuple[int, int]] = {}
        self.desk.commit(Subject("key", "of old"), "ended")
        for place in (0, 1):
            self.proven(place)
            for name in CREDENTIALS:
                self.begin_read(place, name)
                self.end_read(0)
        self.asked.clear()

    def teardown(self) -> None:
        """Leave the clocks as they were."""
        self.desk.close()
        for one in self.patches:
            one.stop()

    # ------------------------------------------------------------------------------------------- what happens

    @rule(place=PLACES, what=WHAT, answered=st.booleans())
    def revoke(self, place: int, what: tuple[Subject, Effect], answered: bool) -> None:
        self.desk.nodes[place].commit(*what, answered=answered)

    @rule(seconds=SECONDS)
    def time_passes(self, seconds: float) -> None:
        self.desk.move(seconds)

    @rule(place=PLACES)
    def proven(self, place: int) -> None:
        """Ask, be answered and told, as almost always."""
        self.ask(place)
        self.serve(place)
        self.tell(place, "whole", 0)

    @rule(place=PLACES, what=WHAT, seconds=SECONDS)
    def proven_late(self, place: int, what: tuple[Subject, Effect], seconds: float) -> None:
        """Be told late what was true before a revocation."""
        self.ask(place)
        self.serve(place)
        self.revoke(1 - place, what, answered=True)
        self.desk.move(seconds)
        self.tell(place, "whole", 0)

    @rule(place=PLACES, what=WHAT, more=WHAT, way=st.sampled_from(WAYS))
    def told_of_two(self, place: int, what: tuple[Subject, Effect], more: tuple[Subject, Effect], way: str) -> None:
        """Be told of two revocations at once, whole or torn."""
        self.revoke(1 - place, what, answered=True)
        self.revoke(1 - place, more, answered=False)
        self.ask(place)
        self.serve(place)
        self.tell(place, way, 0)

    @rule(place=PLACES)
    def ask(self, place: int) -> None:
        node = self.desk.nodes[place]
        if node.turn is None:
            node.ask()

    @rule(place=PLACES)
    def serve(self, place: int) -> None:
        wire = self.desk.nodes[place].wire
        if wire.asked:
            wire.serve()

    @rule(place=PLACES, way=st.sampled_from(WAYS), where=st.integers(0, 3))
    def tell(self, place: int, way: str, where: int) -> None:
        """Deliver an answer: as it was, with rows that came before, with a row or the newest one missing, or not."""
        node = self.desk.nodes[place]
        answer = node.wire.answer
        if node.turn is None or answer is None:
            return
        news = [row for row in answer.rows if row.seq > node.authority.tail.applied]
        begins = not node.authority.tail.written_at or answer.epoch != node.authority.tail._epoch
        torn = False
        if way == "again":
            answer = replace(answer, rows=[row for row in self.desk.rows if row.seq <= answer.seq])
        elif way == "gap" and len(news) > 1:
            torn = True
            answer = replace(answer, rows=[row for row in answer.rows if row != news[where % (len(news) - 1)]])
        elif way == "short" and news:
            torn = True
            answer = replace(answer, rows=[row for row in answer.rows if row != news[-1]])
        node.wire.deliver(Unavailable("lost") if way == "lost" else answer)
        if node.told():
            assert not torn or begins, "a torn feed gave a proof"
            node.knows |= {row.at for row in self.desk.rows if row.seq <= answer.seq}
        elif way != "lost":
            assert not node.authority.fresh(), "an answer that proves nothing left the lease as it was"

    @rule(place=PLACES)
    def drop(self, place: int) -> None:
        self.desk.nodes[place].authority.lease.drop()

    @rule(place=PLACES, seconds=st.sampled_from((-3600.0, -3.0, 3.0)))
    def the_wall_clock_jumps(self, place: int, seconds: float) -> None:
        self.desk.nodes[place].clocks.wall += seconds

    @rule(lost=st.integers(1, 4))
    def restore(self, lost: int) -> None:
        """Go back and be made good, under nodes that run: connections break, and they must find out."""
        for node in self.desk.nodes:
            if node.turn is not None:
                node.wire.deliver(Unavailable("broken"))
                node.told()
        self.desk.restore(max(1, len(self.desk.rows) - lost))
        self.desk.make_good()
        self.everywhere.clear()

    @rule(place=PLACES)
    def connections_lead_to_an_old_primary(self, place: int) -> None:
        self.desk.nodes[place].hot.old = list(self.desk.rows)

    @rule(place=PLACES)
    def sweep(self, place: int) -> None:
        node = self.desk.nodes[place]
        self.desk.run(node.watch.sweep(self.desk.paper))  # type: ignore[arg-type]

    @rule(place=PLACES, seconds=SECONDS)
    def swept(self, place: int, seconds: float) -> None:
        """Look at the nodes twice."""
        self.sweep(place)
        self.desk.move(seconds)
        self.sweep(place)

    # ------------------------------------------------------------------------------------------- who asks

    @rule(place=PLACES, name=NAMES)
    def begin_read(self, place: int, name: str) -> None:
        """Ask for a status: what is known is there at once, the rest is read now and told later."""
        node, gate = self.desk.nodes[place], asyncio.Event()
        read = Read(node, name, gate, self.desk.begin(node.authority.status(name, node.hot.loader(name, gate))))
        if read.task.done():
            self.use(read)
        else:
            self.reads.append(read)

    @rule(place=PLACES, name=NAMES, what=WHAT, seconds=SECONDS, proven=st.booleans())
    def read_for_long(
        self, place: int, name: str, what: tuple[Subject, Effect], seconds: float, proven: bool
    ) -> None:
        """Read a status while something ends, time passes, and the node learns of it or not."""
        node, before = self.desk.nodes[place], len(self.reads)
        node.authority.memory._forget(name)
        self.begin_read(place, name)
        self.revoke(1 - place, what, answered=True)
        if proven:
            self.proven(place)
        self.desk.move(seconds)
        if proven:
            self.proven(place)
        if len(self.reads) > before:
            self.end_read(before)

    @precondition(lambda self: self.reads)
    @rule(which=st.integers(0, 5))
    def end_read(self, which: int) -> None:
        """Let a read say what it has seen."""
        read = self.reads.pop(which % len(self.reads))
        read.gate.set()
        self.desk.settle()
        self.use(read)

    def use(self, read: Read) -> None:
        """See that what a request gets is usable at the moment at which it gets it."""
        try:
            status = read.task.result()
        except Unavailable:
            return
        assert status is not None
        self.must_be_usable(read.node, read.name, status.facts)
        self.asked.append(Asked(read.node, read.name, status))

    @precondition(lambda self: self.asked)
    @rule(which=st.integers(0, 5))
    def answer(self, which: int) -> None:
        """Decide a last time, when the answer begins (I6)."""
        one = self.asked.pop(which % len(self.asked))
        try:
            moved = one.node.authority.moved(one.status.seq, CREDENTIALS[one.name])
        except Unavailable:
            return
        if not moved:
            self.must_be_usable(one.node, one.name, one.status.facts)

    @precondition(lambda self: self.desk.rows)
    @rule(place=PLACES, back=st.integers(0, 3))
    def is_it_effective(self, place: int, back: int) -> None:
        node, row = self.desk.nodes[place], self.desk.rows[-1 - back % len(self.desk.rows)]
        if not node.stands_on_a_lost_row and self.desk.run(node.authority.effective(row.seq, 0)):
            self.everywhere.append(row)

    @rule(place=PLACES, what=WHAT, seconds=SECONDS)
    def effective_after(self, place: int, what: tuple[Subject, Effect], seconds: float) -> None:
        """Revoke, and ask some time later whether nobody accepts it any more."""
        self.revoke(place, what, answered=True)
        self.desk.move(seconds)
        self.is_it_effective(place, 0)

    # ------------------------------------------------------------------------------------------- what must hold

    def must_be_usable(self, node: DeskNode, name: str, facts: Facts) -> None:
        for row in self.desk.missed(name, facts):
            passed = self.desk.now - self.desk.committed[row.at]
            assert passed < LEASE, f"I1: {name} is accepted at {node.name} {passed:.3f} s after {row} was committed"
            assert row.at not in node.knows, f"I4: {name} is accepted at {node.name}, which knows of {row}"
            assert row not in self.everywhere, f"I10: {name} is accepted at {node.name} after {row} was effective"

    @invariant()
    def i1_i4_i10_what_is_remembered_is_usable(self) -> None:
        for node in self.desk.nodes:
            for name in CREDENTIALS if node.authority.fresh() else ():
                status = node.authority.known(name)
                if status is not None:
                    self.must_be_usable(node, name, status.facts)

    @invariant()
    def i1_a_wall_clock_that_has_jumped_is_no_lease(self) -> None:
        for node in self.desk.nodes:
            since, now = node.authority.lease._since, node.clocks()
            if since is not None and abs((now.wall - now.boot) - (since.wall - since.boot)) > WALL_JUMP:
                assert not node.authority.fresh()

    @invariant()
    def i2_completeness(self) -> None:
        for node in self.desk.nodes:
            memory = node.authority.memory
            for row in self.desk.rows:
                if row.at in node.knows and row.seq <= memory.cursor:
                    subject = EVERYTHING if row.ending.effect == "all" else row.ending.subject
                    assert memory.changed([subject], row.seq - 1), f"I2: {node.name} has forgotten {row}"

    @invariant()
    def i3_monotonic(self) -> None:
        for node in self.desk.nodes:
            now = node.authority.tail._epoch, node.authority.memory.cursor
            before = self.cursors.get(node.name, (0, 0))
            if node.authority.fresh():
                assert now >= before, f"I3: {node.name} went back from {before} to {now}"
                self.cursors[node.name] = now

    @invariant()
    def i11_whoever_has_a_lease_is_registered_or_a_restore_has_forgotten_it(self) -> None:
        known = self.desk.paper.rows["node"]
        for node in self.desk.nodes:
            if node.authority.fresh() and node.id not in known:
                assert self.restored_since(node), f"I11: {node.name} has a lease, and its row is gone"

    def restored_since(self, node: DeskNode) -> bool:
        since = node.authority.lease._since
        return since is not None and self.desk.restored_at is not None and self.desk.restored_at >= since.boot


@pytest.mark.timeout(60)
def test_no_order_of_events_breaks_an_invariant() -> None:
    run_state_machine_as_test(
        Fleet,
        settings=settings(
            max_examples=100,
            stateful_step_count=40,
            deadline=None,
            database=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
            phases=(Phase.generate, Phase.shrink),
        ),
    )
