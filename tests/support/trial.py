"""One trial of promise R: a doomed key and a living one, asked at every node while something goes wrong.

Promise: what must hold in every trial is asserted in one place, `must_have_held`.
"""

import json
import time
from collections.abc import Iterable
from contextlib import ExitStack
from itertools import count
from types import TracebackType
from typing import Self

from tests.support.fleet import Fleet, Node
from tests.support.observer import Observer, Question, Seen
from tests.support.tenants import Made, Revoked, Tenants
from tests.support.verdict import Revocation, judge, untouched
from tests.support.windows import Record, note

DOOMED, LIVING, WRITES = "doomed", "living", "doomed writes"
READY_SECONDS = 10.0
"""How long a key that was just made may take to be served everywhere, on a busy machine."""
RECOVERY_SECONDS = 20.0
BARRIER_SLACK = 3.0
REVOKE_SECONDS = 15.0
_numbers = count()


def me(name: str, credential: Made) -> Question:
    """Ask who a key is."""
    return Question(name, credential.secret)


def writing(name: str, credential: Made) -> Question:
    """Let a key make an extension, with a name of its own each time and a category that says who asked."""
    category = f"{name} {next(_numbers)}"

    def body() -> str:
        return json.dumps({"name": f"Storm {next(_numbers)}", "category": category})

    return Question(name, credential.secret, "/developer/v1/extensions", "POST", body, category=category)


class Trial:
    """Asks while the block runs."""

    def __init__(self, fleet: Fleet, tenants: Tenants) -> None:
        """Try a fleet without a fault; the test brings the fault."""
        self.fleet = fleet
        self.tenants = tenants
        self._open = ExitStack()
        self.calls: list[Revoked] = []
        self.revocation: Revocation | None = None

    def __enter__(self) -> Self:
        first = self.fleet.nodes[0]
        self.session = self.tenants.tokens(first)["access_token"]
        with first.client(self.session) as robin:
            self.doomed, living = self.tenants.key(robin, DOOMED), self.tenants.key(robin, LIVING)
        self._writes = writing(WRITES, self.doomed)
        questions = [me(DOOMED, self.doomed), me(LIVING, living), self._writes]
        self.observer = self._open.enter_context(Observer(self.fleet, questions))
        for question in questions:
            self.observer.wait_everywhere(question.name, {200, 201}, 0, READY_SECONDS)
        self.newest = self.tenants.newest()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.__exit__(kind, error, trace)

    def revoke(self, node: Node, *, wait: int | None = None) -> Revoked:
        """Revoke the doomed key through a node, as Robin, and work out where C lies if it was answered."""
        with node.client(self.session) as robin:
            call = self.tenants.revoke(robin, f"/v1/api-keys/{self.doomed.id}", wait=wait)
        self.calls.append(call)
        if call.status == 200:
            self.revocation = self.tenants.placed(DOOMED, self.newest, self.calls)
        return call

    def must_revoke(self, node: Node, *, wait: int | None = None) -> None:
        """Revoke, and try again while the answer is 503: a unit that a fault tore apart is in the way for a while.

        A 503 may mean that the commit was not seen to its end; then the next call finds no key any more.
        """
        deadline = time.monotonic() + REVOKE_SECONDS
        while self.revoke(node, wait=wait).status == 503 and time.monotonic() < deadline:
            time.sleep(0.2)
        if self.calls[-1].status == 404 and len(self.calls) > 1:
            self.revocation = self.tenants.placed(DOOMED, self.newest, self.calls)
        assert self.revocation is not None, self.calls

    def outlast(self, seconds: float) -> None:
        """Wait until so long after B has passed since the commit."""
        assert self.revocation is not None
        time.sleep(max(0.0, self.revocation.latest + self.fleet.bound + seconds - time.monotonic()))

    def must_recover(self, node: Node, since: float) -> None:
        """Assert that a node serves the living key and refuses the doomed one, with nobody's help."""
        self.observer.wait_for(LIVING, node.name, {200}, since, RECOVERY_SECONDS)
        self.observer.wait_for(DOOMED, node.name, {401}, since, RECOVERY_SECONDS)

    def seen_at(self, node: Node, begin: float, end: float) -> list[Seen]:
        """Return what was sent to a node in a span of time."""
        return [one for one in self.observer.since(begin, node=node.name) if one.sent < end]

    def must_have_held(self, record: Record, faulty: Iterable[Node], words: str) -> None:
        """Assert the promise, note the window, and see that the nodes without a fault served the living key."""
        assert self.revocation is not None
        revocation, bound, seen = self.revocation, self.fleet.bound, list(self.observer.seen)
        verdict = judge(seen, revocation, bound)
        note(record, verdict.window, bound, words)
        assert not verdict.breaches, verdict.told(revocation.earliest)

        writes = Revocation(WRITES, revocation.earliest, revocation.latest, revocation.effective_at)
        written = judge(seen, writes, bound)
        assert any(status == 201 for _, status in written.counts)
        assert not written.breaches, written.told(revocation.earliest)
        found = self.tenants.committed(self.newest)
        assert found is not None
        assert self.tenants.written_after(found[0], self._writes.category) == 0

        well = {node.name for node in self.fleet.nodes} - {node.name for node in faulty}
        lost = untouched(seen, LIVING, well)
        assert not lost, f"a good key was not served by a node without a fault: {lost[:5]}"

    def must_have_waited_for_silence(self, silent: float) -> None:
        """Assert that `effective` came, and not before the node that was silent since then had no lease any more.

        It is outlasted from the commit on; or its row is gone, which is no earlier than W after its last word (I11).
        """
        call, revocation, barrier = self.calls[-1], self.revocation, self.fleet.barrier
        assert revocation is not None
        at_commit, told = revocation.earliest - silent, call.answered - silent
        words = f"after its last word: committed {at_commit:.2f} s, effective {told:.2f} s; W is {barrier:.2f} s"
        assert call.effective, (words, self.calls)
        assert call.answered >= silent + barrier, (words, self.calls)
        assert call.answered <= revocation.latest + barrier + BARRIER_SLACK, (words, self.calls)
