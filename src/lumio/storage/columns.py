"""The column types that both databases agree on, and the one catalogue of tables.

Ids are text, times are whole microseconds since 1970 UTC: the same bits on SQLite and on PostgreSQL, also
for the raw drivers of the hot path.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Column, Dialect, Integer, LargeBinary, MetaData, String, TypeDecorator

from lumio.kernel import clock

metadata = MetaData(naming_convention={
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
})  # fmt: skip

ID_LENGTH = 36


class Moment(TypeDecorator[datetime]):
    """An aware UTC time, kept as microseconds since 1970."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:  # noqa: ARG002
        """Turn a time into microseconds."""
        return None if value is None else clock.to_micros(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Turn microseconds into a time."""
        return None if value is None else clock.from_micros(value)


def id_column(name: str = "id", **options: Any) -> Column[str]:
    """Return a column for an id of ours."""
    return Column(name, String(ID_LENGTH), **options)


def fingerprint_columns(*, nullable: bool = False) -> tuple[Column[Any], ...]:
    """Return what a row keeps of an opaque key: its public lookup id and the fingerprint of the whole."""
    return (
        Column("lookup_id", String(12), nullable=nullable, unique=True),
        Column("pepper_v", Integer, nullable=nullable),
        Column("digest", LargeBinary(32), nullable=nullable),
    )
