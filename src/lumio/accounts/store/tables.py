"""The tables of people, accounts and memberships."""

from sqlalchemy import Column, ForeignKey, Index, String, Table, Text, UniqueConstraint

from lumio.storage.columns import Moment, id_column, metadata

users = Table(
    "user_person",
    metadata,
    id_column(primary_key=True),
    Column("email", String(254), nullable=False),
    Column("email_key", String(254), nullable=False, unique=True),
    Column("display_name", String(100), nullable=False),
    Column("name_key", Text),
    Column("password_hash", Text),
    Column("verified_at", Moment),
    Column("suspended_at", Moment),
    Column("created_at", Moment, nullable=False),
    Index(None, "created_at", "id"),
)

accounts = Table(
    "account",
    metadata,
    id_column(primary_key=True),
    Column("slug", String(48), nullable=False, unique=True),
    Column("name", String(100), nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("closed_at", Moment),
)

members = Table(
    "member",
    metadata,
    id_column(primary_key=True),
    Column("account_id", ForeignKey("account.id"), nullable=False),
    Column("user_id", ForeignKey("user_person.id"), index=True),
    Column("kind", String(16), nullable=False),
    Column("name", String(100)),
    Column("role", String(16), nullable=False),
    Column("created_at", Moment, nullable=False),
    UniqueConstraint("account_id", "user_id"),
)
