"""Promise R over many schedules of a simulated fleet, and the weakened authorities that must be caught.

Promise: a schedule that breaks the promise is named by its seed; `python -m tests.simulation SEED` plays it again.
"""

import multiprocessing
import os
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial

import pytest

from tests.simulation.course import Outcome, run
from tests.simulation.promise import Worst
from tests.simulation.variants import ALWAYS, VARIANTS, Variant
from tests.support.windows import Record, note

BROAD = os.environ.get("LUMIO_PROVE") == "broad"
SCHEDULES = 20_000 if BROAD else 200
BLOCK = 50
"""Schedules that one test, or one process of the broad version, plays."""
ENOUGH = 600 if BROAD else 150
"""Schedules within which a weakened authority must be caught."""


def play(seeds: range) -> tuple[list[str], Worst]:
    """Play schedules; return what went wrong, and the latest acceptances."""
    worst, broken = Worst(), []
    for seed in seeds:
        outcome = run(seed)
        worst.merge(outcome.truth.worst)
        broken += [f"python -m tests.simulation {seed}: {one}" for one in outcome.violations[:2]]
    return broken, worst


def noted(record: Record, worst: Worst, schedules: int) -> None:
    note(record, worst.decided, worst.bound, f"simulated, {schedules:,} schedules, sent {worst.sent:.3f} s after C")


@pytest.mark.skipif(BROAD, reason="the broad version plays them all")
@pytest.mark.parametrize("block", range(SCHEDULES // BLOCK) if not BROAD else ())
def test_no_schedule_breaks_the_promise(block: int, record_property: Record) -> None:
    broken, worst = play(range(block * BLOCK, (block + 1) * BLOCK))
    noted(record_property, worst, BLOCK)
    assert not broken, "\n".join(broken)


@pytest.mark.slow
@pytest.mark.timeout(7200)
@pytest.mark.skipif(not BROAD, reason="plays for minutes: LUMIO_PROVE=broad")
def test_no_schedule_of_twenty_thousand_breaks_the_promise(record_property: Record) -> None:
    worst, broken = Worst(), []
    blocks = [range(first, first + BLOCK) for first in range(0, SCHEDULES, BLOCK)]
    with ProcessPoolExecutor(os.cpu_count(), mp_context=multiprocessing.get_context("spawn")) as pool:
        for some, late in pool.map(play, blocks):
            broken += some
            worst.merge(late)
    noted(record_property, worst, SCHEDULES)
    assert not broken, "\n".join(broken[:40])
    assert worst.of_lease > 0.95, "nothing came near the end of a lease: these schedules prove nothing"


@pytest.mark.parametrize("variant", VARIANTS, ids=lambda one: one.name)
def test_an_authority_without_one_of_its_guards_is_caught(variant: Variant) -> None:
    if not BROAD and variant.name not in ALWAYS:
        pytest.skip("weakened in the broad version: LUMIO_PROVE=broad")
    with variant.at_work():
        caught = next(_caught(variant), None)
    assert caught is not None, f"{variant.name}: nothing broke {variant.caught_by} in {ENOUGH} schedules"
    (one, *_) = (one for one in caught.violations if one.invariant == variant.caught_by)
    sys.stdout.write(f"{variant.name} was caught by {one.invariant} in the schedule {caught.seed}: {one}\n")
    assert not run(caught.seed, theme=variant.theme).violations, "the schedule breaks the promise by itself"


def _caught(variant: Variant) -> Iterator[Outcome]:
    outcomes = map(partial(run, theme=variant.theme), range(ENOUGH))
    return (one for one in outcomes if any(found.invariant == variant.caught_by for found in one.violations))


def test_i13_without_faults_an_end_is_known_everywhere_within_a_second_and_nobody_gets_503() -> None:
    outcomes = [run(seed, theme="calm") for seed in range(20)]
    assert [one.violations[0] for one in outcomes if one.violations] == []
    assert sum(one.truth.accepted for one in outcomes) > 20 * 20
    assert sum(one.truth.refused for one in outcomes) > 20 * 20


def test_the_same_seed_is_the_same_course_to_the_last_word() -> None:
    first, second = (run(11, theme="failover", traced=True) for _ in range(2))
    assert first.trace == second.trace
    assert len(first.trace) > 100
