"""A failover with a real standby: kill -9 of the primary loses no acknowledged revocation (I9; spec: revocation).

Promise: with `LUMIO_PG_FAILOVER=sync` nobody is served between the lease's end and the new primary's first confirmed
commit, and whatever was answered as revoked stays revoked. Broad only: `LUMIO_PROVE=broad`.
"""

import os
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import pytest

from lumio.settings import RATES
from tests.support.failover import Door, LoopbackPostgres, pair, until
from tests.support.serving import LiveServer
from tests.support.standby import Standby
from tests.support.world import OPERATOR, PASSWORD

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(300),
    pytest.mark.skipif(os.environ.get("LUMIO_PROVE") != "broad", reason="runs for a minute: LUMIO_PROVE=broad"),
]

NAME = "house"
LEASE = 2
BOUND = LEASE * 1.01 + 0.4
KEYS = 60
ENOUGH = 15
"""Revocations that are answered before the primary dies."""
SLACK_SECONDS = 1.0
EPOCH = "SELECT epoch FROM revocation_counter;"
FEED = "SELECT subject_id FROM revocation WHERE subject_kind = 'key' AND effect = 'ended';"


@dataclass(frozen=True, slots=True)
class Seen:
    """An answer to a key at a node, or 0 for none."""

    node: int
    key: str
    sent: float
    received: float
    status: int


@dataclass(slots=True)
class Site:
    """Two nodes behind one door, the keys that they know, and what was answered when."""

    nodes: Sequence[LiveServer]
    session: str = ""
    keys: dict[str, str] = field(default_factory=dict)
    living: str = ""
    revoked: dict[str, float] = field(default_factory=dict)
    """Key → when its revocation was answered with 200."""
    tried: set[str] = field(default_factory=set)
    seen: list[Seen] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)

    def set_up(self) -> None:
        """Make the operator and the keys."""
        with self.nodes[0].client() as client:
            code = next(node.set_up_code for node in reversed(self.nodes) if "lm_set_" in node.stdout)
            form = {"email": OPERATOR, "password": PASSWORD, "display_name": "Robin", "account_name": "Acme"}
            client.post("/v1/setup", json={"code": code, **form}).raise_for_status()
            answer = client.post("/v1/auth/login", json={"email": OPERATOR, "password": PASSWORD})
            self.session = answer.raise_for_status().json()["data"]["access_token"]
        with self.nodes[0].client(self.session) as robin:
            for number in range(KEYS + 1):
                made = robin.post("/v1/api-keys", json={"label": f"key-{number}"}).raise_for_status().json()["data"]
                self.keys[made["id"]] = made["key"]
            self.living = made["id"]

    def watch(self, node: int) -> None:
        """Present every key at a node, again and again."""
        with self.nodes[node].client(timeout=10) as client:
            while not self.over.is_set():
                for key, secret in self.keys.items():
                    sent = time.monotonic()
                    answer = asked(client, "GET", "/v1/users/me", secret)
                    self.seen.append(Seen(node, key, sent, time.monotonic(), answer))

    def revoke(self) -> None:
        """Revoke one key after the other, at one node and then at the other."""
        for number, key in enumerate(one for one in self.keys if one != self.living):
            if self.over.is_set():
                return
            self.end(key, number % 2)

    def end(self, key: str, node: int) -> int:
        """Revoke a key; note when that was answered."""
        self.tried.add(key)
        with self.nodes[node].client(timeout=15) as client:
            status = asked(client, "DELETE", f"/v1/api-keys/{key}", self.session)
        if status == 200:
            self.revoked[key] = time.monotonic()
        return status

    def between(self, begin: float, end: float) -> list[Seen]:
        return [one for one in self.seen if begin <= one.sent and one.received < end]

    def served(self, since: float) -> bool:
        """Tell whether both nodes have accepted the living key since then."""
        good = {one.node for one in self.seen if one.key == self.living and one.sent >= since and one.status == 200}
        return len(good) == len(self.nodes)


def asked(client: httpx2.Client, method: str, path: str, credential: str) -> int:
    try:
        return client.request(method, path, headers={"Authorization": f"Bearer {credential}"}).status_code
    except httpx2.TransportError:
        return 0


