"""The rows of a simulated server, and how the house's real statements read and change them.

Promise: the statements are those of production; a form that is not understood is an error, never a guess.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from types import SimpleNamespace
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Delete,
    Insert,
    MetaData,
    Select,
    String,
    Table,
    Update,
    select,
    update,
)
from sqlalchemy import bindparam as given
from sqlalchemy.sql import operators
from sqlalchemy.sql.elements import BinaryExpression, BindParameter, Tuple
from sqlalchemy.sql.functions import max as newest


class Row(SimpleNamespace):
    """Never changed in place: a change puts a new one into its table."""

    def __iter__(self) -> Iterator[Any]:
        return iter(vars(self).values())


Rows = dict[Any, Row]
Writes = dict[tuple[str, Any], Row | None]
"""(table, primary key) → the new row, or None for one that is deleted."""

metadata = MetaData()
keys = Table(
    "key",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("account", String(40)),
    Column("user", String(40)),
    Column("ended", Boolean),
)
roles = Table("role", metadata, Column("id", String(80), primary_key=True), Column("version", BigInteger))
accounts = Table("account", metadata, Column("id", String(40), primary_key=True), Column("ended", Boolean))
things = Table(
    "thing",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("key", String(40)),
    Column("version", BigInteger),
)
"""What units make: by which key, and with which version of its holder's role."""

KEY = select(keys).where(keys.c.id == given("id"))
ROLE = select(roles).where(roles.c.id == given("id"))
ACCOUNT = select(accounts).where(accounts.c.id == given("id"))
END_KEY = update(keys).where(keys.c.id == given("id")).values(ended=True)
END_ALL = update(keys).where(keys.c.ended == given("ended")).values(ended=True)
END_ACCOUNT = update(accounts).where(accounts.c.id == given("id")).values(ended=True)
CHANGE_ROLE = update(roles).where(roles.c.id == given("id")).values(version=roles.c.version + 1)
MAKE = things.insert()


class Result:
    """What a statement found, as SQLAlchemy hands it over."""

    def __init__(self, rows: Sequence[Any], *, single: bool = False) -> None:
        self._rows = list(rows)
        self._single = single

    def all(self) -> list[Any]:
        return self._rows

    def first(self) -> Any:
        return self._rows[0] if self._rows else None

    def scalar(self) -> Any:
        row = self.first()
        return row if row is None or self._single else next(iter(row))

    def one(self) -> Any:
        (row,) = self._rows
        return row


class Reading:
    """The rows that one statement sees: what is committed, with the writes of its own transaction over it."""

    def __init__(self, committed: Mapping[str, Rows], writes: Writes) -> None:
        self._committed = committed
        self._writes = writes

    def rows(self, table: str) -> Rows:
        own = {key: row for (name, key), row in self._writes.items() if name == table}
        found = self._committed.get(table, {})
        if not own:
            return found
        merged: Mapping[Any, Row | None] = {**found, **own}
        return {key: row for key, row in merged.items() if row is not None}

    def matching(self, table: str, statement: Any, values: Mapping[str, Any]) -> list[Row]:
        """Return the rows for which all of a statement's conditions hold."""
        rows, conditions = self.rows(table), statement._where_criteria
        key = _wanted_key(table, conditions, values)
        if key is not None:
            rows = {key: rows[key]} if key in rows else {}
        return [row for row in rows.values() if all(_value(one, row, values) for one in conditions)]


def read(statement: Select[Any], seen: Reading, values: Mapping[str, Any]) -> Result:
    """Answer a SELECT from one table; the order of its rows is that of their making."""
    first: Any = statement._raw_columns[0]
    if isinstance(first, newest):
        (column,) = first.clauses
        rows = seen.matching(column.table.name, statement, values)
        return Result([max((getattr(row, column.name) for row in rows), default=None)], single=True)
    if isinstance(first, Table):
        return Result(seen.matching(first.name, statement, values))
    columns: Sequence[Any] = statement._raw_columns
    names = [column.name for column in columns]
    rows = seen.matching(first.table.name, statement, values)
    return Result([Row(**{name: getattr(row, name) for name in names}) for row in rows])


def written(table: str, row: Row) -> tuple[str, Any]:
    """Return the place of a row."""
    return table, getattr(row, _KEYS[table])


def inserted(statement: Insert, values: Any) -> Writes:
    """Return what an INSERT writes."""
    table: Any = statement.table
    _KEYS.setdefault(table.name, next(iter(table.primary_key.columns)).name)
    rows: Sequence[Any] = [values] if isinstance(values, Mapping) else values
    return {written(table.name, Row(**row)): Row(**row) for row in rows}


def changed(statement: Update | Delete, row: Row, values: Mapping[str, Any]) -> Row | None:
    """Return what becomes of one row."""
    if isinstance(statement, Delete):
        return None
    news: Any = statement._values
    names = {getattr(column, "name", column): _value(one, row, values) for column, one in news.items()}
    return Row(**{**vars(row), **names})


def returned(statement: Update | Delete, rows: Sequence[Row]) -> Result:
    """Return what a statement says of the rows that it has changed."""
    columns = list(getattr(statement, "_returning", ()))
    return Result([Row(**{column.name: getattr(row, column.name) for column in columns}) for row in rows])


def place_of(statement: Update | Delete, row: Row) -> tuple[str, Any]:
    """Return the place of a row that a statement names."""
    table: Any = statement.table
    _KEYS.setdefault(table.name, next(iter(table.primary_key.columns)).name)
    return written(table.name, row)


_KEYS = {table.name: next(iter(table.primary_key.columns)).name for table in metadata.tables.values()}
_PLAIN: set[Callable[..., Any]] = {
    operators.eq,
    operators.ne,
    operators.gt,
    operators.ge,
    operators.lt,
    operators.le,
    operators.add,
}


def _value(node: Any, row: Row, values: Mapping[str, Any]) -> Any:
    if isinstance(node, BindParameter):
        return values.get(node.key, node.effective_value)
    if isinstance(node, Column):
        return getattr(row, node.name)
    if isinstance(node, Tuple):
        return tuple(_value(one, row, values) for one in node.clauses)
    if isinstance(node, BinaryExpression):
        if node.operator is operators.in_op:
            return _value(node.left, row, values) in _value(node.right, row, values)
        if node.operator in _PLAIN:
            return node.operator(_value(node.left, row, values), _value(node.right, row, values))
    message = f"this form of a statement is not understood: {type(node).__name__} {node}"
    raise NotImplementedError(message)


def _wanted_key(table: str, conditions: Sequence[Any], values: Mapping[str, Any]) -> Any:
    """Return the primary key that the first condition asks for by `=`, or None."""
    first = conditions[0] if conditions else None
    if not isinstance(first, BinaryExpression) or first.operator is not operators.eq:
        return None
    if not isinstance(first.left, Column) or first.left.name != _KEYS.get(table):
        return None
    return _value(first.right, Row(), values)
