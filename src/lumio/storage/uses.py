"""Last uses: noted in memory at each request, written now and then.

Promise: however many there are, no transaction of theirs has more than `SLICE`, so that an answer that waits for its
place on the disk of a file waits for few of them.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from itertools import islice
from typing import Generic, TypeVar

import msgspec
from sqlalchemy import BigInteger, ColumnElement, Table, Text, bindparam, func, literal_column, or_, select, update
from sqlalchemy.dialects.sqlite import pysqlite

from lumio.kernel import clock
from lumio.storage.unit import Units

SLICE = 250
REST_SECONDS = 0.1
"""Between two of them: others come first."""
Use = TypeVar("Use")


class Uses(Generic[Use]):
    """The newest use of each credential or session, until it is written."""

    def __init__(self) -> None:
        """Begin with none."""
        self._noted: dict[str, Use] = {}

    def __len__(self) -> int:
        """Count what waits to be written."""
        return len(self._noted)

    def note(self, name: str, use: Use) -> None:
        """Note a use, in the place of an earlier one."""
        self._noted[name] = use

    async def flush(self, units: Units, write: Callable[[Units, Mapping[str, Use]], Awaitable[None]]) -> None:
        """Write what was noted so far, a slice each time that `write` is called; what comes meanwhile is for later.

        Raises:
            Unavailable: the database does not answer; what was not written yet is noted still.
        """
        noted, self._noted = self._noted, {}
        try:
            while noted:
                part = dict(islice(noted.items(), SLICE))
                await write(units, part)
                for name in part:
                    del noted[name]
                if noted:
                    await asyncio.sleep(REST_SECONDS)
        finally:
            self._noted = noted | self._noted


class LastUse:
    """The columns that tell when a row was used last, and from which address where that is kept.

    Promise: a time moves forward only, and only in a row that lives.
    """

    def __init__(
        self, table: Table, *live: ColumnElement[bool], at: str = "last_used_at", ip: str | None = None
    ) -> None:
        """Write the columns `at` and `ip` of those rows of `table` that are `live`."""
        moment, address = bindparam("moment", type_=BigInteger), bindparam("ip", type_=Text)
        row = func.json_each(bindparam("uses", type_=Text)).table_valued("value").c.value
        name, *rest = (func.json_extract(row, literal_column(path)) for path in ("'$[0]'", "'$[1]'", "'$[2]'"))
        told = select(name.label("name"), rest[0].label("moment"), rest[1].label("ip")).subquery("told").c
        older = or_(table.c[at].is_(None), table.c[at] < moment)
        self._each = update(table).where(table.c.id == bindparam("name"), *live, older).values({at: moment})
        older = or_(table.c[at].is_(None), table.c[at] < told.moment)
        together = update(table).where(table.c.id == told.name, *live, older).values({at: told.moment})
        if ip is not None:
            self._each, together = self._each.values({ip: address}), together.values({ip: told.ip})
        self._all = str(together.compile(dialect=pysqlite.dialect(paramstyle="named")))

    async def write(self, units: Units, uses: Mapping[str, tuple[datetime, str | None]]) -> None:
        """Write uses by the rows' ids, in a unit of their own.

        On a file in one statement: a row at a time would give the interpreter away and back for each while others
        wait for the file. Elsewhere one after the other in one order, so that no two workers wait crosswise.
        """
        told = [(name, clock.to_micros(at), ip) for name, (at, ip) in sorted(uses.items())]
        if units.alone:
            await units.run_at_once(self._all, {"uses": msgspec.json.encode(told).decode()})
        else:
            moves = [{"name": name, "moment": at, "ip": ip} for name, at, ip in told]
            await units.run(lambda unit: unit.execute(self._each, moves))
