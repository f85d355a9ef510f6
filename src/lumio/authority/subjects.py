"""Subjects: what can be ended or changed, and the sentence an authority says about one."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NamedTuple

SubjectKind = Literal["key", "account", "user", "session", "client", "grant", "popout", "role", "all"]
Effect = Literal["ended", "changed", "all"]


@dataclass(frozen=True, slots=True)
class Subject:
    """One thing that a principal stands on; `role` has the id `<account>,<user>`."""

    kind: SubjectKind
    id: str

    def __str__(self) -> str:
        """Return the name under which locks and logs know it."""
        return f"{self.kind}:{self.id}"


EVERYTHING = Subject("all", "*")
"""What every principal stands on, without naming it: `revoke --all` ends it for whatever was issued before."""


@dataclass(frozen=True, slots=True)
class Ending:
    """What happens to a subject: `ended` is terminal, `changed` forces a new load of status and rights."""

    subject: Subject
    effect: Effect
    actor: str
    reason: str


@dataclass(frozen=True, slots=True)
class Entry:
    """A row of the feed: an ending with its number and the moment (UTC) at which it was written.

    `epoch` counts the times that a restore was made good; 0 where nobody asked for it.
    """

    seq: int
    ending: Ending
    at: datetime
    epoch: int = 0

    @property
    def identity(self) -> tuple[int, Subject, str, datetime]:
        """What tells this row from every other one, one with its number on a lost timeline too."""
        return self.seq, self.ending.subject, self.ending.effect, self.at


class Mark(NamedTuple):
    """A place in the feed: a number, and the moment (UTC) of its row, which tells it from one of a lost timeline.

    No moment where the feed has no such row: before the first one.
    """

    seq: int
    at: datetime | None


@dataclass(frozen=True, slots=True)
class Receipt:
    """The number of the last feed row of a unit; `effective` means no node accepts the subject from now on."""

    seq: int
    effective: bool


@dataclass(frozen=True, slots=True)
class NodeProgress:
    """How far one node has come: the number it has applied, since when, and until when it may serve (both UTC)."""

    node_id: str
    region: str
    applied_seq: int
    applied_at: datetime
    lease_until: datetime | None


@dataclass(frozen=True, slots=True)
class Progress:
    """What became of one revocation: its row, whether no node accepts it any more, and each node."""

    entry: Entry
    effective: bool
    nodes: tuple[NodeProgress, ...]
