"""Subjects: what can be ended or changed, and the sentence an authority says about one."""

from dataclasses import dataclass
from typing import Literal

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


@dataclass(frozen=True, slots=True)
class Ending:
    """What happens to a subject: `ended` is terminal, `changed` forces a new load of status and rights."""

    subject: Subject
    effect: Effect
    actor: str
    reason: str


@dataclass(frozen=True, slots=True)
class Receipt:
    """The number of the last feed row of a unit; `effective` means no node accepts the subject from now on."""

    seq: int
    effective: bool
