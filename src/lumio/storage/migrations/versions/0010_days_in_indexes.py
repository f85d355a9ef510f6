"""On PostgreSQL the indexes of the sealed log hold the day too: a question that names days reads nothing else."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

CHANGES = sa.text("event <> 'auth.succeeded'")
INDEXES = (
    ("account", ["account_id", "ts", "id"], None),
    ("chain", ["account_id", "position"], None),
    ("ts", ["ts", "id"], None),
    ("account_change", ["account_id", "ts", "id"], CHANGES),
    ("change", ["ts", "id"], CHANGES),
    ("event", ["event", "ts", "id"], None),
    ("actor", ["actor_label", "ts", "id"], None),
    ("ip", ["ip", "ts", "id"], None),
    ("credential", ["credential_id", "ts", "id"], None),
)


def upgrade() -> None:
    """Make the indexes anew; SQLite has no days apart and keeps them as they are."""
    if op.get_bind().dialect.name != "postgresql":
        return
    for name, columns, where in INDEXES:
        op.drop_index(f"ix_audit_log_{name}", "audit_log")
        op.create_index(
            f"ix_audit_log_{name}", "audit_log", columns, postgresql_where=where, postgresql_include=["day"]
        )
