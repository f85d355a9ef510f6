"""What every part of the bench stands on: a scratch folder, a durable PostgreSQL, and how thorough to be."""

import random
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bench.databases import Postgres, Sqlite
from bench.installation import Installation
from bench.postgres import DurablePostgres

BACKENDS = ("SQLite", "PostgreSQL")
BUSY_KEYS = 20
ACTIVE_KEYS = 1000
FEWEST = 100


@dataclass(slots=True)
class Ground:
    """Scratch space that is gone when the bench ends, and how much to measure.

    `seconds` and `rounds` are those of each measurement; `scale` is below 1 where nobody wants the figures, only to
    see that all parts work.
    """

    scratch: Path
    cache: Path
    seconds: int = 2
    rounds: int = 3
    audit_rows: int = 1_000_000
    scale: float = 1.0
    _stack: ExitStack = field(default_factory=ExitStack)
    _postgres: DurablePostgres | None = None

    @property
    def postgres(self) -> DurablePostgres:
        """The server, started when it is first asked for."""
        if self._postgres is None:
            self._postgres = self._stack.enter_context(DurablePostgres())
        return self._postgres

    def some(self, many: int) -> int:
        """Return a count, made smaller where the bench itself is only tried out."""
        return min(many, max(FEWEST, int(many * self.scale)))

    @contextmanager
    def open(self) -> Iterator["Ground"]:
        """Stop the server when the block ends."""
        with self._stack:
            yield self

    def installation(self, backend: str, **more: str) -> Installation:
        """Return a fresh installation on `SQLite` or `PostgreSQL`, set up; `more` are settings without LUMIO_."""
        name = f"i{random.randrange(10**9)}"
        folder = self.scratch / name
        settings = {f"LUMIO_{key}": value for key, value in more.items()}
        database: Sqlite | Postgres = Sqlite(folder)
        if backend == "PostgreSQL":
            database = Postgres(self.postgres, name, self.postgres.create(name))
        return Installation(folder, database, settings).set_up()
