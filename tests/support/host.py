"""A host with several workers, as a test needs it: who is who among its processes, and whom a connection talks to."""

import asyncio
import http.client
import json
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import func, select

from lumio.settings import RATES, Settings
from lumio.storage.database import Database
from lumio.storage.events import events
from tests.support.busy_clients import BusyClients
from tests.support.serving import LiveServer
from tests.support.world import PUBLIC, opened

PATIENCE_SECONDS = 20.0
ME = "/v1/users/me"


def until(found: Callable[[], Any], what: str) -> Any:
    """Ask again until there is something true; return it."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (answer := found()):
        assert time.monotonic() < deadline, what
        time.sleep(0.02)
    return answer


@dataclass(frozen=True, slots=True)
class Said:
    """An answer."""

    status: int
    headers: dict[str, str]
    body: bytes


class Connection:
    """One kept connection: the worker that accepted it answers everything on it."""

    def __init__(self, port: int, credential: str) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        self._headers = {"Authorization": f"Bearer {credential}"} if credential else {}

    def ask(self, method: str, path: str, **headers: str) -> Said:
        """Ask once; `Some_Header="x"` is the header Some-Header."""
        given = self._headers | {name.replace("_", "-"): value for name, value in headers.items()}
        self._connection.request(method, path, headers=given)
        answer = self._connection.getresponse()
        return Said(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())

    def close(self) -> None:
        """Hang up."""
        self._connection.close()


@dataclass(slots=True)
class Host:
    """A running server with several workers, and credentials to ask it with."""

    settings: Settings
    server: LiveServer
    keys: list[dict[str, Any]] = field(default_factory=list)
    session: str = ""
    _open: list[Connection] = field(default_factory=list)

    def connect(self, credential: str = "") -> Connection:
        """Return a new connection, to whichever worker takes it."""
        made = Connection(self.server.port, credential)
        self._open.append(made)
        return made

    def hang_up(self) -> None:
        """Close every connection."""
        while self._open:
            self._open.pop().close()

    @property
    def on_postgres(self) -> bool:
        """Whether each worker holds a lease of its own."""
        return self.settings.database_url.startswith("postgresql")

    @property
    def workers(self) -> list[str]:
        """The names of its workers on the board."""
        return [f"worker-{number + 1}" for number in range(int(self.server.settings["LUMIO_WORKERS"]))]

    def pid(self, process: str) -> int:
        """Return the id of `worker-1`, `sealer`, `journal-writer` as it posted it last; 0 when it did not yet."""
        folder = self.settings.data_dir / "run" / str(self.server.leader)
        with suppress(OSError, ValueError):
            return int(json.loads((folder / f"{process}.figures").read_bytes())["pid"])
        return 0

    def running(self, process: str) -> int:
        """Wait until a process has posted, and return its id."""
        return int(until(lambda: self.pid(process), f"{process} never came"))

    def successor(self, process: str, dead: int) -> int:
        """Wait for the process that took the place of a dead one, and return its id."""
        other = until(lambda: {self.pid(process)} - {0, dead}, f"no other {process} came")
        return int(other.pop())

    async def connections(self, credential: str) -> dict[str, Connection]:
        """Return a connection to each worker, by the worker's name in the log."""
        found: dict[str, Connection] = {}
        deadline = time.monotonic() + PATIENCE_SECONDS
        while len(found) < len(self.workers):
            assert time.monotonic() < deadline, f"only {list(found)} accept connections"
            made = self.connect(credential)
            said = made.ask("GET", ME)
            assert said.status == 200, said
            asked = select(events.c.node).where(events.c.request_id == said.headers["x-request-id"])
            node = str((await self.rows(asked))[0].node)
            found.setdefault(node, made)
        return found

    async def rows(self, statement: Any) -> Sequence[Any]:
        """Read the server's database, with a connection that sees what is committed."""
        database = Database(self.settings.database_url)
        try:
            async with database.reading() as connection:
                return (await connection.execute(statement)).all()
        finally:
            await database.close()

    async def told(self) -> dict[str, int]:
        """Count the accepted authentications in the log, by credential."""
        count = func.sum(events.c.count).label("told")
        good = select(events.c.credential_id, count).where(events.c.event == "auth.succeeded")
        found = await self.rows(good.group_by(events.c.credential_id))
        return {str(row.credential_id): int(row.told) for row in found}

    async def under_load(self, seconds: float, disturb: Callable[[], object]) -> BusyClients:
        """Let many clients ask for a while, and disturb the server in the middle of it; return what they saw."""
        clients = BusyClients(self.server.port, [one["key"] for one in self.keys], many=16)
        load = asyncio.create_task(clients.run(seconds))
        await asyncio.sleep(seconds / 3)
        await asyncio.to_thread(disturb)
        await load
        return clients


async def host_of(settings: Settings, workers: int, keys: int, **variables: str) -> Host:
    """Make credentials, then serve them with so many workers; the caller stops `host.server`."""
    given = {"LUMIO_DATA_DIR": str(settings.data_dir), "LUMIO_DATABASE_URL": settings.database_url}
    given |= {f"LUMIO_RATE_{name}": "100000000" for name in (*RATES, "AUTH_FAILURES")}
    given |= {"LUMIO_PUBLIC_URL": PUBLIC, "LUMIO_WORKERS": str(workers), **variables}
    async with opened(settings) as world:
        robin = await world.sign_in()
        made = [await world.mint_key(robin, f"key-{number}") for number in range(keys)]
        session = robin.headers["Authorization"].removeprefix("Bearer ")
    host = Host(settings, LiveServer(given), made, session)
    await asyncio.to_thread(host.server.start)
    return host
