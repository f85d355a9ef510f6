"""The promise, checked against what is true: when each ending became visible, and what was answered when.

Promise: nothing here asks the authority whether it was right; it is judged by the primary's log and the true clock.
"""

from dataclasses import dataclass, field
from typing import Any

from lumio.authority.lease import DRIFT, MARGIN, bound
from lumio.authority.subjects import EVERYTHING, Subject
from tests.simulation.server import Record
from tests.simulation.tables import Row


@dataclass(frozen=True, slots=True)
class Violation:
    """What was broken: the letter of the promise, the invariant, and when."""

    promise: str
    invariant: str
    at: float
    words: str

    def __str__(self) -> str:
        return f"promise ({self.promise}), {self.invariant}, at {self.at:.3f}: {self.words}"


@dataclass(slots=True)
class Ending:
    """A subject that ended, or a version of a role that came to its end, at the instant `at` (C)."""

    subject: Subject
    at: float
    seq: int
    version: int = 0
    """For a role: the version that replaced the older ones; 0 for what has ended for good."""
    effective: float | None = None


@dataclass(slots=True)
class Asked:
    """One request: which credential, sent when, and what its node knew when it arrived."""

    key: str
    subjects: tuple[Subject, ...]
    sent: float
    known_on_arrival: frozenset[int] = frozenset()


@dataclass(slots=True)
class Worst:
    """The latest acceptance ever seen: sent and decided so many seconds after C, where B was `bound`."""

    sent: float = 0.0
    decided: float = 0.0
    bound: float = 1.0

    @property
    def share(self) -> float:
        return self.decided / self.bound

    @property
    def of_lease(self) -> float:
        """What part of a lease had passed by then; the rest of B is for clocks that drift and answers in flight."""
        return self.decided * DRIFT / (self.bound - MARGIN)

    def merge(self, other: "Worst") -> None:
        if other.share > self.share:
            self.sent, self.decided, self.bound = other.sent, other.decided, other.bound


@dataclass(slots=True)
class Truth:
    """What happened on the primary, in the order in which it became visible."""

    endings: list[Ending] = field(default_factory=list)
    versions: dict[str, int] = field(default_factory=dict)
    violations: list[Violation] = field(default_factory=list)
    worst: Worst = field(default_factory=Worst)
    accepted: int = 0
    refused: int = 0
    unavailable: list[float] = field(default_factory=list)
    latest: dict[int, float] = field(default_factory=dict)
    """For each ending's number in `endings`, the latest decision to accept what it ended."""

    def visible(self, record: Record, now: float) -> list[Ending]:
        """Take note of a commit; return what it ended."""
        found = []
        for (table, key), row in record.writes.items():
            if table == "thing" and row is not None:
                self._unit(row, now)
            elif table == "role" and row is not None:
                self.versions[key] = row.version
        for (table, _), row in record.writes.items():
            if table == "revocation" and row is not None:
                found += self._ended(row, now)
        return found

    def ended(self, subjects: tuple[Subject, ...]) -> Ending | None:
        """Return the first ending of one of the subjects."""
        wanted = {*subjects, EVERYTHING}
        return next((one for one in self.endings if not one.version and one.subject in wanted), None)

    def effective(self, subject: Subject, seq: int, now: float) -> None:
        """Take note that a revoker was told `effective: true`."""
        for one in self.endings:
            if one.subject == subject and one.seq == seq and one.effective is None:
                one.effective = now

    def answered(self, asked: Asked, version: int, knows: Any, lease: float, now: float) -> None:
        """Judge a decision to answer 200, taken at `now` by a node with such a lease and such knowledge."""
        self.accepted += 1
        standing = {*asked.subjects, EVERYTHING}
        for number, one in enumerate(self.endings):
            if one.subject not in standing or (one.version and version >= one.version):
                continue
            self.latest[number] = now
            self._judge(asked, one, knows, bound(lease), now)

    def _judge(self, asked: Asked, one: Ending, knows: Any, most: float, now: float) -> None:
        sent, decided = asked.sent - one.at, now - one.at
        what = f"{asked.key} was accepted {decided:.3f} s after {one.subject} ended, sent {sent:.3f} s after"
        known, late = knows(one.seq), sent >= most or decided > most
        after = one.effective is not None and now > one.effective
        if not (known or late or after):
            self.worst.merge(Worst(sent, decided, most))
            return
        if knows.passed(one.seq):
            cause = "I2 completeness"
        elif known:
            cause = "I4 no resurrection" if one.seq in asked.known_on_arrival else "I6 late check"
        else:
            cause = "I10 barrier" if after else "I1 freshness"
        letter = "d" if after else "a" if sent >= most else "c"
        self._broken(letter, cause, now, f"{what}, B is {most:.3f} s")

    def _unit(self, row: Row, now: float) -> None:
        """Judge a unit that commits now."""
        gone = self.ended(tuple(Subject(*one) for one in row.subjects))
        if gone is not None:
            words = f"a unit of {row.key} committed {now - gone.at:.3f} s after {gone.subject} ended"
            self._broken("b", "I7 write fence", now, words)
        current = self.versions.get(row.role, 1)
        if row.version != current:
            words = f"a unit of {row.key} committed with version {row.version} of its role, which is at {current}"
            self._broken("b", "I7 write fence", now, words)

    def _ended(self, row: Row, now: float) -> list[Ending]:
        subject = EVERYTHING if row.effect == "all" else Subject(row.subject_kind, row.subject_id)
        version = self.versions.get(subject.id, 1) if row.effect == "changed" else 0
        before = [one for one in self.endings if (one.subject, one.version) == (subject, version)]
        for one in before:  # a lost end that was written again: it counts from when it was first seen
            one.seq = row.seq
        if before:
            return []
        self.endings.append(Ending(subject, now, row.seq, version))
        return self.endings[-1:]

    def _broken(self, promise: str, invariant: str, now: float, words: str) -> None:
        self.violations.append(Violation(promise, invariant, now, words))
