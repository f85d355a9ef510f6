"""Promise R on a real fleet: three servers, one database, links that are cut, processes that freeze and die.

The assertions are those of the promise (spec: revocation, sections 1, 3 and 4), whatever the product does today. The
clients stand outside, on a host of their own, and note when they sent and received on one clock. The worst window of
all is printed at the end of the run. `test_fleet_broad.py` has the long version.
"""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx2
import pytest

from tests.support.fleet import CLIENTS, DEPLOY, NAME, Fleet, Node, fleet, fleet_or_skip
from tests.support.liveness import undisturbed
from tests.support.nginx import nginx, nginx_path
from tests.support.observer import Observer, Proxy, Question
from tests.support.tenants import Revoked, Tenants
from tests.support.trial import DOOMED, LIVING, READY_SECONDS, Trial, me
from tests.support.verdict import Revocation, judge
from tests.support.windows import Record, note

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("fleet"), pytest.mark.timeout(240)]

LEASE = 2
SILENT_SECONDS = 0.4
SETTLED_SECONDS = 5.0
"""How long a refusal without a fault may take on a busy machine; a second is what the test of liveness asks."""
ANSWER_SECONDS = 1.0
"""How long a node that cannot prove that it is fresh may take to say so, on a busy machine."""
REVOCATIONS = 30


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """Give three servers, each with other clocks than its neighbours'."""
    fleet_or_skip()
    with fleet(tmp_path_factory.mktemp("fleet"), nodes=3, lease=LEASE) as running:
        yield running


@pytest.fixture(scope="module")
def tenants(servers: Fleet) -> Tenants:
    """Give its operator."""
    made = Tenants(servers)
    made.set_up()
    return made


@pytest.fixture(autouse=True)
def _healed(servers: Fleet, request: pytest.FixtureRequest) -> Iterator[None]:
    """Begin each test on a fleet without a fault; a test that fails shows what the nodes said."""
    servers.heal()
    failed = request.session.testsfailed
    yield
    if request.session.testsfailed > failed:
        print(servers.logs())  # noqa: T201 - pytest shows it with the failure


def test_a_node_that_is_cut_off_refuses_within_its_lease_and_recovers_by_itself(
    servers: Fleet, tenants: Tenants, record_property: Record
) -> None:
    first, _, far = servers.nodes
    with Trial(servers, tenants) as trial:
        servers.network.cut(far.name, "back")
        cut = time.monotonic()
        trial.must_revoke(first)
        trial.outlast(1.0 + ANSWER_SECONDS)
        servers.network.mend(far.name, "back")
        mended = time.monotonic()
        trial.must_recover(far, mended)

    trial.must_have_held(record_property, [far], "cut off")
    away = [one for one in trial.seen_at(far, cut, mended - ANSWER_SECONDS) if one.received < mended]
    assert [one for one in away if one.status == 401] == []  # it cannot know, so it does not say
    unfresh = [one for one in away if one.sent >= cut + servers.lease]
    assert unfresh
    assert [one for one in unfresh if one.status != 503 or not one.retry_after] == []
    assert [one for one in unfresh if one.received - one.sent > ANSWER_SECONDS] == []


@pytest.mark.skipif(nginx_path() is None, reason="there is no nginx: run tools/nginx")
def test_behind_the_shipped_nginx_nobody_notices_a_node_that_is_cut_off(
    servers: Fleet, tenants: Tenants, tmp_path: Path
) -> None:
    first, _, far = servers.nodes
    with tenants.signed_in(first) as robin:
        key = tenants.key(robin)
    network, door = servers.network, Proxy("nginx", "127.0.0.1", 8080)
    shipped = {name: (DEPLOY / name).read_text("utf-8") for name in ("lumio-upstream.conf", "lumio-site.conf")}
    for place, node in enumerate(servers.nodes):
        example = f"10.0.0.1{1 + place}:8000"
        assert example in shipped["lumio-upstream.conf"]
        shipped["lumio-upstream.conf"] = shipped["lumio-upstream.conf"].replace(
            example, f"{node.address}:{node.port}"
        )
    site = shipped["lumio-site.conf"].replace("/var/log/nginx", str(tmp_path))
    inner = f"{shipped['lumio-upstream.conf']} server {{ listen {door.address}:{door.port}; {site} }}"
    with (
        network.inside(CLIENTS),
        nginx(tmp_path, inner, [door.port]),
        Observer(servers, [me("key", key)], doors=[door]) as observer,
    ):
        observer.wait_everywhere("key", {200}, 0, READY_SECONDS)
        network.cut(far.name, "back")
        cut = time.monotonic()
        time.sleep(servers.lease + ANSWER_SECONDS)
        network.mend(far.name, "back")
    seen = observer.since(0)
    assert [one for one in seen if not one.accepted] == []
    unfresh = [one for one in seen if one.sent >= cut + servers.lease]
    assert [one for one in unfresh if one.received - one.sent > ANSWER_SECONDS] == []
    assert f"{far.address}:{far.port}, " in (tmp_path / "lumio.log").read_text()  # it was asked, and then another


