"""The indexed log: sealed events, their places in the chain, and what outlives them (spec: audit log, 3 to 5).

Promise: positions, leaves and links live apart from the events, so that erasing a field leaves the chain as it is.
On PostgreSQL `audit_log` and `audit_seal` are partitioned by the day of sealing.
"""

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, String, Table, Text, text

from lumio.storage.columns import Moment, id_column, metadata
from lumio.storage.events import event_columns, number_type

NOT_A_GOOD_AUTHENTICATION = text("event <> 'auth.succeeded'")
"""What pages show until asked for more; a literal, so that both databases see that the partial indexes fit."""


def _index(name: str, *columns: str) -> Index:
    """Return an index; on PostgreSQL it has the day too, so that a question that names days reads nothing else."""
    return Index(name, *columns, postgresql_include=["day"])


def _partial(name: str, *columns: str) -> Index:
    where = NOT_A_GOOD_AUTHENTICATION
    return Index(name, *columns, sqlite_where=where, postgresql_where=where, postgresql_include=["day"])


log = Table(
    "audit_log",
    metadata,
    Column("position", number_type(), primary_key=True, autoincrement=False),
    Column("day", Integer, nullable=False),
    *event_columns(),
    Column("salt", LargeBinary),
    Column("commitments", LargeBinary),
    _index("ix_audit_log_account", "account_id", "ts", "id"),
    _index("ix_audit_log_chain", "account_id", "position"),
    _index("ix_audit_log_ts", "ts", "id"),
    _partial("ix_audit_log_account_change", "account_id", "ts", "id"),
    _partial("ix_audit_log_change", "ts", "id"),
    _index("ix_audit_log_event", "event", "ts", "id"),
    _index("ix_audit_log_actor", "actor_label", "ts", "id"),
    _index("ix_audit_log_ip", "ip", "ts", "id"),
    _index("ix_audit_log_credential", "credential_id", "ts", "id"),
)
"""One row a sealed event. `commitments` holds what an erasure leaves of the four personal fields."""

seal = Table(
    "audit_seal",
    metadata,
    Column("position", number_type(), primary_key=True, autoincrement=False),
    Column("day", Integer, nullable=False),
    id_column("event_id", nullable=False),
    Column("leaf", LargeBinary, nullable=False),
    Column("account_prev", LargeBinary),
    Column("chain", LargeBinary, nullable=False),
)
"""The place of an event: its leaf, the account's chain before it, the global chain after it."""

chain = Table(
    "audit_chain",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("position", BigInteger, nullable=False),
    Column("chain", LargeBinary, nullable=False),
    Column("head_position", BigInteger, nullable=False),
    Column("head_at", Moment),
)
"""The end of the global chain, and the newest head that has left the database. One row."""

account_chain = Table(
    "audit_account",
    metadata,
    id_column("account_id", primary_key=True),
    Column("position", BigInteger, nullable=False),
    Column("chain", LargeBinary, nullable=False),
    Column("count", BigInteger, nullable=False),
)
"""The end of each account's chain, and how many events it had in all."""

segment = Table(
    "audit_segment",
    metadata,
    Column("first", number_type(), primary_key=True, autoincrement=False),
    Column("last", BigInteger, nullable=False),
    Column("day", Integer, nullable=False),
    Column("first_ts", BigInteger, nullable=False),
    Column("last_ts", BigInteger, nullable=False),
)
"""Runs of positions sealed on one day (days since 1970, UTC), in order; purged whole."""

checkpoint = Table(
    "audit_checkpoint",
    metadata,
    Column("position", number_type(), primary_key=True, autoincrement=False),
    Column("statement", Text, nullable=False),
)
"""What a purge leaves for ever: the signed statement about everything up to a position."""

checkpoint_account = Table(
    "audit_checkpoint_account",
    metadata,
    Column("position", number_type(), primary_key=True, autoincrement=False),
    id_column("account_id", primary_key=True),
    Column("chain", LargeBinary, nullable=False),
    Column("count", BigInteger, nullable=False),
)
"""The ends of the chains of the accounts that had events in what a checkpoint stands for."""

hold = Table(
    "audit_hold",
    metadata,
    id_column("account_id", primary_key=True),
    Column("reason", String(300), nullable=False),
    Column("since", Moment, nullable=False),
)
"""Accounts under legal hold: a purge moves their events to `audit_held` first."""

held = Table(
    "audit_held",
    metadata,
    Column("position", number_type(), primary_key=True, autoincrement=False),
    *event_columns(),
    Column("salt", LargeBinary),
    Column("commitments", LargeBinary),
    Column("leaf", LargeBinary, nullable=False),
    Column("account_prev", LargeBinary),
    Index("ix_audit_held_account", "account_id", "position"),
)
"""Events kept for a legal hold, with what proves their place in the account's chain."""

purge_state = Table(
    "audit_purge",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("cut", BigInteger, nullable=False),
    Column("at", Moment, nullable=False),
    Column("boot", String(64), nullable=False),
    Column("boottime", BigInteger, nullable=False),
)
"""How far the last purge cut, and by which clocks: what guards against a clock that jumps. At most one row."""
