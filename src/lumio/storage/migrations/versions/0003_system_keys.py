"""System keys. A revoked key has no row, so nothing here says whether one lives."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "system_keys",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("label", sa.String(length=100), nullable=False),
        sa.Column("permissions", sa.Text(), nullable=False),
        sa.Column("profile", sa.String(length=40), nullable=False),
        sa.Column("lookup_id", sa.String(length=12), nullable=False),
        sa.Column("tag", sa.Integer(), nullable=False),
        sa.Column("pepper_v", sa.Integer(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("created_by", sa.String(length=36), nullable=True),
        sa.Column("last_used_at", sa.BigInteger(), nullable=True),
        sa.Column("last_used_ip", sa.String(length=64), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_system_keys")),
        sa.UniqueConstraint("lookup_id", name=op.f("uq_system_keys_lookup_id")),
    )
    op.create_index(op.f("ix_system_keys_created_at_id"), "system_keys", ["created_at", "id"], unique=False)
