"""What a verification of the audit log ends with (spec: audit log, section 4)."""

from dataclasses import dataclass
from enum import IntEnum


class Outcome(IntEnum):
    """The exit codes of `lumio-server audit verify` and of the customers' verifier."""

    INTACT = 0
    ALTERED = 1
    INCOMPLETE = 2
    UNREADABLE = 3


@dataclass(frozen=True, slots=True)
class Verdict:
    """How it ended, the first bad position where there is one, and a sentence for people."""

    outcome: Outcome
    sentence: str
    position: int | None = None
