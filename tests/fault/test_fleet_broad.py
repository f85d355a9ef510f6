"""Promise R on a real fleet under random faults, for minutes: `LUMIO_PROVE=broad`, as `make prove` runs it.

Promise: a schedule that breaks the promise is told whole, by its seed, with what every node logged.
"""

import os
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest

from tests.support.fleet import Fleet, fleet, fleet_or_skip
from tests.support.liveness import undisturbed
from tests.support.observer import Observer, Seen
from tests.support.schedule import Played, Schedule, draw, play
from tests.support.tenants import Made, Tenants
from tests.support.trial import LIVING, READY_SECONDS, RECOVERY_SECONDS, Trial, me, writing
from tests.support.verdict import Revocation, judge
from tests.support.wall_clock import WallClock, why_no_wall_clock
from tests.support.windows import Record, note

BROAD = os.environ.get("LUMIO_PROVE") == "broad"
pytestmark = [
    pytest.mark.slow,
    pytest.mark.xdist_group("fleet"),
    pytest.mark.timeout(1800),
    pytest.mark.skipif(not BROAD, reason="runs for minutes: LUMIO_PROVE=broad"),
]

LEASE = 2
SEEDS = tuple(int(seed) for seed in os.environ.get("LUMIO_SEEDS", "1,2,3,4,5,6,7,8").split(","))
SECONDS = 30.0
KEYS = 8
REVOCATIONS = 500
VISIBLE_SECONDS = 0.5
"""How long after the moment that the database notes a commit may become visible, where nobody was answered."""


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """Give three servers on a database that waits for its disk."""
    fleet_or_skip()
    with fleet(tmp_path_factory.mktemp("fleet"), nodes=3, lease=LEASE, durable=True) as running:
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


@pytest.mark.parametrize("seed", SEEDS)
def test_the_promise_holds_in_a_random_schedule(
    seed: int, servers: Fleet, tenants: Tenants, record_property: Record
) -> None:
    schedule = draw(seed, len(servers.nodes), KEYS, servers.lease, SECONDS)
    print(f"\n{schedule.told()}")  # noqa: T201 - the seed is printed, kept or broken
    session = tenants.tokens(servers.nodes[0])["access_token"]
    with servers.nodes[0].client(session) as robin:
        keys = [tenants.key(robin, f"key-{number}") for number in range(KEYS)]
        living = tenants.key(robin, LIVING)
    writes = [writing(f"writes-{number}", keys[number]) for number in range(2)]
    questions = [me(LIVING, living), *writes, *(me(f"key-{number}", key) for number, key in enumerate(keys))]
    with Observer(servers, questions, every=0.25) as observer:
        for question in questions:
            observer.wait_everywhere(question.name, {200, 201}, 0, READY_SECONDS)
        played = play(schedule, servers, tenants, keys, session)
        healed = time.monotonic()
        revocations = [placed(servers, tenants, number, key, played, session) for number, key in enumerate(keys)]
        stuck = unrecovered(servers, observer, healed)

    broken = [f"does not recover: {one}" for one in stuck] + unpassive(schedule, played, observer.seen, servers.lease)
    for number, revocation in enumerate(revocations):
        verdict = judge(observer.seen, revocation, servers.bound)
        verdict.undecided = [one for one in verdict.undecided if not on_its_way(one, played)]
        note(record_property, verdict.window, servers.bound, f"seed {seed}")
        if verdict.breaches:
            broken.append(verdict.told(revocation.earliest))
        if number < len(writes):
            broken += unfenced(tenants, keys[number], observer.seen, revocation, number, writes[number].category)
    assert not broken, "\n".join([*broken, schedule.told(), servers.logs()])


def on_its_way(one: Seen, played: Played) -> bool:
    """Tell whether an answer may have been decided long before it came: its link was cut, or its node froze then."""
    for fault, begin, end in played.spans:
        if one.node == f"n{fault.node + 1}":
            if fault.kind == "cut from clients" and one.sent < end and begin < one.received:
                return True
            if fault.kind == "frozen" and one.sent < begin and end <= one.received:
                return True
    return False