def test_what_waited_in_a_frozen_server_is_refused_when_it_goes_on_and_no_revoke_is_effective_before_that(
    servers: Fleet, tenants: Tenants, record_property: Record
) -> None:
    first, _, frozen = servers.nodes
    with Trial(servers, tenants) as trial:
        frozen.pause()
        paused = time.monotonic()
        time.sleep(SILENT_SECONDS)
        trial.must_revoke(first, wait=10)
        trial.outlast(0.2)
        resumed = time.monotonic()
        frozen.resume()
        trial.must_recover(frozen, resumed)

    trial.must_have_held(record_property, [frozen], "frozen")
    trial.must_have_waited_for_silence(paused)
    queued = trial.seen_at(frozen, paused, resumed)
    doomed = {one.status for one in queued if one.question != LIVING}
    assert doomed
    assert doomed <= {401, 503}
    assert {one.status for one in queued if one.question == LIVING} <= {200, 503}


def test_a_node_killed_while_it_revokes_leaves_a_key_that_is_dead_everywhere_or_alive_everywhere(
    servers: Fleet, tenants: Tenants, record_property: Record
) -> None:
    first, dying, other = servers.nodes
    with Trial(servers, tenants) as trial, ThreadPoolExecutor(1) as pool:
        asked = pool.submit(trial.revoke, dying, wait=10)
        time.sleep(0.03)
        dying.kill()
        killed = time.monotonic()
        asked.result()
        found = tenants.committed(trial.newest)
        if found is None:  # it never happened, so the key must go on working; then it is ended for good
            for node in (first, other):
                trial.observer.wait_for(DOOMED, node.name, {200}, killed, SETTLED_SECONDS)
            trial.must_revoke(first, wait=10)
            trial.must_have_waited_for_silence(killed)
        elif trial.revocation is None:
            trial.revocation = Revocation(DOOMED, found[1], killed)
        dying.launch()
        dying.wait()
        started = time.monotonic()
        for node in servers.nodes:
            trial.must_recover(node, started)
    trial.must_have_held(record_property, [dying], "killed")


def test_a_node_whose_question_to_the_feed_hangs_refuses_within_its_lease(
    servers: Fleet, tenants: Tenants, record_property: Record
) -> None:
    """All else of the node goes on: it reads the database, and its audit log is written."""
    first, _, deaf = servers.nodes
    with Trial(servers, tenants) as trial:
        with servers.postgres.deaf(NAME, deaf.region):
            hung = time.monotonic()
            trial.must_revoke(first)
            trial.outlast(0.7)
            heard = time.monotonic()
        trial.must_recover(deaf, heard)
    trial.must_have_held(record_property, [deaf], "deaf")
    meanwhile = trial.seen_at(deaf, hung + servers.lease, heard)
    assert meanwhile
    assert {one.status for one in meanwhile} == {503}