@pytest.fixture
def servers() -> Iterator[tuple[LoopbackPostgres, LoopbackPostgres, Door]]:
    with pair(NAME) as found:
        yield found


@pytest.fixture
def site(servers: tuple[LoopbackPostgres, LoopbackPostgres, Door], tmp_path: Path) -> Iterator[Site]:
    nodes = [LiveServer(variables(tmp_path, number, servers[2].port)) for number in range(2)]
    made = Site(nodes)
    try:
        for node in nodes:
            node.start()
        made.set_up()
        yield made
    finally:
        made.over.set()
        for node in nodes:
            node.stop()


def variables(folder: Path, number: int, port: int) -> dict[str, str]:
    own = folder / f"n{number}"
    own.mkdir()
    rates = {f"LUMIO_RATE_{rate}": "100000000" for rate in (*RATES, "AUTH_FAILURES")}
    return rates | {
        "LUMIO_NODE": f"n{number}",
        "LUMIO_DATABASE_URL": f"postgresql+asyncpg://postgres@127.0.0.1:{port}/{NAME}",
        "LUMIO_PG_FAILOVER": "sync",
        "LUMIO_LEASE_SECONDS": str(LEASE),
        "LUMIO_DATA_DIR": str(own / "data"),
        "LUMIO_JOURNAL_DIR": str(own / "journal"),
        "LUMIO_ROOT_SECRET_FILE": str(folder / "root.secret"),
        "LUMIO_BUNDLE_STORE": str(folder / "bundles"),
        "LUMIO_PUBLIC_URL": "http://localhost:8000",
    }


def test_i9_durability_a_failover_to_the_standby_loses_no_acknowledged_revocation_and_serves_nobody_meanwhile(
    servers: tuple[LoopbackPostgres, LoopbackPostgres, Door], site: Site
) -> None:
    primary, standby, door = servers
    threads = [threading.Thread(target=site.watch, args=(node,)) for node in range(2)]
    threads.append(threading.Thread(target=site.revoke))
    for one in threads:
        one.start()
    keeper = Standby(standby)
    try:
        until(lambda: len(site.revoked) >= ENOUGH, "nothing was revoked")
        standby.stop_following()
        time.sleep(SLACK_SECONDS)  # whatever is answered now would be lost
        primary.kill()
        killed = time.monotonic()
        time.sleep(LEASE + SLACK_SECONDS)
        door.move(standby.port)  # it answers reads, and is no primary yet: nobody may have a lease from it
        time.sleep(LEASE + SLACK_SECONDS)
        standby.promote()
        time.sleep(SLACK_SECONDS)
        alone = time.monotonic()  # a primary, and its commits wait for a standby that it does not have
        keeper.start()
        until(lambda: site.served(alone), words(site, "nobody is served by the new primary"))
        recovered = time.monotonic()
        last = next(key for key in site.keys if key not in site.tried)
        until(lambda: site.end(last, 1) in {200, 404}, "nothing can be revoked any more")
        time.sleep(BOUND + SLACK_SECONDS)
    finally:
        site.over.set()
        for one in threads:
            one.join(30)
        keeper.close()

    assert standby.ask(NAME, EPOCH) == [["1"]], "a row was lost, and put back from a journal outside the database"
    ended = {row[0] for row in standby.ask(NAME, FEED)}
    assert len(site.revoked) >= ENOUGH
    assert set(site.revoked) <= ended, "an acknowledged revocation was lost"
    late = [one for one in site.seen if one.status == 200 and one.sent >= site.revoked.get(one.key, 2**60) + BOUND]
    assert late == []
    accepted = {one.key for one in site.between(recovered + BOUND, 2**60) if one.status == 200}
    assert accepted == set(site.keys) - ended, "what is ended is refused, and what is not is served"
    meanwhile = [one for one in site.between(killed + LEASE, alone) if one.status != 503]
    assert meanwhile == [], "somebody was answered while nobody could know"
    told = f"{len(site.revoked)} acknowledged; served {recovered - alone:.2f} s after a commit could be confirmed"
    print(f"\n{told}")  # noqa: T201 - what was measured


def words(site: Site, what: str) -> Any:
    return what + "".join(f"\n--- n{place}\n{node.stderr[-1500:]}" for place, node in enumerate(site.nodes))