def placed(servers: Fleet, tenants: Tenants, number: int, key: Made, played: Played, session: str) -> Revocation:
    """Return where C of a key's end lies; what was not committed under the faults is ended now."""
    calls = list(played.calls.get(number, ()))
    if tenants.committed_key(key.id) is None:
        with servers.nodes[0].client(session) as robin:
            calls.append(tenants.revoke(robin, f"/v1/api-keys/{key.id}", wait=10))
        assert calls[-1].status == 200, (calls, servers.logs())
    found = tenants.committed_key(key.id)
    assert found is not None
    answered = [call for call in calls if call.status == 200]
    latest = min([call.answered for call in answered] + [found[1] + VISIBLE_SECONDS])
    effective = [call.answered for call in answered if call.effective]
    return Revocation(f"key-{number}", found[1], max(latest, found[1]), min(effective, default=None))


def unrecovered(servers: Fleet, observer: Observer, healed: float) -> list[str]:
    """Return where, after everything was mended, the good key is not served or an ended one not refused."""
    names = [(LIVING, {200}), *((f"key-{number}", {401}) for number in range(KEYS))]
    stuck = []
    for name, statuses in names:
        for node in servers.nodes:
            try:
                observer.wait_for(name, node.name, statuses, healed, RECOVERY_SECONDS)
            except TimeoutError as error:
                stuck.append(str(error))
    return stuck


def unpassive(schedule: Schedule, played: Played, seen: list[Seen], lease: float) -> list[str]:
    """Return answers of success that a node gave although it was cut off for longer than its lease (I8)."""
    return [
        f"seed {schedule.seed}: {one.node} was cut off for {one.sent - begin:.2f} s and accepted {one}"
        for fault, begin, end in played.spans
        if fault.kind == "cut from database"
        for one in seen
        if one.node == f"n{fault.node + 1}" and one.accepted and begin + lease <= one.sent and one.received < end
    ]


def unfenced(
    tenants: Tenants, key: Made, seen: list[Seen], revocation: Revocation, number: int, category: str
) -> list[str]:
    """Return what a key wrote after it was revoked."""
    found = tenants.committed_key(key.id)
    assert found is not None
    late = tenants.written_after(found[0], category)
    writes = Revocation(f"writes-{number}", revocation.earliest, revocation.latest, revocation.effective_at)
    told = judge(seen, writes, 0.0)
    broken = [f"(b) {late} extensions were committed after key {number} was revoked"] if late else []
    return broken + ([told.told(revocation.earliest)] if told.late else [])


def test_500_revocations_without_a_fault_are_seen_everywhere_within_a_second_and_nobody_gets_503(
    servers: Fleet, tenants: Tenants, record_property: Record
) -> None:
    refused = undisturbed(servers, tenants, record_property, REVOCATIONS)
    told = f"p50 {refused[len(refused) // 2]:.3f} s, p99 {refused[int(len(refused) * 0.99)]:.3f} s"
    print(f"\nrefused everywhere after the commit: {told}, worst {refused[-1]:.3f} s")  # noqa: T201
    assert refused[int(len(refused) * 0.99)] < 1.0


@pytest.mark.parametrize("jump", [3_600, -3_600])
def test_a_wall_clock_that_jumps_lets_nothing_through_and_nobody_is_told_that_a_good_key_is_bad(
    jump: int, servers: Fleet, tenants: Tenants, record_property: Record
) -> None:
    if (reason := why_no_wall_clock()) is not None:
        pytest.skip(reason)
    first, _, moved = servers.nodes
    wall = WallClock(moved.folder)
    moved.stop()
    moved.launch(**wall.variables)
    moved.wait()
    try:
        with Trial(servers, tenants) as trial:
            servers.network.cut(moved.name, "back")  # no new proof of freshness can come in its place
            wall.move(jump)
            jumped = time.monotonic()
            trial.must_revoke(first)
            trial.outlast(1.0)
            servers.network.mend(moved.name, "back")
            mended = time.monotonic()
            trial.must_recover(moved, mended)
        trial.must_have_held(record_property, [moved], f"the wall clock moved by {jump} s")
        away = trial.seen_at(moved, jumped, mended - 1.0)
        assert away
        assert [one for one in away if one.accepted or one.status == 401] == []
    finally:
        with suppress(RuntimeError):
            moved.stop()
