"""Last uses: noted in memory at each request, written now and then.

Promise: however many there are, no transaction of theirs has more than `SLICE`, so that an answer that waits for its
place on the disk of a file waits for few of them.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from itertools import islice
from typing import Generic, TypeVar

from lumio.storage.unit import Unit, Units

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

    async def flush(self, units: Units, write: Callable[[Unit, Mapping[str, Use]], Awaitable[None]]) -> None:
        """Write what was noted so far, by `write` in units of its own; what comes meanwhile is for the next time.

        Raises:
            Unavailable: the database does not answer; what was not written yet is noted still.
        """
        noted, self._noted = self._noted, {}
        try:
            while noted:
                part = dict(islice(noted.items(), SLICE))
                await units.run(lambda unit, part=part: write(unit, part))  # type: ignore[misc]
                for name in part:
                    del noted[name]
                if noted:
                    await asyncio.sleep(REST_SECONDS)
        finally:
            self._noted = noted | self._noted
