"""kill -9 of the whole server in the middle of deployments and key creations, again and again.

Promise: afterwards every change has its event and every event its change, whatever was answered with 201 is
there, and no version lacks a file.
"""

import asyncio
import random
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import count

import httpx2
import pytest

from lumio.settings import RATES, Settings
from tests.support.aftermath import inspect
from tests.support.developers import bundle, manifest
from tests.support.serving import LiveServer
from tests.support.world import OPERATOR, PASSWORD, opened

KILLS = 3
"""For each database: real servers at random moments; every single step has a death in `test_kill_at_every_step`."""


@dataclass(slots=True)
class Attack:
    """Clients that deploy and mint until the server under them is gone; `told` is what got its 201."""

    session: str
    key: str
    extension_id: str
    numbers: Iterator[int] = field(default_factory=count)
    told: dict[str, set[str]] = field(default_factory=lambda: {"version": set(), "key": set()})

    def deploy(self, client: httpx2.Client) -> None:
        """Deploy one version, with content of its own."""
        number = next(self.numbers)
        files = {
            "manifest": ("m.json", manifest(f"1.{number}.0"), "application/json"),
            "bundle": ("b.tgz", bundle({"index.html": b"%d" % number * 5000}), "application/gzip"),
        }
        headers = {"Authorization": f"Bearer {self.key}", "Idempotency-Key": f"deploy-{number}"}
        path = f"/developer/v1/extensions/{self.extension_id}/versions"
        self._note("version", client.post(path, files=files, headers=headers).raise_for_status().json()["id"])

    def mint(self, client: httpx2.Client) -> None:
        """Mint one key."""
        headers = {"Authorization": f"Bearer {self.session}"}
        answer = client.post("/v1/api-keys", json={"label": f"key-{next(self.numbers)}"}, headers=headers)
        self._note("key", answer.raise_for_status().json()["data"]["id"])

    def _note(self, what: str, made: str) -> None:
        self.told[what].add(made)

    @contextmanager
    def on(self, server: LiveServer) -> Iterator[None]:
        """Attack until the server is killed inside the block, and until every client has noticed."""
        begun = threading.Barrier(4)

        def repeat(work: Callable[[httpx2.Client], None]) -> None:
            with server.client() as client:
                work(client)
                begun.wait(30)
                with suppress(httpx2.TransportError):
                    while True:
                        work(client)

        with ThreadPoolExecutor(3) as pool:
            running = [pool.submit(repeat, work) for work in (self.deploy, self.deploy, self.mint)]
            begun.wait(30)
            yield
            for one in running:
                one.result(30)


def _begin(settings: Settings) -> Attack:
    """Sign in, make a key and an extension, inside this process."""

    async def begin() -> Attack:
        async with opened(settings) as world:
            robin = await world.sign_in()
            minted = await world.mint_key(robin)
            made = await world.bearer(minted["key"]).post("/developer/v1/extensions", json={"name": "Target"})
            return Attack("", minted["key"], made.json()["id"])

    return asyncio.run(begin())


def _environment(settings: Settings, public_url: str) -> dict[str, str]:
    return {
        "LUMIO_DATA_DIR": str(settings.data_dir),
        "LUMIO_DATABASE_URL": settings.database_url,
        "LUMIO_PUBLIC_URL": public_url,
        **{f"LUMIO_RATE_{name}": "1000000" for name in RATES},
    }


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_after_kill_9_change_and_event_are_both_there_or_neither(settings: Settings) -> None:
    seed = random.randrange(2**32)
    moments = random.Random(seed)
    attack = _begin(settings)
    spare = LiveServer({})
    environment = _environment(settings, spare.base_url)
    servers = [LiveServer(environment) for _ in range(KILLS)]
    with ThreadPoolExecutor(2) as starting:
        started: list[Future[None]] = [starting.submit(server.start) for server in servers]
        try:
            for server, start in zip(servers, started, strict=True):
                start.result()
                if not attack.session:
                    attack.session = _sign_in(server)
                with attack.on(server):
                    threading.Event().wait(moments.uniform(0.0, 0.4))
                    server.kill()
        finally:
            for start in started:
                start.cancel()
            starting.shutdown()
            for server in servers:
                server.kill()

    found = asyncio.run(inspect(settings))
    found.must_agree(f"seed {seed}")
    assert found.rows["version"] >= attack.told["version"], f"seed {seed}"
    assert found.rows["key"] >= attack.told["key"], f"seed {seed}"
    assert min(len(attack.told["version"]), len(attack.told["key"])) >= KILLS


def _sign_in(server: LiveServer) -> str:
    with server.client() as client:
        answer = client.post("/v1/auth/login", json={"email": OPERATOR, "password": PASSWORD})
        return str(answer.raise_for_status().json()["data"]["access_token"])
