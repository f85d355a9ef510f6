"""What rounds of a measurement come to: a smallest, a middle and a largest figure, and a verdict on the middle one.

Promise: a ratio is made of two figures of the same round, so that a machine that slows down slows both.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from statistics import median
from typing import Any


@dataclass(frozen=True, slots=True)
class Spread:
    """The smallest, the middle and the largest of some figures."""

    low: float
    middle: float
    high: float

    @classmethod
    def of(cls, figures: Iterable[float]) -> "Spread":
        """Sum up at least one figure."""
        ordered = sorted(figures)
        return cls(ordered[0], median(ordered), ordered[-1])


@dataclass(frozen=True, slots=True)
class Limit:
    """What a figure must reach, or must not pass."""

    sign: str
    bound: float

    def holds(self, figure: float) -> bool:
        """Tell whether a figure keeps the limit."""
        return figure >= self.bound if self.sign == "≥" else figure <= self.bound

    def room(self, figure: float) -> float:
        """Return how well a figure does: 1 at the limit, above 1 on the good side, whichever side that is."""
        if self.sign == "≥":
            return figure / self.bound
        return self.bound / figure if figure > 0 else float("inf")

    def __str__(self) -> str:
        return f"{self.sign} {self.bound:g}"


def at_least(bound: float) -> Limit:
    """Return the limit of a figure that must reach `bound`."""
    return Limit("≥", bound)


def at_most(bound: float) -> Limit:
    """Return the limit of a figure that must not pass `bound`."""
    return Limit("≤", bound)


def ratios(above: Sequence[float], below: Sequence[float]) -> Spread:
    """Divide round by round."""
    return Spread.of(one / other for one, other in zip(above, below, strict=True))


def quantile(figures: Sequence[float], part: float) -> float:
    """Return the figure that this part of all figures does not pass (nearest rank)."""
    ordered = sorted(figures)
    return ordered[max(0, ceil(part * len(ordered)) - 1)]


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the record: what was measured, in which unit, against which limit; or why it was not."""

    part: str
    name: str
    unit: str
    spread: Spread | None
    limit: Limit | None = None
    note: str = ""

    @property
    def verdict(self) -> str:
        """`pass` or `fail` by the middle figure, `not measured`, or nothing where no limit is set."""
        if self.spread is None:
            return "not measured"
        if self.limit is None:
            return ""
        return "pass" if self.limit.holds(self.spread.middle) else "fail"

    def plain(self) -> Mapping[str, Any]:
        """Return the row as JSON takes it."""
        spread = self.spread and {"min": self.spread.low, "median": self.spread.middle, "max": self.spread.high}
        limit = None if self.limit is None else str(self.limit)
        shown = {"part": self.part, "name": self.name, "unit": self.unit, "figure": spread, "limit": limit}
        return shown | {"verdict": self.verdict, "note": self.note}


def missing(part: str, name: str, why: str) -> Row:
    """Return the row of something that could not be measured: never left out in silence."""
    return Row(part, name, "", None, None, why)
