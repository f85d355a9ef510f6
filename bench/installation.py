"""One installation of the product under measurement: its folder, its database, its credentials, its server.

Promise: every answer that is counted here must have its event in the log; `recorded` says whether it has.
"""

import asyncio
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bench import processes, rotation, servers
from bench.credentials import Minter
from bench.databases import Postgres, Sqlite
from bench.driving import Driven, measure
from bench.figures import Row, Spread, at_most
from bench.load import GOOD, Order, Run, drive
from bench.servers import NOTHING, Served
from lumio import settings as product_settings
from lumio.app.staff import at_work
from lumio.storage.events import events, hot
from lumio.system_keys.model import CreateSystemKey

SETTLE_SECONDS = 30.0
BACKLOG = f"SELECT count(*) FROM {hot.name}"  # noqa: S608 - the product's own name
ACCEPTED = f"SELECT COALESCE(SUM(count), 0) FROM {events.name} WHERE event = 'auth.succeeded'"  # noqa: S608 - as above


@dataclass(slots=True)
class Installation:
    """A set-up installation; it can be served again and again."""

    folder: Path
    database: Sqlite | Postgres
    more: Mapping[str, str] = field(default_factory=lambda: NOTHING)
    answers: int = 0
    _minter: Minter | None = None

    @property
    def name(self) -> str:
        """The kind of its database, for people."""
        return self.database.name

    @property
    def variables(self) -> Mapping[str, str]:
        """What its server is told beside its folder."""
        return {**self.database.settings, **self.more}

    @property
    def minter(self) -> Minter:
        """Who makes credentials for it."""
        if self._minter is None:
            self._minter = Minter(self.folder, self.database)
        return self._minter

    def set_up(self) -> "Installation":
        """Start it once and make its first person."""
        self.folder.mkdir(parents=True)
        with servers.serving(self.folder, self.variables) as served:
            servers.set_up(served.port, self.folder)
        return self

    @contextmanager
    def serving(self, workers: int = 1) -> Iterator["Contender"]:
        """Serve it until the block ends."""
        with servers.serving(self.folder, self.variables, workers) as served:
            yield Contender(self, served, workers)

    def requests(self, name: str, path: str, credentials: Sequence[str]) -> Path:
        """Keep a file of requests, one a credential."""
        return rotation.keep(self.folder / name, [rotation.request(path, one) for one in credentials])

    def system_keys(self, many: int) -> list[str]:
        """Make system keys by the operator's way; return them."""
        return asyncio.run(self._provision(many))

    async def _provision(self, many: int) -> list[str]:
        variables = {"LUMIO_DATA_DIR": str(self.folder), **self.variables}
        async with at_work(product_settings.load(variables)) as staff:
            forms = [CreateSystemKey(f"bench-{number}") for number in range(many)]
            return [(await staff.services.system_keys.provision(staff.units, form)).key for form in forms]

    def backlog(self) -> int:
        """Count the events that wait for the sealer."""
        return int(self.database.ask(BACKLOG))

    def recorded(self, part: str) -> Row:
        """Return the row that says whether every answer that was counted here has its event on disk."""
        missing = max(0, self.answers - int(self.database.ask(ACCEPTED)))
        name, note = f"{self.name}: answers without an event on disk", f"of {self.answers:,} answers"
        return Row(part, name, "answers", Spread.of([missing]), at_most(0), note)


@dataclass(slots=True)
class Contender:
    """A served installation that can be driven."""

    installation: Installation
    served: Served
    workers: int

    @property
    def port(self) -> int:
        """Where it listens."""
        return self.served.port

    @property
    def trees(self) -> Mapping[str, int]:
        """The roots of the processes that work for it."""
        database = self.installation.database.root
        return {"server": self.served.root} | ({} if database is None else {"database": database})

    def drive(self, requests: Path, connections: int, seconds: int) -> Driven:
        """Measure it, then wait until its sealer has nothing left: the next one has the machine for itself."""
        driven = measure(self.port, requests, connections, self.trees, seconds)
        self.installation.answers += driven.answers
        driven.waiting = self.installation.backlog()
        driven.sealing = self.settle()
        return driven

    def use_once(self, requests: Sequence[bytes], connections: int) -> Run:
        """Send each request one time; all of them must be answered with 200."""
        run = asyncio.run(drive(self.port, requests, Order(120, connections, once=True)))
        assert set(run.statuses) == {GOOD}, run.statuses
        self.installation.answers += len(run.took)
        return run

    def settle(self) -> float:
        """Wait until the sealer has nothing left; return what its tree spent meanwhile, in seconds."""
        before = processes.processor_seconds(self.served.root)
        deadline = time.monotonic() + SETTLE_SECONDS
        while self.installation.backlog() and time.monotonic() < deadline:
            time.sleep(0.1)
        return processes.processor_seconds(self.served.root) - before
