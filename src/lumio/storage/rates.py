"""Windows of rate limits, shared by the workers of a host and the nodes of a fleet.

Promise: all workers together are granted at most the limit of a window; a draw is one statement.
"""

from sqlalchemy import BigInteger, Column, Integer, String, Table, delete, func

from lumio.storage.columns import metadata
from lumio.storage.database import Database
from lumio.storage.unit import Unit, Units

windows = Table(
    "rate_window",
    metadata,
    Column("name", String(160), primary_key=True),
    Column("starts", BigInteger, primary_key=True, autoincrement=False),
    Column("used", Integer, nullable=False),
    Column("ends", BigInteger, nullable=False),
)


class RateWindows:
    """Draws portions of a window's limit from the database."""

    def __init__(self, database: Database) -> None:
        """Count in `database`."""
        self._database = database
        self._units = Units(database, "")  # records nothing; a request that is counted waits no longer than others

    async def draw(self, name: str, starts: int, ends: int, portion: int, limit: int) -> tuple[int, int]:
        """Take up to `portion` of what is left of the window `name` that begins at `starts` (Unix seconds).

        Returns:
            How many were granted (0 when the limit is reached), and how many are taken in all.
        """
        row = {"name": name, "starts": starts, "used": portion, "ends": ends}
        insertion = self._database.dialect.upsert(windows).values(row)
        # Taken stays within one portion above the limit, however long somebody goes on asking.
        more = func.min if self._database.dialect.single_writer else func.least
        statement = insertion.on_conflict_do_update(
            index_elements=[windows.c.name, windows.c.starts],
            set_={"used": more(windows.c.used + portion, limit + portion)},
        ).returning(windows.c.used)

        async def step(unit: Unit) -> int:
            return int((await unit.execute(statement)).scalar_one())

        used = await self._units.run(step)
        return max(0, min(portion, limit - (used - portion))), min(used, limit)

    async def forget(self, before: int) -> None:
        """Delete windows that ended before then (Unix seconds)."""
        await self._units.run(lambda unit: unit.execute(delete(windows).where(windows.c.ends < before)))
