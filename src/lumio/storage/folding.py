"""Folding: many events as few rows, with exact counts (spec: audit log, section 2).

Promise: the counts of what comes out add up to the counts of what went in; nothing is lost and nothing is told twice.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from lumio.kernel import ids
from lumio.kernel.event import Actor, Event, Origin
from lumio.storage.events import NAMES

Row = tuple[Any, ...]
"""The columns of an event, in the order of `NAMES`."""
Stem = tuple[Any, ...]
"""What the events of one row share, in the order of `SHARED`."""

OF_ONE = ("id", "ts", "last_ts", "request_id", "count")
"""What may differ between events that fold."""
SHARED = tuple(name for name in NAMES if name not in OF_ONE)
VARIOUS = '{"reason":"various"}'
"""The detail of a tally whose events had several reasons."""
STEMS_MAX = 16_384

_IP, _SOURCE, _AGENT, _DETAIL = map(SHARED.index, ("ip", "ip_source", "user_agent", "detail"))


class Tally(NamedTuple):
    """A counted row to be: its name, until when (microseconds) it counts, and the first event of it."""

    name: str
    until: int
    row: Row


class Spell:
    """What is said of the events of one row beyond its stem: how many, from when to when."""

    __slots__ = ("count", "first", "id", "last", "request_id")

    def __init__(self, first: int, request_id: str | None, id_: str | None, count: int) -> None:
        """Begin with one event at `first` (microseconds); one without an id gets it when the row is written."""
        self.first = first
        self.last: int | None = None
        self.request_id = request_id
        self.id = id_
        self.count = count

    def goes_on(self, ts: int, count: int) -> None:
        """Add an event."""
        last = self.first if self.last is None else self.last
        self.last = max(ts, last)
        self.first = min(ts, self.first)
        self.request_id = None
        self.count += count

    def row(self, stem: Stem) -> Row:
        """Return the columns in their order; `test_folding.py` holds them against `NAMES`."""
        return (
            self.id or ids.uuid7(), stem[0], self.first, self.last, *stem[1:12], self.request_id, *stem[12:15],
            self.count, stem[15],
        )  # fmt: skip


class Fold:
    """Events on their way into rows: one row for all that agree, one tally for all of one name."""

    __slots__ = ("_rows", "_tallies")

    def __init__(self) -> None:
        """Begin with none."""
        self._rows: dict[Stem, Spell] = {}
        self._tallies: dict[str, tuple[int, Stem, Spell]] = {}

    def __len__(self) -> int:
        """Count the rows that it makes."""
        return len(self._rows) + len(self._tallies)

    def add(self, stem: Stem, ts: int, request_id: str | None, id_: str | None = None, count: int = 1) -> None:
        """Take an event."""
        spell = self._rows.get(stem)
        if spell is None:
            self._rows[stem] = Spell(ts, request_id, id_, count)
        else:
            spell.goes_on(ts, count)

    def count(self, name: str, until: int, row: Mapping[str, Any]) -> None:
        """Take an event of a counted row; what its events do not agree on is left out."""
        stem, known = stem_of(row), self._tallies.get(name)
        if known is None:
            self._tallies[name] = until, stem, Spell(row["ts"], row["request_id"], row["id"], row["count"])
            return
        later, before, spell = known
        spell.goes_on(row["ts"], row["count"])
        if before != stem or until > later:
            self._tallies[name] = max(until, later), before if before == stem else _blend(before, stem), spell

    def rows(self) -> list[Row]:
        """Return the rows, in the order in which they began."""
        return [spell.row(stem) for stem, spell in self._rows.items()]

    def tallies(self) -> list[Tally]:
        """Return the tallies."""
        return [Tally(name, until, spell.row(stem)) for name, (until, stem, spell) in self._tallies.items()]


def stem_of(row: Mapping[str, Any]) -> Stem:
    """Return the shared part of an event's columns."""
    return tuple([row[name] for name in SHARED])


@lru_cache(STEMS_MAX)
def plain_stem(
    node: str, event: str, actor: Actor, account_id: str | None, ip: str | None, source: str | None, agent: str | None
) -> Stem:
    """Return the stem of a success that has neither target nor detail, of which there are many: made once."""
    return stem_of(Event(event, "success", actor, Origin(ip, source, agent), account_id=account_id).row(node))


def _blend(one: Stem, other: Stem) -> Stem:
    blended = list(one)
    for place in (_IP, _SOURCE, _AGENT):
        blended[place] = one[place] if one[place] == other[place] else None
    blended[_DETAIL] = one[_DETAIL] if one[_DETAIL] == other[_DETAIL] else VARIOUS
    return tuple(blended)
