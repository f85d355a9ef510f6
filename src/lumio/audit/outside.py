"""What the file of heads says, as far as its signatures hold."""

import json
from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lumio.audit.heads import HeadFile
from lumio.audit.verdict import Outcome, Verdict
from lumio.crypto.notary import genuine_under


class Bad(Exception):
    """The first thing that is wrong."""

    def __init__(self, outcome: Outcome, sentence: str, position: int | None = None) -> None:
        """Keep the verdict."""
        super().__init__(sentence)
        self.verdict = Verdict(outcome, sentence, position)


@dataclass(slots=True)
class Outside:
    """Signed heads by position, and the checkpoints that left too."""

    positions: list[int] = field(default_factory=list)
    chains: dict[int, str] = field(default_factory=dict)
    checkpoints: list[tuple[int, str]] = field(default_factory=list)

    @property
    def newest(self) -> int:
        """The position of the newest head, 0 without any."""
        return self.positions[-1] if self.positions else 0

    def chain_at(self, position: int) -> str | None:
        """Return the chain's end that a head stands for, in hexadecimal digits."""
        return self.chains.get(position)

    def last_before(self, position: int) -> int:
        """Return the position of the head before one."""
        place = bisect_left(self.positions, position)
        return self.positions[place - 1] if place else 0

    @staticmethod
    def parse(text: str) -> Mapping[str, Any] | None:
        """Return a statement, or None when the text is none."""
        try:
            statement = json.loads(text)
        except ValueError:
            return None
        return statement if isinstance(statement, dict) else None


def read_outside(heads: HeadFile, public_keys: tuple[str, ...]) -> Outside:
    """Read the file of heads.

    Raises:
        Bad: a line is not what was written, or the heads go backwards; a missing file stands for no head.
        OSError: the file cannot be read.
    """
    found = Outside()
    if not heads.path.exists():
        return found
    for number, statement in heads.read():
        if statement is None or not genuine_under(statement, public_keys):
            position = statement.get("position") if statement else None
            where = position if isinstance(position, int) else None
            sentence = f"Line {number} of the file of heads is not signed by this installation."
            raise Bad(Outcome.ALTERED, sentence, where)
        _take(found, number, statement)
    return found


def _take(found: Outside, number: int, statement: Mapping[str, Any]) -> None:
    position, chain = int(statement["position"]), str(statement["chain"])
    if statement["statement"] == "checkpoint":
        found.checkpoints.append((position, chain))
        return
    if position < found.newest or found.chains.get(position, chain) != chain:
        sentence = f"Line {number} of the file of heads goes back from position {found.newest} to {position}."
        raise Bad(Outcome.INCOMPLETE, sentence, position)
    if position not in found.chains:
        found.positions.append(position)
        found.chains[position] = chain
