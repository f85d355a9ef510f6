"""Two workers of one host: whoever dies, what was answered is in the log once, and the service goes on.

One server for each database serves all tests of this module; those that use a limit up come last.
"""

import asyncio
import os
import signal
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.support.busy_clients import BusyClients
from tests.support.host import ME, Host, host_of, until
from tests.support.postgres import PostgresServer
from tests.support.world import Templates

pytestmark = pytest.mark.xdist_group("workers")
LIMIT = 120


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def host(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    """Serve with two workers."""
    server: PostgresServer | None = None
    if request.param == "postgresql":
        server = request.getfixturevalue("postgres_server")
    limits = {"LUMIO_RATE_ANONYMOUS": str(LIMIT), "LUMIO_RATE_AUTH_FAILURES": str(LIMIT)}
    templates: Templates = request.getfixturevalue("_templates")
    template = templates.of(request.param, tmp_path_factory.getbasetemp(), server)
    made = asyncio.run(host_of(template.fresh(), workers=2, keys=8, **limits))
    yield made
    made.server.stop()


@pytest.fixture(autouse=True)
def hung_up(host: Host) -> Iterator[None]:
    """Leave no connection open after a test."""
    yield
    host.hang_up()


def kill(pid: int) -> None:
    """End a process at once, as the system does when memory runs out."""
    os.kill(pid, signal.SIGKILL)


async def must_agree(host: Host, clients: BusyClients, before: dict[str, int]) -> None:
    """Hold what clients were answered against the log: nothing lost, nothing told twice."""
    told = await host.told()
    assert clients.answered.total() >= clients.many, clients
    assert set(clients.others) <= {503}, clients.others
    for one in host.keys:
        found = told.get(one["id"], 0) - before.get(one["id"], 0)
        assert clients.answered[one["key"]] <= found <= clients.asked[one["key"]], one["label"]


async def test_each_worker_has_a_name_of_its_own_in_the_log(host: Host) -> None:
    connections = await host.connections(host.keys[0]["key"])
    assert set(connections) == {"node-1/1", "node-1/2"}


async def test_a_key_revoked_through_one_worker_is_refused_by_the_other_from_then_on(host: Host) -> None:
    victim = host.keys[-1]
    first, second = [(await host.connections(victim["key"]))[name] for name in ("node-1/1", "node-1/2")]
    boss = (await host.connections(host.session))["node-1/1"]
    assert [one.ask("GET", ME).status for one in (first, second)] == [200, 200]
    host.keys.remove(victim)
    done = boss.ask("DELETE", f"/v1/api-keys/{victim['id']}")
    assert done.status == 200, done
    if b'"effective":true' not in done.body:  # one file is effective at once; a fleet's node is told in a moment
        assert host.on_postgres
        until(lambda: second.ask("GET", ME).status == 401, "the other worker went on accepting it")
    assert [one.ask("GET", ME).status for one in (second, first, second)] == [401, 401, 401]


async def test_a_worker_killed_under_load_is_replaced_and_every_answered_request_is_in_the_log_once(
    host: Host,
) -> None:
    before, victim = await host.told(), host.running("worker-2")
    clients = await host.under_load(2.0, lambda: kill(victim))
    await must_agree(host, clients, before)
    replaced = host.successor("worker-2", victim)
    assert set(await host.connections(host.keys[0]["key"])) == {"node-1/1", "node-1/2"}
    assert replaced != victim


async def test_two_quick_deaths_of_a_worker_leave_the_other_one_serving(host: Host) -> None:
    (steady,) = [one for name, one in (await host.connections(host.keys[0]["key"])).items() if name == "node-1/1"]
    survivor = host.running("worker-1")
    for _ in range(2):
        victim = host.running("worker-2")
        kill(victim)
        assert steady.ask("GET", ME).status == 200
        host.successor("worker-2", victim)
    assert steady.ask("GET", ME).status == 200
    assert host.running("worker-1") == survivor


async def test_the_journal_s_writer_killed_under_load_loses_no_answered_row_and_comes_back(host: Host) -> None:
    if host.on_postgres:
        pytest.skip("there each worker writes for itself")
    before, victim = await host.told(), host.running("journal-writer")
    clients = await host.under_load(2.0, lambda: kill(victim))
    await must_agree(host, clients, before)
    assert host.successor("journal-writer", victim) != victim
    told = [host.connect(one["key"]).ask("GET", ME).status for one in host.keys]
    assert set(told) == {200}


async def test_the_figures_are_those_of_the_whole_host(host: Host) -> None:
    many = 7
    before = figures(host)["lumio_authentications_total"]
    for connection in (await host.connections(host.keys[0]["key"])).values():
        for _ in range(many):
            assert connection.ask("GET", ME).status == 200
    until(lambda: figures(host)["lumio_authentications_total"] >= before + 2 * many + 2, "a worker was left out")
    until(lambda: figures(host)["lumio_workers"] == 2, "a worker was not heard of")


def figures(host: Host) -> Counter[str]:
    """Return what the host tells, series of one metric added up."""
    said = host.connect().ask("GET", "/metrics")
    assert said.status == 200, said
    samples = [one for family in text_string_to_metric_families(said.body.decode()) for one in family.samples]
    found: Counter[str] = Counter()
    for one in samples:
        found[one.name] += int(one.value)
    return found


@pytest.mark.parametrize(
    ("credential", "counted", "clock"), [("", 200, time.time), ("lm_dev_" + "0" * 57, 401, time.monotonic)]
)
async def test_a_limit_is_one_limit_for_both_workers(
    host: Host, credential: str, counted: int, clock: Callable[[], float]
) -> None:
    windows = await asyncio.to_thread(storm, host, credential, clock)
    assert any(found[429] for found in windows.values()), windows
    for found in windows.values():
        assert found[counted] <= LIMIT * 1.1, windows
        assert not found[429] or found[counted] >= LIMIT * 0.9, windows


def storm(host: Host, credential: str, clock: Callable[[], float]) -> dict[int, Counter[int]]:
    """Ask twice as often as a minute allows, over many connections so that both workers have their part.

    Returns the answers by the minute of the limiter's clock, since one may end in between.
    """
    path = ME if credential else "/v1/auth/verify?anonymous=1"
    connections, windows = [host.connect(credential) for _ in range(12)], defaultdict[int, Counter[int]](Counter)
    for _ in range(2 * LIMIT // len(connections) + 1):
        for one in connections:
            window = int(clock() // 60)
            windows[window][one.ask("GET", path).status] += 1
    return windows
