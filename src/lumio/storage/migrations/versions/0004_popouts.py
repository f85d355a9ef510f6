"""Popout tokens."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "popout_token",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("account_id", sa.String(length=36), nullable=False),
        sa.Column("member_id", sa.String(length=36), nullable=False),
        sa.Column("maker_id", sa.String(length=36), nullable=False),
        sa.Column("maker_name", sa.String(length=254), nullable=False),
        sa.Column("label", sa.String(length=100), nullable=False),
        sa.Column("permissions", sa.JSON(), nullable=False),
        sa.Column("lookup_id", sa.String(length=12), nullable=False),
        sa.Column("pepper_v", sa.Integer(), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=True),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.Column("last_used_at", sa.BigInteger(), nullable=True),
        sa.Column("last_used_ip", sa.String(length=64), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_popout_token_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_popout_token")),
        sa.UniqueConstraint("lookup_id", name=op.f("uq_popout_token_lookup_id")),
    )
    op.create_index(
        op.f("ix_popout_token_account_id_created_at_id"),
        "popout_token",
        ["account_id", "created_at", "id"],
        unique=False,
    )
