"""The hot journal, the tallies, and the indexed and chained log behind them; what was told so far is sealed anew."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

NAMES = (
    "id", "account_id", "ts", "last_ts", "event", "result", "actor_type", "actor_id", "actor_label", "on_behalf_of",
    "auth_method", "credential_id", "ip", "ip_source", "user_agent", "request_id", "target_type", "target_id",
    "detail", "count", "node",
)  # fmt: skip
BY_DAY = """
CREATE FUNCTION lumio_audit_partition(day integer) RETURNS void LANGUAGE plpgsql SECURITY DEFINER
SET search_path FROM CURRENT AS $$
DECLARE part text; BEGIN
  FOREACH part IN ARRAY ARRAY['audit_log', 'audit_seal'] LOOP
    EXECUTE format('CREATE TABLE IF NOT EXISTS %I PARTITION OF %I FOR VALUES FROM (%s) TO (%s)',
                   part || '_' || day, part, day, day + 1);
  END LOOP;
END $$;
"""
DROP_DAY = """
CREATE FUNCTION lumio_audit_drop(day integer) RETURNS void LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE part text; BEGIN
  FOREACH part IN ARRAY ARRAY['audit_log', 'audit_seal'] LOOP
    EXECUTE format('DROP TABLE IF EXISTS %I', part || '_' || day);
  END LOOP;
END $$;
"""


def upgrade() -> None:
    """Make the parts, move the rows into the hot journal, and put the view in the old table's place."""
    on_postgres = op.get_bind().dialect.name == "postgresql"
    _make_journal(on_postgres=on_postgres)
    _move_rows()
    op.drop_table("audit_event")
    _make_log(on_postgres=on_postgres)
    _make_chains()
    _make_retention()
    _make_view()
    if on_postgres:
        op.execute(sa.text(BY_DAY))
        op.execute(sa.text(DROP_DAY))


def _events() -> list[sa.Column[Any]]:
    return [
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("account_id", sa.String(36), nullable=True),
        sa.Column("ts", sa.BigInteger(), nullable=False),
        sa.Column("last_ts", sa.BigInteger(), nullable=True),
        sa.Column("event", sa.String(64), nullable=False),
        sa.Column("result", sa.String(7), nullable=False),
        sa.Column("actor_type", sa.String(16), nullable=False),
        sa.Column("actor_id", sa.String(64), nullable=True),
        sa.Column("actor_label", sa.Text(), nullable=True),
        sa.Column("on_behalf_of", sa.String(64), nullable=True),
        sa.Column("auth_method", sa.String(32), nullable=True),
        sa.Column("credential_id", sa.String(64), nullable=True),
        sa.Column("ip", sa.String(64), nullable=True),
        sa.Column("ip_source", sa.String(16), nullable=True),
        sa.Column("user_agent", sa.Text(), nullable=True),
        sa.Column("request_id", sa.String(64), nullable=True),
        sa.Column("target_type", sa.String(32), nullable=True),
        sa.Column("target_id", sa.String(64), nullable=True),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("node", sa.String(64), nullable=False),
    ]


def _number(name: str) -> sa.Column[Any]:
    """Return a number that SQLite takes as the row's own."""
    kind = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    return sa.Column(name, kind, autoincrement=False, nullable=False)


