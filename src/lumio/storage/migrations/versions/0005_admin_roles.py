"""Custom admin roles, and names of people in the form in which they are searched."""

import unicodedata

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table; fold the names that are there."""
    op.create_table(
        "admin_role",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("permissions", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_admin_role")),
        sa.UniqueConstraint("name", name=op.f("uq_admin_role_name")),
    )
    op.add_column("user_person", sa.Column("name_key", sa.Text(), nullable=True))
    op.create_index(op.f("ix_user_person_created_at_id"), "user_person", ["created_at", "id"], unique=False)
    people = sa.table("user_person", sa.column("id"), sa.column("display_name"), sa.column("name_key"))
    for row in op.get_bind().execute(sa.select(people.c.id, people.c.display_name)).all():
        folded = unicodedata.normalize("NFKC", row.display_name).casefold()
        op.execute(people.update().where(people.c.id == row.id).values(name_key=folded))
