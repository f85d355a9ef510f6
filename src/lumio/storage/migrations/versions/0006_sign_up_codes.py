"""A sign-up waits with its own code: the name and the password that its link confirms, and no other's."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

SIGN_UP = "lm_vfy_"


def upgrade() -> None:
    """Add the columns; links of before this carry no sign-up of their own, so they end, and people sign up again."""
    op.add_column("one_time_code", sa.Column("display_name", sa.String(length=100), nullable=True))
    op.add_column("one_time_code", sa.Column("password_hash", sa.Text(), nullable=True))
    codes = sa.table("one_time_code", sa.column("purpose"))
    op.execute(codes.delete().where(codes.c.purpose == SIGN_UP))
    people = sa.table("user_person", sa.column("password_hash"), sa.column("verified_at"))
    op.execute(people.update().where(people.c.verified_at.is_(None)).values(password_hash=None))
