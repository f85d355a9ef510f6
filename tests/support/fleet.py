"""A real fleet: `lumio-server serve` on several hosts of a test network, one PostgreSQL, one root secret.

Promise: the block gets servers that are ready, reached by address only; nothing of them runs after the block,
whatever happened. Every node has a boot-time clock of its own, so nothing may compare two of them.
"""

import asyncio
import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx2
import psutil
import pytest

from lumio.settings import RATES
from lumio.storage.migrate import upgrade
from tests.support.namespaces import Net, Network, why_not
from tests.support.network_postgres import NetworkPostgres
from tests.support.serving import PROGRAM, living

PORT = 8000
PUBLIC_URL = f"http://localhost:{PORT}"
"""One for all nodes: access tokens name it as their issuer. Clients may come by any address."""
DATABASE, CLIENTS, NAME = "database", "clients", "fleet"
OWNER, SERVING = "lumio_owner", "lumio_serving"
DEPLOY = Path(__file__).parents[2] / "deploy" / "cluster"
ROLES = DEPLOY.with_name("postgres") / "roles.sql"
CLOCKS = (0, 86_400, 31_536_000)
"""Seconds that each node's boot-time and monotonic clocks are ahead of the machine's."""
START_SECONDS = 60
STOP_SECONDS = 20


class _From(httpx2.HTTPTransport):
    """Sends every request from a host of the network, whichever thread asks."""

    def __init__(self, network: Network, host: str) -> None:
        super().__init__(verify=False, trust_env=False, limits=httpx2.Limits(max_keepalive_connections=0))
        self._network = network
        self._host = host

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send one request, on a connection of its own."""
        with self._network.inside(self._host):
            return super().handle_request(request)


@dataclass(slots=True)
class Node:
    """One server on a host of its own; `settings` are environment variables."""

    name: str
    network: Network
    settings: Mapping[str, str]
    folder: Path
    ahead: int = 0
    _process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        """Where clients reach it."""
        return self.network.address(self.name, "front")

    @property
    def region(self) -> str:
        """Where it stands."""
        return self.settings["LUMIO_REGION"]

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return PORT

    @property
    def log(self) -> str:
        """What it wrote since the fleet began, over all its lives."""
        path = self.folder / "log"
        return path.read_text("utf-8", "replace") if path.exists() else ""

    @property
    def printed(self) -> str:
        """What it printed in its last life."""
        return (self.folder / "printed").read_text("utf-8", "replace")

    def client(self, credential: str | None = None, timeout: float = 15) -> httpx2.Client:
        """Return a client that talks to this node over the network, from the clients' host."""
        headers = {} if credential is None else {"Authorization": f"Bearer {credential}"}
        return httpx2.Client(
            base_url=f"http://{self.address}:{PORT}",
            headers=headers,
            timeout=timeout,
            transport=_From(self.network, CLIENTS),
        )

    def launch(self, **more: str) -> None:
        """Start the process and return at once; `more` are environment variables for this life alone."""
        own = {name: value for name, value in os.environ.items() if not name.startswith("LUMIO_")}
        clocks = [f"--{name}={self.ahead}" for name in ("monotonic", "boottime")]
        shifted = ["unshare", "--time", *clocks, "--fork", "--kill-child=SIGKILL", "--"]
        serve = [str(PROGRAM), "serve", "--host", self.address, "--port", str(PORT)]
        with (self.folder / "log").open("ab") as log, (self.folder / "printed").open("wb") as printed:
            self._process = subprocess.Popen(
                self.network.command(self.name, *shifted, *serve),
                env={**own, **self.settings, **more},
                stdin=subprocess.DEVNULL,
                stdout=printed,
                stderr=log,
                start_new_session=True,  # the server and its workers can be ended together
            )

    def wait(self, patience: float = START_SECONDS) -> None:
        """Wait until it is ready. Raises RuntimeError with its last words when it is not in time."""
        deadline = time.monotonic() + patience
        with self.client(timeout=2) as client:
            while time.monotonic() < deadline and self._process is not None and self._process.poll() is None:
                with suppress(httpx2.TransportError):
                    if client.get("/readyz").is_success:
                        return
                time.sleep(0.05)
        message = f"{self.name} is not ready; it said:\n{self.printed}{self.log[-4000:]}"
        raise RuntimeError(message)

    @property
    def runs(self) -> bool:
        """Whether it was started and neither ended nor was killed."""
        return self._process is not None and self._process.poll() is None

    def pause(self) -> None:
        """Freeze every process of the server where it stands."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let them go on."""
        self._signal(signal.SIGCONT)

    def kill(self) -> None:
        """End the server and its workers at once, as a power cut would."""
        process, self._process = self._process, None
        if process is None:
            return
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(STOP_SECONDS)
        deadline = time.monotonic() + STOP_SECONDS
        while living(process.pid) and time.monotonic() < deadline:
            time.sleep(0.01)

    def ask_to_stop(self) -> None:
        """Ask the server to stop, and return at once."""
        if self._process is not None and self._process.poll() is None:
            self.resume()
            with suppress(psutil.NoSuchProcess):
                for server in psutil.Process(self._process.pid).children():  # it itself only holds the clocks
                    server.terminate()

    def stop(self) -> None:
        """Ask the server to stop and wait for it; what is left of it after that is killed."""
        self.ask_to_stop()
        if self._process is not None:
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(STOP_SECONDS)
        self.kill()

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, number)


