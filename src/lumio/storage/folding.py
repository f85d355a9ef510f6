"""Folding: many events of one batch as few rows, with exact counts (spec: audit log, section 2).

Promise: the counts of what comes out add up to the counts of what went in; nothing is lost and nothing is told twice.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from lumio.storage.events import NAMES

Row = Mapping[str, Any]

_OF_ONE = frozenset({"id", "ts", "last_ts", "request_id", "count"})
"""What may differ between events that fold."""
_SHARED = tuple(name for name in NAMES if name not in _OF_ONE)
_MAY_DIFFER = ("ip", "ip_source", "user_agent")
VARIOUS = '{"reason":"various"}'
"""The detail of a tally whose events had several reasons."""


@dataclass(frozen=True, slots=True)
class Tally:
    """A counted row to be: its name, until when (microseconds) it counts, and the first event of it."""

    name: str
    until: int
    row: Row


def fold(rows: Iterable[Row]) -> list[Row]:
    """Return one row for all that differ in id, time and request id alone: from the first `ts` to `last_ts`."""
    kept: dict[tuple[Any, ...], Row] = {}
    for row in rows:
        key = tuple([row[name] for name in _SHARED])
        first = kept.get(key)
        kept[key] = row if first is None else _sum(first, row)
    return list(kept.values())


def fold_tallies(tallies: Iterable[Tally]) -> list[Tally]:
    """Return one tally per name; what its events do not agree on is left out."""
    kept: dict[str, Tally] = {}
    for one in tallies:
        first = kept.get(one.name)
        kept[one.name] = one if first is None else Tally(one.name, one.until, _blend(first.row, one.row))
    return list(kept.values())


def _sum(first: Row, row: Row) -> Row:
    return {
        **first,
        "ts": min(first["ts"], row["ts"]),
        "last_ts": max(_last(first), _last(row)),
        "request_id": None,
        "count": first["count"] + row["count"],
    }


def _blend(first: Row, row: Row) -> Row:
    agreed = {name: first[name] if first[name] == row[name] else None for name in _MAY_DIFFER}
    detail = first["detail"] if first["detail"] == row["detail"] else VARIOUS
    return {**_sum(first, row), **agreed, "detail": detail}


def _last(row: Row) -> int:
    return int(row["ts"] if row["last_ts"] is None else row["last_ts"])
