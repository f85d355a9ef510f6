"""Random faults and revocations on a fleet, all from one seed.

Promise: the same seed gives the same schedule, and everything that went wrong is undone at its end. What the
database and the processes make of it is theirs; the notes say what was done and when.
"""

import random
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Literal

from tests.support.fleet import DATABASE, NAME, Fleet, Node
from tests.support.tenants import Made, Revoked, Tenants

Kind = Literal["cut from database", "cut from clients", "frozen", "killed", "deaf", "database away"]
KINDS: tuple[Kind, ...] = ("cut from database", "cut from clients", "frozen", "killed", "deaf", "database away")
WEIGHTS = (4, 2, 4, 2, 3, 1)


@dataclass(frozen=True, slots=True)
class Fault:
    """What goes wrong at which node, from `begin` for `length`, in seconds of the schedule."""

    kind: Kind
    node: int
    begin: float
    length: float


@dataclass(frozen=True, slots=True)
class Order:
    """Key number `key` is revoked through a node at a moment of the schedule; `wait` is the Prefer header's."""

    key: int
    node: int
    at: float
    wait: int | None


@dataclass(frozen=True, slots=True)
class Schedule:
    """One run of `seconds`, drawn from a seed."""

    seed: int
    seconds: float
    faults: tuple[Fault, ...]
    orders: tuple[Order, ...]

    def told(self) -> str:
        """Return the schedule in words."""
        lines = [f"seed {self.seed}"]
        lines += [f"{one.begin:6.2f} n{one.node + 1} {one.kind} for {one.length:.2f} s" for one in self.faults]
        lines += [f"{one.at:6.2f} key {one.key} through n{one.node + 1}, wait {one.wait}" for one in self.orders]
        return "\n".join(lines)


def draw(seed: int, nodes: int, keys: int, lease: float, seconds: float) -> Schedule:
    """Draw a schedule; faults of one node do not overlap, those of several do."""
    dice = random.Random(seed)
    faults: list[Fault] = []
    for node in range(nodes):
        moment = dice.uniform(0.0, 2 * lease)
        while True:
            length = dice.choice((0.3, 1.0, 1.5)) * lease * dice.uniform(0.5, 1.5)
            if moment + length > seconds:
                break
            faults.append(Fault(dice.choices(KINDS, WEIGHTS)[0], node, moment, length))
            moment += length + dice.uniform(0.1, 2.0) * lease
    orders = tuple(
        Order(key, dice.randrange(nodes), dice.uniform(0.5, seconds - 1.0), dice.choice((None, None, 10)))
        for key in range(keys)
    )
    return Schedule(
        seed, seconds, tuple(sorted(faults, key=lambda one: one.begin)), tuple(sorted(orders, key=lambda one: one.at))
    )


@dataclass(slots=True)
class Played:
    """What was done: each order's calls, and each fault's true span on the monotonic clock."""

    calls: dict[int, list[Revoked]] = field(default_factory=dict)
    spans: list[tuple[Fault, float, float]] = field(default_factory=list)


def play(schedule: Schedule, fleet: Fleet, tenants: Tenants, keys: Sequence[Made], session: str) -> Played:
    """Do all of it, heal the fleet, and return what was done. `session` is an access token of Robin's."""
    played, start, over = Played(), time.monotonic(), threading.Event()

    def until(moment: float) -> None:
        over.wait(max(0.0, start + moment - time.monotonic()))

    def spoil(node: int) -> None:
        for fault in (one for one in schedule.faults if one.node == node):
            until(fault.begin)
            _suffer(fault, fleet, lambda fault=fault: until(fault.begin + fault.length), played)  # type: ignore[misc]

    def end(order: Order) -> None:
        until(order.at)
        with fleet.nodes[order.node].client(session, timeout=12) as robin:
            call = tenants.revoke(robin, f"/v1/api-keys/{keys[order.key].id}", wait=order.wait)
        played.calls.setdefault(order.key, []).append(call)

    with ThreadPoolExecutor(len(fleet.nodes) + len(schedule.orders)) as pool:
        working: list[Future[None]] = [pool.submit(spoil, node) for node in range(len(fleet.nodes))]
        working += [pool.submit(end, order) for order in schedule.orders]
        try:
            for one in working:
                one.result()
        finally:
            over.set()
    fleet.heal()
    return played


def _suffer(fault: Fault, fleet: Fleet, wait: Callable[[], None], played: Played) -> None:
    """Let one fault begin, wait, and undo it."""
    node, network = fleet.nodes[fault.node], fleet.network
    began = time.monotonic()
    if fault.kind == "frozen":
        node.pause()
        began = time.monotonic()
        wait()
        played.spans.append((fault, began, time.monotonic()))
        node.resume()
    elif fault.kind == "killed":
        node.kill()
        wait()
        played.spans.append((fault, began, time.monotonic()))
        _start_again(node)
    elif fault.kind == "deaf":
        with fleet.postgres.deaf(NAME, node.region):
            wait()
        played.spans.append((fault, began, time.monotonic()))
    else:
        host, net = {
            "cut from database": (node.name, "back"),
            "cut from clients": (node.name, "front"),
            "database away": (DATABASE, "back"),
        }[fault.kind]
        network.cut(host, net)  # type: ignore[arg-type]
        began = time.monotonic()
        wait()
        played.spans.append((fault, began, time.monotonic()))
        network.mend(host, net)  # type: ignore[arg-type]


def _start_again(node: Node) -> None:
    node.launch()
    with suppress(RuntimeError):  # it may be cut off or the database away; `heal` looks again
        node.wait(10)
