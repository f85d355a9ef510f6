"""The lease: clocks alone decide, at the moment of use (I1, I8)."""

from datetime import UTC, datetime

import pytest

from lumio.authority.lease import Instant, Lease, bound, present, silence
from lumio.kernel import clock
from tests.support.on_paper import LEASE, Clocks

EPSILON = 1e-6


@pytest.fixture
def clocks() -> Clocks:
    return Clocks()


@pytest.fixture
def lease(clocks: Clocks) -> Lease:
    return Lease(LEASE, clocks)


def test_i11_membership_without_a_proof_there_is_no_lease(lease: Lease) -> None:
    assert not lease.fresh()
    assert lease.left() == 0


@pytest.mark.parametrize(("after", "fresh"), [(LEASE - EPSILON, True), (LEASE, False), (LEASE + EPSILON, False)])
def test_i8_passive_failure_a_lease_ends_by_the_clock_and_nothing_has_to_run(
    lease: Lease, clocks: Clocks, after: float, fresh: bool
) -> None:
    lease.renew(clocks())
    clocks.move(after)
    assert lease.fresh() is fresh


@pytest.mark.parametrize("seconds", [2.0, LEASE, 25.0])
def test_i1_freshness_counts_from_before_the_question(seconds: float) -> None:
    clocks = Clocks()
    lease = Lease(seconds, clocks)
    asked = clocks()
    clocks.move(seconds / 5)
    lease.renew(asked)
    assert lease.left() == pytest.approx(seconds * 4 / 5)


def test_an_answer_that_comes_later_than_the_lease_is_long_renews_nothing(lease: Lease, clocks: Clocks) -> None:
    asked = clocks()
    clocks.move(LEASE)
    lease.renew(asked)
    assert not lease.fresh()


def test_an_older_proof_never_shortens_a_lease(lease: Lease, clocks: Clocks) -> None:
    older = clocks()
    clocks.move(1)
    lease.renew(clocks())
    lease.renew(older)
    assert lease.left() == LEASE


def test_a_lease_that_was_dropped_is_no_lease_until_the_next_proof(lease: Lease, clocks: Clocks) -> None:
    lease.renew(clocks())
    lease.drop()
    assert not lease.fresh()
    lease.renew(clocks())
    assert lease.fresh()


@pytest.mark.parametrize(("jump", "fresh"), [(1.9, True), (-1.9, True), (2.1, False), (-2.1, False), (86_400, False)])
def test_a_wall_clock_that_jumps_by_more_than_two_seconds_costs_the_lease(
    lease: Lease, clocks: Clocks, jump: float, fresh: bool
) -> None:
    lease.renew(clocks())
    clocks.move(1)
    clocks.wall += jump
    assert lease.fresh() is fresh
    lease.renew(clocks())
    assert lease.fresh()


@pytest.mark.parametrize("jump", [-8.0, 1.9])
def test_a_wall_clock_that_was_set_back_lengthens_no_lease(lease: Lease, clocks: Clocks, jump: float) -> None:
    lease.renew(clocks())
    clocks.move(LEASE)
    clocks.wall += jump
    assert not lease.fresh()


def test_a_machine_that_slept_has_no_lease(monkeypatch: pytest.MonkeyPatch) -> None:
    slept = Instant(1000.0, 50_000.0)
    monkeypatch.setattr(clock, "monotonic", lambda: 1000.0)
    monkeypatch.setattr(clock, "boottime", lambda: slept.boot)
    monkeypatch.setattr(clock, "now", lambda: datetime.fromtimestamp(slept.wall, UTC))
    lease = Lease(LEASE)
    lease.renew(present())
    assert lease.fresh()
    slept = Instant(1000.0 + LEASE, 50_000.0 + LEASE)
    assert not lease.fresh()


@pytest.mark.parametrize("seconds", [2.0, LEASE, 25.0])
def test_bound_and_silence_outlast_the_lease_of_a_clock_that_is_one_per_cent_slow(seconds: float) -> None:
    longest = seconds / 0.99
    assert bound(seconds) > longest
    assert silence(seconds) / 1.01 > longest, "not even when W is measured by a clock that is one per cent fast"


def test_at_the_default_lease_the_bound_is_ten_seconds() -> None:
    assert bound(LEASE) == pytest.approx(9.995)
    assert silence(LEASE) == pytest.approx(10.095)