def test_every_kind_of_subject_that_ends_on_one_node_has_ended_on_the_others(
    servers: Fleet, tenants: Tenants, record_property: Record
) -> None:
    first, second, _ = servers.nodes
    member_id = tenants.member(second, "anna@example.com", "admin")
    leaving = tenants.tokens(second)["access_token"]
    with (
        tenants.signed_in(first) as robin,
        tenants.acting(second, "anna@example.com") as anna,
        second.client(leaving) as session,
    ):
        developer, system, popout = tenants.key(robin), tenants.system_key(robin), tenants.popout(robin)
        hers = tenants.key(anna, "hers")
        account = f"/v1/accounts/{tenants.account_id}"
        member = f"{account}/members/{member_id}"
        questions = [
            me("developer key", developer),
            me("system key", system),
            Question("popout token", "", f"/v1/tokens/me?token={popout.secret}"),
            Question("session", leaving),
            Question("role", hers.secret, f"{account}/invites"),
            me("membership", hers),
        ]
        ends: list[tuple[int, Callable[[], Revoked]]] = [
            (401, lambda: tenants.revoke(robin, f"/v1/api-keys/{developer.id}")),
            (401, lambda: tenants.revoke(robin, f"/v1/admin/system-keys/{system.id}")),
            (401, lambda: tenants.revoke(robin, f"/v1/tokens/{popout.id}")),
            (401, lambda: tenants.revoke(session, "/v1/auth/logout", method="POST")),
            (403, lambda: demoted(robin, member)),
            (401, lambda: tenants.revoke(robin, member)),
        ]
        with Observer(servers, questions) as observer:
            for question in questions:
                observer.wait_everywhere(question.name, {200}, 0, READY_SECONDS)
            for place, (question, (refusal, end)) in enumerate(zip(questions, ends, strict=True)):
                newest = tenants.newest()
                revocation = tenants.placed(question.name, newest, [end()])
                observer.wait_everywhere(question.name, {refusal}, revocation.earliest, SETTLED_SECONDS)
                verdict = judge(observer.seen, revocation, servers.bound, refusal)
                note(record_property, verdict.window, servers.bound, question.name)
                assert not verdict.breaches, verdict.told(revocation.earliest)
                later = {one.name for one in questions[place + 1 :]}
                # Whether anybody gets 503 is what the test of liveness asks; here, whether a good one is refused.
                wrong = {one for one in observer.seen if one.question in later and one.status not in {200, 503}}
                assert wrong == set()


def demoted(client: httpx2.Client, member: str) -> Revoked:
    """Make an Admin a Member."""
    sent = time.monotonic()
    answer = client.patch(member, json={"role": "member"})
    return Revoked(sent, time.monotonic(), answer.status_code, {})


def test_an_old_refresh_token_ends_its_family_on_every_node(servers: Fleet, tenants: Tenants) -> None:
    first, second, third = servers.nodes
    stolen = tenants.tokens(first)
    status, renewed = refreshed(second, stolen["refresh_token"])
    assert status == 200
    family = [stolen["access_token"], renewed["access_token"]]
    accepting = {(node.name, one) for node in servers.nodes for one in family}
    assert {who for who in accepting if asked(servers, *who) == 200} == accepting

    assert refreshed(third, stolen["refresh_token"])[0] == 401
    deadline = time.monotonic() + servers.bound
    while accepting and time.monotonic() < deadline:
        accepting = {who for who in accepting if asked(servers, *who) != 401}
    assert not accepting
    assert [refreshed(node, renewed["refresh_token"])[0] for node in servers.nodes] == [401, 401, 401]


def refreshed(node: Node, refresh_token: str) -> tuple[int, dict[str, str]]:
    """Exchange a refresh token at a node; return the status and what came."""
    with node.client() as client:
        answer = client.post("/v1/auth/refresh", json={"refresh_token": refresh_token})
    return answer.status_code, answer.json().get("data", {})


def asked(servers: Fleet, name: str, credential: str) -> int:
    """Ask one node about a credential; return the status."""
    node = next(node for node in servers.nodes if node.name == name)
    with node.client(credential) as client:
        return client.get("/v1/users/me").status_code


def test_without_a_fault_a_revocation_is_seen_everywhere_within_a_second_and_nobody_gets_503(
    servers: Fleet, tenants: Tenants, record_property: Record
) -> None:
    refused = undisturbed(servers, tenants, record_property, REVOCATIONS)
    assert refused[int(len(refused) * 0.99)] < 1.0