def _make_journal(*, on_postgres: bool) -> None:
    own = [] if on_postgres else [sa.PrimaryKeyConstraint("n", name=op.f("pk_audit_hot"))]
    number = sa.Column("n", sa.BigInteger(), sa.Identity(), nullable=False) if on_postgres else _number("n")
    op.create_table("audit_hot", number, *_events(), *own)
    op.create_table(
        "audit_tally",
        sa.Column("name", sa.String(160), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        *_events(),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_audit_tally")),
    )


def _move_rows() -> None:
    old = sa.table("audit_event", *(sa.column(name) for name in NAMES))
    new = sa.table("audit_hot", *(sa.column(name) for name in NAMES))
    op.execute(new.insert().from_select(NAMES, sa.select(old).order_by(old.c.ts, old.c.id)))


def _make_log(*, on_postgres: bool) -> None:
    key = ("position", "day") if on_postgres else ("position",)
    op.create_table(
        "audit_log",
        _number("position"),
        sa.Column("day", sa.Integer(), nullable=False),
        *_events(),
        sa.Column("salt", sa.LargeBinary(), nullable=True),
        sa.Column("commitments", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint(*key, name=op.f("pk_audit_log")),
        postgresql_partition_by="RANGE (day)",
    )
    op.create_table(
        "audit_seal",
        _number("position"),
        sa.Column("day", sa.Integer(), nullable=False),
        sa.Column("event_id", sa.String(36), nullable=False),
        sa.Column("leaf", sa.LargeBinary(), nullable=False),
        sa.Column("account_prev", sa.LargeBinary(), nullable=True),
        sa.Column("chain", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint(*key, name=op.f("pk_audit_seal")),
        postgresql_partition_by="RANGE (day)",
    )
    wheres = sa.text("event <> 'auth.succeeded'")
    for name, column in (("account", "account_id"), ("event", "event"), ("actor", "actor_label"), ("ip", "ip"),
                         ("credential", "credential_id")):  # fmt: skip
        op.create_index(f"ix_audit_log_{name}", "audit_log", [column, "ts", "id"])
    op.create_index("ix_audit_log_ts", "audit_log", ["ts", "id"])
    op.create_index("ix_audit_log_chain", "audit_log", ["account_id", "position"])
    for name, columns in (("account_change", ["account_id", "ts", "id"]), ("change", ["ts", "id"])):
        op.create_index(f"ix_audit_log_{name}", "audit_log", columns, sqlite_where=wheres, postgresql_where=wheres)


def _make_chains() -> None:
    op.create_table(
        "audit_chain",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("chain", sa.LargeBinary(), nullable=False),
        sa.Column("head_position", sa.BigInteger(), nullable=False),
        sa.Column("head_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_chain")),
    )
    ends = sa.table("audit_chain", *(sa.column(name) for name in ("id", "position", "chain", "head_position")))
    op.execute(ends.insert().values(id=1, position=0, chain=sa.literal(bytes(32), sa.LargeBinary()), head_position=0))
    op.create_table(
        "audit_account",
        sa.Column("account_id", sa.String(36), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("chain", sa.LargeBinary(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_audit_account")),
    )


def _make_retention() -> None:
    op.create_table(
        "audit_segment",
        _number("first"),
        sa.Column("last", sa.BigInteger(), nullable=False),
        sa.Column("day", sa.Integer(), nullable=False),
        sa.Column("first_ts", sa.BigInteger(), nullable=False),
        sa.Column("last_ts", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("first", name=op.f("pk_audit_segment")),
    )
    op.create_table(
        "audit_checkpoint",
        _number("position"),
        sa.Column("statement", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("position", name=op.f("pk_audit_checkpoint")),
    )
    op.create_table(
        "audit_checkpoint_account",
        _number("position"),
        sa.Column("account_id", sa.String(36), nullable=False),
        sa.Column("chain", sa.LargeBinary(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("position", "account_id", name=op.f("pk_audit_checkpoint_account")),
    )
    op.create_table(
        "audit_hold",
        sa.Column("account_id", sa.String(36), nullable=False),
        sa.Column("reason", sa.String(300), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_audit_hold")),
    )
    op.create_table(
        "audit_held",
        _number("position"),
        *_events(),
        sa.Column("salt", sa.LargeBinary(), nullable=True),
        sa.Column("commitments", sa.LargeBinary(), nullable=True),
        sa.Column("leaf", sa.LargeBinary(), nullable=False),
        sa.Column("account_prev", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("position", name=op.f("pk_audit_held")),
    )
    op.create_index("ix_audit_held_account", "audit_held", ["account_id", "position"])
    op.create_table(
        "audit_purge",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("cut", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("boot", sa.String(64), nullable=False),
        sa.Column("boottime", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_purge")),
    )


def _make_view() -> None:
    """`audit_event`: everything, wherever it lies at this moment."""
    op.execute(
        sa.text("""
        CREATE VIEW audit_event AS
        SELECT id, account_id, ts, last_ts, event, result, actor_type, actor_id, actor_label, on_behalf_of,
               auth_method, credential_id, ip, ip_source, user_agent, request_id, target_type, target_id, detail,
               count, node FROM audit_log
        UNION ALL
        SELECT id, account_id, ts, last_ts, event, result, actor_type, actor_id, actor_label, on_behalf_of,
               auth_method, credential_id, ip, ip_source, user_agent, request_id, target_type, target_id, detail,
               count, node FROM audit_hot
        UNION ALL
        SELECT id, account_id, ts, last_ts, event, result, actor_type, actor_id, actor_label, on_behalf_of,
               auth_method, credential_id, ip, ip_source, user_agent, request_id, target_type, target_id, detail,
               count, node FROM audit_tally
        """)
    )
