"""The lease on clocks moved by hand (I8): it ends by itself, and no answer can make it longer than it is."""

import pytest

from lumio.authority.lease import WALL_JUMP, Instant, Lease, bound, silence

L, EPSILON = 2.0, 0.001


class Clocks:
    """Both clocks of a machine."""

    def __init__(self) -> None:
        self.boot, self.wall = 1000.0, 5000.0

    def __call__(self) -> Instant:
        return Instant(self.boot, self.wall)

    def passes(self, seconds: float) -> None:
        self.boot += seconds
        self.wall += seconds


@pytest.fixture
def clocks() -> Clocks:
    return Clocks()


def test_i8_without_a_proof_there_is_no_lease(clocks: Clocks) -> None:
    assert not Lease(L, clocks).fresh()


@pytest.mark.parametrize(("after", "fresh"), [(L - EPSILON, True), (L, False), (L + EPSILON, False), (1e6, False)])
def test_i8_it_ends_at_its_moment_though_nothing_runs(clocks: Clocks, after: float, fresh: bool) -> None:
    lease = Lease(L, clocks)
    lease.renew(clocks())
    clocks.passes(after)
    assert lease.fresh() is fresh


def test_i1_it_counts_from_before_the_question_and_not_from_the_answer(clocks: Clocks) -> None:
    lease = Lease(L, clocks)
    asked = clocks()
    clocks.passes(1.5)
    lease.renew(asked)
    assert lease.left() == pytest.approx(0.5)
    clocks.passes(0.5)
    assert not lease.fresh()


def test_i3_an_older_proof_that_arrives_late_changes_nothing(clocks: Clocks) -> None:
    lease = Lease(L, clocks)
    old = clocks()
    clocks.passes(1.0)
    lease.renew(clocks())
    lease.renew(old)
    assert lease.left() == pytest.approx(L)


@pytest.mark.parametrize("jump", [WALL_JUMP + 0.1, -WALL_JUMP - 0.1, 3600.0, -3600.0])
def test_i8_a_wall_clock_that_was_set_costs_the_lease_until_the_next_proof(clocks: Clocks, jump: float) -> None:
    lease = Lease(L, clocks)
    lease.renew(clocks())
    clocks.wall += jump
    assert not lease.fresh()
    lease.renew(Instant(clocks.boot + EPSILON, clocks.wall))
    clocks.passes(EPSILON)
    assert lease.fresh()


@pytest.mark.parametrize("jump", [WALL_JUMP - 0.1, 0.1 - WALL_JUMP])
def test_a_wall_clock_that_is_only_corrected_costs_nothing(clocks: Clocks, jump: float) -> None:
    lease = Lease(L, clocks)
    lease.renew(clocks())
    clocks.wall += jump
    assert lease.fresh()


def test_i8_a_machine_that_sleeps_wakes_without_a_lease(clocks: Clocks) -> None:
    lease = Lease(L, clocks)
    lease.renew(clocks())
    clocks.passes(L * 100)  # both clocks go on while it sleeps
    assert not lease.fresh()


def test_a_lease_that_is_dropped_is_over_at_once(clocks: Clocks) -> None:
    lease = Lease(L, clocks)
    lease.renew(clocks())
    lease.drop()
    assert not lease.fresh()


def test_the_bounds_are_those_of_the_promise() -> None:
    assert bound(9.5) <= 10
    assert silence(9.5) == pytest.approx(9.5 * 1.01 + 0.5)
