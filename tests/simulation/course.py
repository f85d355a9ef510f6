"""One schedule: a fleet, what is asked of it, what goes wrong and when, all drawn from a seed; and its outcome.

Promise: the same seed gives the same course to the last request.
"""

import asyncio
import random
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from lumio.authority import memory, tail
from lumio.authority.subjects import EVERYTHING, Subject
from lumio.kernel import ids
from tests.simulation import faults
from tests.simulation.faults import Fault
from tests.simulation.hosts import clocks_of_hosts
from tests.simulation.loop import VirtualLoop
from tests.simulation.process import Course
from tests.simulation.promise import Truth, Violation
from tests.simulation.world import KEYS, ROLE, World

THEMES: dict[str, tuple[Fault, ...]] = {
    "calm": (),
    "cuts": (faults.cut, faults.cut, faults.slow),
    "clocks": (faults.jump, faults.jump, faults.pause, faults.cut),
    "bulk": (faults.slow, faults.slow, faults.evict),
    "stalls": (faults.stall, faults.slow, faults.evict),
    "memory": (faults.evict, faults.evict, faults.slow),
    "replica": (faults.lag, faults.lag, faults.evict, faults.cut),
    "members": (faults.kill, faults.leave, faults.join, faults.cut, faults.pause),
    "failover": (faults.fail_over, faults.evict, faults.cut, faults.pause),
    "near failover": (faults.fail_over, faults.lag, faults.evict, faults.evict),
    "switch-over": (faults.switch_over, faults.evict, faults.cut),
    "crash": (faults.crash, faults.evict, faults.pause),
    "restore": (faults.restore, faults.evict, faults.pause, faults.slow),
}
OPENING_SECONDS = 1.0
"""Before this nobody promises an answer: the processes are only starting."""
CALM_SECONDS = 1.0


@dataclass(slots=True)
class Outcome:
    """What a schedule was, and what it showed."""

    seed: int
    theme: str
    lease: float
    truth: Truth
    trace: list[str] = field(default_factory=list)

    @property
    def violations(self) -> list[Violation]:
        return self.truth.violations


def run(seed: int, *, theme: str | None = None, traced: bool = False) -> Outcome:
    """Run the schedule of a seed."""
    rng = random.Random(seed)
    chosen = theme or rng.choice(list(THEMES))
    lease = rng.choice([2.0, 2.0, 2.0, 3.0, 5.0])
    outcome = Outcome(seed, chosen, lease, Truth())
    loop = VirtualLoop()
    asyncio.set_event_loop(loop)
    try:
        with _house(loop, rng, outcome, traced=traced):
            loop.run_until_complete(_play(rng, outcome, traced=traced))
    finally:
        asyncio.set_event_loop(None)
        loop.close()
    return outcome


@contextmanager
def _house(loop: VirtualLoop, rng: random.Random, outcome: Outcome, *, traced: bool) -> Iterator[None]:
    """Make the house draw from the seed: clocks, ids, pauses, limits of memory, and its log into the trace."""
    numbers = count(1)

    def told(words: str, **what: Any) -> None:
        if traced:
            outcome.trace.append(f"{loop.time():9.4f}  {words} {what}")

    with ExitStack() as stack:
        stack.enter_context(clocks_of_hosts(loop))
        stack.enter_context(patch.object(ids, "uuid7", lambda: f"again-{next(numbers)}"))
        stack.enter_context(patch.object(tail, "secrets", SimpleNamespace(randbelow=rng.randrange)))
        stack.enter_context(patch.object(tail, "log", SimpleNamespace(warning=told, error=told)))
        if _forgetful(outcome.theme, rng):
            stack.enter_context(patch.object(memory, "ENTRIES_MAX", rng.choice([1, 2, 50])))
            stack.enter_context(patch.object(memory, "STATUS_SECONDS", rng.choice([0.5, 3.0, 60.0])))
            stack.enter_context(patch.object(memory, "TOMBSTONE_SECONDS", rng.choice([0.05, 0.5, 120.0])))
        yield


def _forgetful(theme: str, rng: random.Random) -> bool:
    """Tell whether the limits of memory are small: a process that remembers nothing cannot be caught stale either."""
    return theme == "memory" or (theme != "calm" and rng.random() < 0.3)


async def _play(rng: random.Random, outcome: Outcome, *, traced: bool) -> None:
    loop = asyncio.get_running_loop()
    broken: list[str] = []
    loop.set_exception_handler(lambda _loop, context: broken.append(f"{context.get('message')}: {context!r}"))

    def note(words: str) -> None:
        if traced:
            outcome.trace.append(f"{loop.time():9.4f}  {words}")

    world = World(rng, outcome.lease, note)
    outcome.truth = world.truth
    try:
        await _go_through(world, outcome.theme)
    finally:
        await _end(world)
    if broken:
        raise RuntimeError("\n".join(broken[:3]))


async def _go_through(world: World, theme: str) -> None:
    _build(world, theme)
    await asyncio.sleep(OPENING_SECONDS)
    world.truth.unavailable.clear()
    steps = [world.loop.create_task(step) for step in _steps(world, theme)]
    await asyncio.sleep(2.8 * world.lease + 1.5)
    for step in steps:
        if step.done():
            step.result()
    if theme == "calm":
        _demand_liveness(world)


