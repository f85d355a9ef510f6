"""Filters as SQL, the same for every part of the log, and the index that each of them could be answered by.

Promise: a filter means the same to sealed rows, unsealed rows, pages and exports.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Table, TextClause, func, or_

from lumio.audit.model import Filters
from lumio.kernel import clock
from lumio.storage.sealed import NOT_A_GOOD_AUTHENTICATION

AUTHENTICATED = "auth.succeeded"
Condition = ColumnElement[bool] | TextClause


@dataclass(frozen=True, slots=True)
class Chosen:
    """What a reader may see and wants to see: an account or all, a person's own or everybody's, and filters."""

    filters: Filters
    account_id: str | None = None
    person_id: str | None = None

    @property
    def quiet(self) -> bool:
        """Whether no successful authentication can be among it: then the partial indexes fit."""
        filters = self.filters
        if filters.event is not None:
            noun, star, _ = filters.event.partition("*")
            return not AUTHENTICATED.startswith(noun) if star else filters.event != AUTHENTICATED
        return filters.hide_authentications or filters.result == "failure"

    @property
    def everything(self) -> bool:
        """Whether nothing of the account, or of all, is left out."""
        plain = Filters(**{name: getattr(self.filters, name) for name in Filters.__struct_fields__})
        return plain == Filters() and self.person_id is None


@dataclass(frozen=True, slots=True)
class Way:
    """An index in the order of time: the column before the time in it, and the conditions that it answers."""

    column: str | None
    value: str | None
    serves: frozenset[str]


def conditions(table: Table, chosen: Chosen, served: frozenset[str] = frozenset()) -> dict[str, Condition]:
    """Return the conditions on one part of the log by name, the time range left out.

    Args:
        table: the part.
        chosen: what is wanted.
        served: the names that an index shall answer. The others are hidden from the planner, so that it has no
            choice: it knows nothing of the order of time and of how few rows a page needs.
    """
    column, filters = table.c, chosen.filters

    def shown(name: str, place: ColumnElement[Any]) -> ColumnElement[Any]:
        return place if name in served else func.coalesce(place, "")

    found: dict[str, Condition] = {
        name: shown(name, column[place]) == value for name, (place, value) in _exact(chosen).items()
    }
    if filters.event is not None and filters.event.endswith("*"):
        noun = filters.event.removesuffix("*")
        found["event"] = func.coalesce(column.event, "").startswith(noun, autoescape=True)
    if chosen.person_id is not None:
        found["person"] = or_(column.actor_id == chosen.person_id, column.on_behalf_of == chosen.person_id)
    if chosen.quiet:
        found["quiet"] = NOT_A_GOOD_AUTHENTICATION
    return found


def _exact(chosen: Chosen) -> dict[str, tuple[str, str]]:
    """Return the conditions that name one value: its column and the value."""
    filters = chosen.filters
    event = None if filters.event is None or filters.event.endswith("*") else filters.event
    given = {
        "credential": ("credential_id", filters.credential_id),
        "ip": ("ip", filters.ip),
        "actor": ("actor_label", filters.actor),
        "event": ("event", event),
        "account": ("account_id", chosen.account_id),
        "result": ("result", filters.result),
    }
    return {name: (place, value) for name, (place, value) in given.items() if value is not None}


def time_range(table: Table, filters: Filters) -> list[Condition]:
    """Return the bounds of time."""
    found: list[Condition] = []
    if filters.since is not None:
        found.append(table.c.ts >= clock.to_micros(filters.since))
    if filters.until is not None:
        found.append(table.c.ts < clock.to_micros(filters.until))
    return found


def ways(chosen: Chosen) -> list[Way]:
    """Return the indexes that could answer, the most selective kind first; there is always one."""
    quiet = frozenset({"quiet"} if chosen.quiet else ())
    beside = {"event": quiet, "account": quiet}
    exact = {name: one for name, one in _exact(chosen).items() if name != "result"}
    offered = [Way(place, value, beside.get(name, frozenset()) | {name}) for name, (place, value) in exact.items()]
    return offered or [Way(None, None, quiet)]