@dataclass(slots=True)
class Fleet:
    """Nodes on one database; `lease` is L in seconds."""

    network: Network
    postgres: NetworkPostgres
    nodes: list[Node]
    lease: float

    @property
    def bound(self) -> float:
        """B of promise R, in seconds: a request sent later than this after the commit is refused everywhere."""
        return self.lease * 1.01 + 0.4

    @property
    def barrier(self) -> float:
        """W of promise R, in seconds: how long a revoker waits for nodes that say nothing."""
        return self.lease * 1.01 + 0.5

    def start(self) -> None:
        """Start every node at once and wait for all of them."""
        for node in self.nodes:
            node.launch()
        for node in self.nodes:
            node.wait()

    def ask(self, query: str, **given: str) -> list[list[str]]:
        """Look into the database without the network."""
        return self.postgres.ask(NAME, query, **given)

    def logs(self, lines: int = 40) -> str:
        """Return the last words of every node, without the many refusals that a fault brings along."""
        parts = []
        for node in self.nodes:
            said = [line for line in node.log.splitlines() if " event=unavailable " not in line]
            parts += [f"--- {node.name}", *said[-lines:]]
        return "\n".join(parts)

    def heal(self) -> None:
        """Mend every link, let every node go on, bring back those that are gone, and wait until all are ready."""
        self.network.mend_all()
        for node in self.nodes:
            node.resume()
            if not node.runs:
                node.launch()
        for node in self.nodes:
            node.wait()


def fleet_or_skip() -> None:
    """Skip the test where there can be no fleet, and say why."""
    if (reason := why_not()) is not None:
        pytest.skip(reason)


@contextmanager
def fleet(
    folder: Path, nodes: int = 3, lease: float = 2, *, durable: bool = False, **settings: str
) -> Iterator[Fleet]:
    """Serve with so many nodes until the block ends.

    Args:
        folder: an empty folder of the test's own.
        nodes: how many, up to three: as many as there are example files.
        lease: L in seconds.
        durable: let the database wait for its disk.
        settings: environment variables for every node.
    """
    names = [f"n{number + 1}" for number in range(nodes)]
    hosts: list[tuple[str, tuple[Net, ...]]] = [(CLIENTS, ("front",)), (DATABASE, ("back",))]
    hosts += [(name, ("front", "back")) for name in names]
    with Network(hosts) as network, NetworkPostgres(network, DATABASE, durable=durable) as postgres:
        _prepare(postgres)
        made = [_node(folder, network, postgres, place, lease, settings) for place in range(nodes)]
        running = Fleet(network, postgres, made, lease)
        try:
            running.start()
            yield running
        finally:
            network.mend_all()
            for node in made:
                node.ask_to_stop()
            for node in made:
                node.stop()


def _prepare(postgres: NetworkPostgres) -> None:
    """Make roles, database and schema as the how-to says: who serves does not own the schema."""
    for role in (OWNER, SERVING):
        postgres.ask("postgres", 'CREATE ROLE :"role" LOGIN;', role=role)
    postgres.create(NAME)
    postgres.ask("postgres", 'ALTER DATABASE :"it" OWNER TO :"owner";', it=NAME, owner=OWNER)
    asyncio.run(upgrade(postgres.url(NAME).replace("postgres@", f"{OWNER}@")))
    postgres.ask(NAME, f"SET ROLE {OWNER};\n{ROLES.read_text('utf-8')}", serving=SERVING)


def documented(place: int) -> dict[str, str]:
    """Return what the example file of a host says, as a shell or systemd would read it."""
    lines = (DEPLOY / f"lumio-{1 + place}.env").read_text("utf-8").splitlines()
    pairs = [line.partition("=") for line in lines if line and not line.startswith("#")]
    return {name: value.strip('"') for name, _, value in pairs}


def _node(
    folder: Path, network: Network, postgres: NetworkPostgres, place: int, lease: float, more: Mapping[str, str]
) -> Node:
    """Return the server that the example file of its host describes, with the addresses and folders of the test."""
    example, own = documented(place), folder / f"n{place + 1}"
    own.mkdir(parents=True)
    here = {
        "LUMIO_DATABASE_URL": postgres.address(NAME, SERVING),
        "LUMIO_DATA_DIR": str(own / "data"),
        "LUMIO_JOURNAL_DIR": str(own / "journal"),
        "LUMIO_ROOT_SECRET_FILE": str(folder / "root.secret"),
        "LUMIO_BUNDLE_STORE": str(folder / "bundles"),
        "LUMIO_PUBLIC_URL": PUBLIC_URL,
        "LUMIO_TRUSTED_PROXIES": network.address(CLIENTS, "front"),
        "LUMIO_LEASE_SECONDS": f"{lease:g}",
    }
    unnamed = set(here) - set(example)
    assert not unnamed, f"the example files do not name {unnamed}"
    del example["LUMIO_SMTP_URL"]  # mails are files, where the test reads them
    rates = {f"LUMIO_RATE_{rate}": "100000000" for rate in (*RATES, "AUTH_FAILURES")}
    return Node(f"n{place + 1}", network, {**example, **here, **rates, **more}, own, CLOCKS[place])