def _build(world: World, theme: str) -> None:
    rng = world.rng
    near = "replica" in theme or "near" in theme
    if "failover" in theme or (theme not in {"switch-over", "restore"} and rng.random() < 0.3):
        world.add_standby()
    if near:
        world.add_replica()
    for _ in range(rng.choice([2, 3, 3, 4])):
        world.add_process(near=near and rng.random() < 0.8)


def _steps(world: World, theme: str) -> Iterator[Any]:
    """Yield what goes on at the same time: endings, faults around them, and requests all the while."""
    rng, lease = world.rng, world.lease
    subjects = rng.sample(
        [*(Subject("key", key) for key in KEYS[:3]), Subject("role", ROLE), Subject("account", "a0")], 3
    )
    if rng.random() < 0.15:
        subjects[-1] = EVERYTHING
    moments = [rng.uniform(0.3, 1.2 * lease) for _ in subjects]
    if theme == "bulk" or rng.random() < 0.3:  # at once, as bulk revocations come
        spread = rng.choice([0.02, 0.4])
        moments = [moments[0] + rng.uniform(0, spread) for _ in subjects]
    for subject, moment in zip(subjects, moments, strict=True):
        yield _revoke(world, subject, moment)
    for fault in _faults(rng, theme):
        near = rng.choice(moments)
        ahead = (0.25, 0.0) if fault is faults.stall else rng.choice([(0.6, -0.2), (0.08, 0.0)])
        yield _at(max(0.0, near - rng.uniform(*ahead) * lease), partial(fault, world))
    yield _requests(world, theme)
    yield _others(world, moments[0] if theme == "bulk" else rng.uniform(0, lease))
    if theme == "memory" or (theme != "calm" and rng.random() < 0.3):
        yield _evictions(world)


def _faults(rng: random.Random, theme: str) -> list[Fault]:
    kinds = THEMES[theme]
    if not kinds:
        return []
    first = [kinds[0]]  # what the theme is named after happens for sure
    others = [rng.choice(kinds[1:]) for _ in range(rng.randrange(1, 4))]
    return first + others


async def _at(seconds: float, step: Callable[[], None]) -> None:
    await asyncio.sleep(seconds)
    step()


async def _revoke(world: World, subject: Subject, after: float) -> None:
    await asyncio.sleep(after)
    if world.serving:
        await world.revoke(subject, world.rng.choice(world.serving), world.rng.uniform(0, 1.5) * world.lease)


async def _others(world: World, after: float) -> None:
    """End sessions that nobody here asks with: the feed of a fleet is never quiet for long."""
    await asyncio.sleep(after)
    for number in range(world.rng.randrange(8)):
        if world.serving:
            session = Subject("session", f"s{number}")
            await world.revoke(session, world.rng.choice(world.serving), patience=0)
        await asyncio.sleep(world.rng.choice([0.01, 0.1, world.lease / 2]))


async def _requests(world: World, theme: str) -> None:
    """Ask without end, most of all with what ended lately, and look at what became of revocations."""
    rng = world.rng
    while True:
        await asyncio.sleep(rng.uniform(0.02, 0.16))
        if not world.serving:
            continue
        process = rng.choice(world.serving)
        if process.asking > 40:
            continue
        world.ask(process, rng.choice(KEYS), _drawn(rng, theme, world.lease))
        if world.truth.endings and rng.random() < 0.1 and not process.host.stopped:
            ending = rng.choice(world.truth.endings)
            process.host.spawn(world.look(process, ending.seq))


def _drawn(rng: random.Random, theme: str, lease: float) -> Course:
    if theme == "calm":
        return Course(0.0, rng.choice([0.0, 0.0, 0.6]), rng.random() < 0.15, rng.random() < 0.3)
    return Course(
        slow_load=rng.uniform(0, 1.2) * lease if rng.random() < 0.15 else 0.0,
        body=rng.uniform(0.1, 1.5) * lease if rng.random() < 0.1 else 0.0,
        writes=rng.random() < 0.12,
        journaled=rng.random() < 0.2,
    )


async def _evictions(world: World) -> None:
    while True:
        await asyncio.sleep(world.rng.uniform(0.1, 1.0))
        faults.evict(world)


def _demand_liveness(world: World) -> None:
    """Without faults there is no 503, and an ending is known everywhere within a second (I13)."""
    truth = world.truth
    if truth.unavailable:
        words = f"{len(truth.unavailable)} answers were 503, the first at {truth.unavailable[0]:.3f}"
        truth.violations.append(Violation("live", "I13 liveness", truth.unavailable[0], words))
    for number, ending in enumerate(truth.endings):
        late = truth.latest.get(number, 0.0) - ending.at
        if late > CALM_SECONDS:
            words = f"{ending.subject} was accepted {late:.3f} s after its end"
            truth.violations.append(Violation("live", "I13 liveness", world.now, words))


async def _end(world: World) -> None:
    """Let everything go that still waits."""
    for process in world.processes:
        process.host.dead = False
        process.host.go_on()
    mine = asyncio.current_task()
    for _ in range(3):
        left = [task for task in asyncio.all_tasks() if task is not mine]
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
