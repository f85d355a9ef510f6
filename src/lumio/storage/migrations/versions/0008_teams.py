"""Invitations, billing details, and accounts that were closed."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.add_column("account", sa.Column("closed_at", sa.BigInteger(), nullable=True))
    op.create_index(op.f("ix_api_key_minter_id"), "api_key", ["minter_id"], unique=False)
    op.create_index(op.f("ix_popout_token_maker_id"), "popout_token", ["maker_id"], unique=False)
    op.create_table(
        "invitation",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("account_id", sa.String(length=36), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("email_key", sa.String(length=254), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("inviter_id", sa.String(length=36), nullable=False),
        sa.Column("inviter_name", sa.String(length=254), nullable=False),
        sa.Column("lookup_id", sa.String(length=12), nullable=False),
        sa.Column("pepper_v", sa.Integer(), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("accepted_at", sa.BigInteger(), nullable=True),
        sa.Column("withdrawn_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_invitation_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invitation")),
        sa.UniqueConstraint("lookup_id", name=op.f("uq_invitation_lookup_id")),
    )
    op.create_index(
        op.f("ix_invitation_account_id_created_at_id"),
        "invitation",
        ["account_id", "created_at", "id"],
        unique=False,
    )
    op.create_table(
        "billing",
        sa.Column("account_id", sa.String(length=36), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_billing_account_id")),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_billing")),
    )
