"""Filters as SQL, the same for every part of the log, and the index that each of them could be answered by.

Promise: a filter means the same to sealed rows, unsealed rows, pages and exports.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Table, TextClause, or_

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
    """An index in the order of time, and the conditions that it answers by itself."""

    index: str
    serves: frozenset[str]


def conditions(table: Table, chosen: Chosen) -> dict[str, Condition]:
    """Return the conditions on one part of the log by name, the time range left out."""
    column, filters = table.c, chosen.filters
    exact = {
        "account": (column.account_id, chosen.account_id),
        "actor": (column.actor_label, filters.actor),
        "result": (column.result, filters.result),
        "ip": (column.ip, filters.ip),
        "credential": (column.credential_id, filters.credential_id),
    }
    found: dict[str, Condition] = {
        name: place == value for name, (place, value) in exact.items() if value is not None
    }
    if filters.event is not None:
        noun, star, _ = filters.event.partition("*")
        found["event"] = column.event.startswith(noun, autoescape=True) if star else column.event == filters.event
    if chosen.person_id is not None:
        found["person"] = or_(column.actor_id == chosen.person_id, column.on_behalf_of == chosen.person_id)
    if chosen.quiet:
        found["quiet"] = NOT_A_GOOD_AUTHENTICATION
    return found


def time_range(table: Table, filters: Filters) -> list[Condition]:
    """Return the bounds of time."""
    found: list[Condition] = []
    if filters.since is not None:
        found.append(table.c.ts >= clock.to_micros(filters.since))
    if filters.until is not None:
        found.append(table.c.ts < clock.to_micros(filters.until))
    return found


def ways(chosen: Chosen, found: Mapping[str, Any]) -> list[Way]:
    """Return the indexes that could answer, the most selective kind first; there is always one."""
    event = chosen.filters.event
    offered = [
        Way(f"ix_audit_log_{name}", frozenset({name})) for name in ("credential", "ip", "actor") if name in found
    ]
    if event is not None and not event.endswith("*"):
        offered.append(Way("ix_audit_log_event", frozenset({"event", "quiet"})))
    quiet = frozenset({"quiet"} & found.keys())
    if chosen.account_id is not None:
        offered.append(Way("ix_audit_log_account_change" if quiet else "ix_audit_log_account", quiet | {"account"}))
    elif not offered:
        offered.append(Way("ix_audit_log_change" if quiet else "ix_audit_log_ts", quiet))
    return offered
