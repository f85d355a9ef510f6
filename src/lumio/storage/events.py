"""Where events lie before they are sealed: the hot journal, the tallies, and one view over every part of the log.

Promise: the hot journal has no index, so that durability never waits for one; what stands here is still to be
chained, and is shown to readers all the same (spec: audit log, section 3).
"""

from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Identity,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    bindparam,
    case,
    func,
    null,
)
from sqlalchemy.types import TypeEngine

from lumio.storage.columns import id_column, metadata

TALLY_LIMIT = 160
"""Length of a tally's name."""


def number_type() -> TypeEngine[Any]:
    """Return the type of a number that counts up: SQLite numbers rows by INTEGER alone."""
    return BigInteger().with_variant(Integer(), "sqlite")


def event_columns() -> tuple[Column[Any], ...]:
    """Return the columns of an event (spec: audit log, section 1), in the order in which its leaf holds them."""
    return (
        id_column(nullable=False),
        id_column("account_id"),
        Column("ts", BigInteger, nullable=False),
        Column("last_ts", BigInteger),
        Column("event", String(64), nullable=False),
        Column("result", String(7), nullable=False),
        Column("actor_type", String(16), nullable=False),
        Column("actor_id", String(64)),
        Column("actor_label", Text),
        Column("on_behalf_of", String(64)),
        Column("auth_method", String(32)),
        Column("credential_id", String(64)),
        Column("ip", String(64)),
        Column("ip_source", String(16)),
        Column("user_agent", Text),
        Column("request_id", String(64)),
        Column("target_type", String(32)),
        Column("target_id", String(64)),
        Column("detail", Text),
        Column("count", BigInteger, nullable=False),
        Column("node", String(64), nullable=False),
    )


NAMES = tuple(column.name for column in event_columns())
"""The columns of an event."""

hot = Table("audit_hot", metadata, Column("n", number_type(), Identity(), nullable=False), *event_columns())
"""The hot journal: rows in the order in which they came."""

tally = Table(
    "audit_tally",
    metadata,
    Column("name", String(TALLY_LIMIT), primary_key=True),
    Column("until", BigInteger, nullable=False),
    *event_columns(),
)
"""Counted rows of this minute, one per name; sealed as one event each when `until` (microseconds) is past."""

events = Table("audit_event", MetaData(), *event_columns())
"""The view over everything: sealed, hot and counted."""


def added_up(adding: Any) -> dict[str, Any]:
    """Return what a second batch does to a tally: counts add up, and what differs is left out."""
    old, new = tally.c, adding.excluded
    same = {name: case((old[name] == new[name], old[name])) for name in ("ip", "ip_source", "user_agent")}
    return {
        **same,
        "count": old["count"] + new["count"],
        "last_ts": func.coalesce(new.last_ts, new.ts),
        "request_id": null(),
        "detail": case((old.detail == new.detail, old.detail), else_=bindparam("various", type_=old.detail.type)),
    }
