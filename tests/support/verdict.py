"""What the notes of an observer say about promise R (spec: revocation, section 1).

Promise: a breach is reported only when it is certain, and the window is reported as wide as it can have been. The
commit C lies between `earliest` and `latest`; each check takes the end that is on the safe side.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from tests.support.observer import NO_ANSWER, Seen

DELIVERY_SECONDS = 2.0
"""How long an answer that was decided may take to its reader on a busy machine."""
EXPECTED = {503, NO_ANSWER}


@dataclass(frozen=True, slots=True)
class Revocation:
    """C lies in [earliest, latest]; `effective_at` is when the caller learned that the revocation is effective."""

    question: str
    earliest: float
    latest: float
    effective_at: float | None = None


@dataclass(slots=True)
class Verdict:
    """What was found for one credential; every list but `unsure` must be empty.

    `window` is the longest time, in seconds, by which a request that was still accepted can have been sent after C.
    """

    late: list[Seen] = field(default_factory=list)
    undecided: list[Seen] = field(default_factory=list)
    after_effective: list[Seen] = field(default_factory=list)
    early: list[Seen] = field(default_factory=list)
    strange: list[Seen] = field(default_factory=list)
    unsure: list[Seen] = field(default_factory=list)
    window: float = 0.0
    counts: Counter[tuple[str, int]] = field(default_factory=Counter)

    @property
    def breaches(self) -> dict[str, list[Seen]]:
        """Every list that must be empty and is not, by its name."""
        found = {
            "(a) sent at C + B or later, and accepted": self.late,
            "(c) accepted long after C + B": self.undecided,
            "(d) sent after effective, and accepted": self.after_effective,
            "refused with 401 before it was revoked": self.early,
            "an answer that nothing explains": self.strange,
        }
        return {words: seen for words, seen in found.items() if seen}

    def told(self, since: float) -> str:
        """Return the breaches in words, with moments counted from `since`."""
        lines = [
            f"{words}: {one.question} at {one.node}, sent {one.sent - since:+.3f}, "
            f"received {one.received - since:+.3f}, status {one.status}"
            for words, seen in self.breaches.items()
            for one in seen[:5]
        ]
        return "\n".join([*lines, f"answers by node and status: {dict(self.counts)}", f"window {self.window:.3f} s"])


def judge(seen: Iterable[Seen], revocation: Revocation, bound: float, refusal: int = 401) -> Verdict:
    """Hold the answers to one credential against the promise.

    Args:
        seen: every answer; those to other questions are left out.
        revocation: what ended, and when.
        bound: B in seconds.
        refusal: the status that says that it has ended; 403 for a right that was taken.
    """
    verdict = Verdict()
    for one in seen:
        if one.question != revocation.question:
            continue
        verdict.counts[one.node, one.status] += 1
        if one.accepted:
            _accepted(one, revocation, bound, verdict)
        elif one.status in {401, refusal} and (one.received < revocation.earliest or one.status != refusal):
            verdict.early.append(one)
        elif one.status not in {refusal, *EXPECTED}:
            verdict.strange.append(one)
    return verdict


def _accepted(one: Seen, revocation: Revocation, bound: float, verdict: Verdict) -> None:
    verdict.window = max(verdict.window, one.sent - revocation.earliest)
    if one.sent >= revocation.latest + bound:
        verdict.late.append(one)
    elif one.received >= revocation.latest + bound + DELIVERY_SECONDS:
        verdict.undecided.append(one)
    elif one.sent >= revocation.earliest + bound:
        verdict.unsure.append(one)
    if revocation.effective_at is not None and one.sent >= revocation.effective_at:
        verdict.after_effective.append(one)


def untouched(seen: Sequence[Seen], question: str, among: set[str]) -> list[Seen]:
    """Return what should not have been: answers other than success to a good credential at nodes without a fault."""
    return [one for one in seen if one.question == question and one.node in among and not one.accepted]
