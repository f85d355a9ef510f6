"""What can go wrong in a simulated fleet, each fault a step that begins now and mends itself later.

Promise: every fault is one that the promise must outlast; what the docs exclude (two writable primaries, commits lost
by an asynchronous failover) does not happen here.
"""

from collections.abc import Callable
from functools import partial

from lumio.authority import feed
from lumio.authority.timeline import LEAP
from tests.simulation.asking import node_row
from tests.simulation.process import Process
from tests.simulation.server import Following, Record, Server
from tests.simulation.tables import Row, Rows, Writes
from tests.simulation.world import LONGEST_LEASE, World

Fault = Callable[[World], None]


def later(world: World, seconds: float, step: Callable[[], None]) -> None:
    world.loop.call_later(seconds, step)


def _somebody(world: World) -> Process | None:
    return world.rng.choice(world.serving) if world.serving else None


def _long(world: World) -> float:
    """Draw how long something lasts: a moment, or longer than any lease."""
    return world.lease * (world.rng.uniform(0.05, 0.6) if world.rng.random() < 0.4 else world.rng.uniform(1, 2.4))


def cut(world: World) -> None:
    """Cut one machine off: from everything, or in one direction only."""
    process = _somebody(world)
    if process is not None:
        _cut_off(world, process, world.rng.choice(["both", "out", "back"]))


def slow(world: World) -> None:
    """Make the wires of one machine slow."""
    process = _somebody(world)
    if process is not None:
        _slow_down(world, process, world.rng.choice([20, 100, 300]))


def pause(world: World) -> None:
    """Stop one process, as SIGSTOP or a closed lid does."""
    process = _somebody(world)
    if process is not None:
        _stop(world, process, _long(world))


def stall(world: World) -> None:
    """Stop a process while the answer to its next question is on its way: it finds it when it goes on."""
    process = _somebody(world)
    if process is not None:
        seconds = world.rng.uniform(1, 2.4) * world.lease
        process.primary.answering = lambda: _stop(world, process, seconds)


def jump(world: World) -> None:
    """Set the wall clock of one machine, which may be cut off at that time."""
    process = _somebody(world)
    if process is None:
        return
    seconds = world.rng.choice([-1, -1, 1]) * world.rng.uniform(0.5, 8)
    later(world, world.rng.uniform(0, 0.9) * world.lease, lambda: process.host.set_wall(seconds))
    world.note(f"the wall clock of {process.host.name} is about to jump by {seconds:.3f} s")
    if world.rng.random() < 0.7:
        _cut_off(world, process, "both")


def _cut_off(world: World, process: Process, direction: str) -> None:
    seconds = _long(world)
    for wire in world.wires_of(process):
        wire.cut_out, wire.cut_back = direction != "back", direction != "out"
        later(world, seconds, wire.heal)
    world.note(f"{process.host.name} is cut off ({direction}) for {seconds:.3f} s")


def _slow_down(world: World, process: Process, factor: float) -> None:
    seconds = world.rng.uniform(0.5, 2) * world.lease
    for wire in world.wires_of(process):
        wire.slowness = factor
        later(world, seconds, partial(setattr, wire, "slowness", 1.0))
    world.note(f"the wires of {process.host.name} are {factor} times as slow for {seconds:.3f} s")


def _stop(world: World, process: Process, seconds: float) -> None:
    if process.host.stopped:
        return
    asleep = world.rng.random() < 0.4
    process.host.stop(asleep=asleep)
    later(world, seconds, process.host.go_on)
    world.note(f"{process.host.name} {'sleeps' if asleep else 'is stopped'} for {seconds:.3f} s")


def evict(world: World) -> None:
    """Let one process forget what it has least use for, as a full memory does."""
    process = _somebody(world)
    if process is not None:
        for name in list(process.authority.memory._known):
            process.authority.memory._forget(name)


def kill(world: World) -> None:
    """End one process at once, and start another in its place."""
    process = _somebody(world)
    if process is None:
        return
    process.host.kill()
    near = world.replica is not None and world.rng.random() < 0.5
    later(world, world.rng.uniform(0, 1), lambda: _start(world, near))
    world.note(f"{process.host.name} is killed")


def leave(world: World) -> None:
    """Stop one process in good order, and start another in its place."""
    process = _somebody(world)
    if process is None or process.host.stopped:
        return
    process.host.spawn(process.authority.close())
    later(world, world.rng.uniform(0, 1), lambda: _start(world, near=False))
    world.note(f"{process.host.name} leaves")


def join(world: World) -> None:
    """Start one more process."""
    _start(world, near=world.replica is not None)


def lag(world: World) -> None:
    """Let the replica fall behind for a while."""
    if world.replica is None:
        return
    replica = world.replica
    world.lag = world.rng.uniform(0.3, 1.5) * world.lease
    later(world, world.rng.uniform(0.5, 1.5) * world.lease, lambda: _caught_up(world, replica))
    world.note(f"the replica lags by {world.lag:.3f} s")


def crash(world: World) -> None:
    """Kill the primary, and start it again on what its log holds."""
    server = world.primary
    if not server.alive:
        return
    server.stop()
    later(world, world.rng.uniform(0.2, 1.2) * world.lease, server.start)
    world.note("the primary crashes")


def fail_over(world: World) -> None:
    """Cut the primary off from its standby and promote that; the old one goes on answering whoever still asks it."""
    old, standby = world.primary, world.standby
    if standby is None or not old.alive:
        return
    standby.cut = True
    later(world, world.rng.uniform(0.1, 1.0) * world.lease, lambda: _promote(world, standby.follower))
    if world.rng.random() < 0.5:
        later(world, world.rng.uniform(0.5, 3) * world.lease, old.stop)
    world.note("the primary is cut off from its standby")


def switch_over(world: World) -> None:
    """Stop the primary in good order, then promote what followed it: a failover by hand."""
    old = world.primary
    if not old.alive or world.standby is not None:
        return
    old.stop()
    for record in old.log:
        if not record.shown:
            old.show(record)
    successor = world.server("successor")
    Following(old, successor, lambda: 0.0, counts=False).end()
    later(world, world.rng.uniform(0.2, 0.9) * world.lease, lambda: _promote(world, successor))
    world.note("the primary is stopped, to be replaced")


def restore(world: World) -> None:
    """Put the primary back to an older state in place: a new epoch, and what was lost of the feed written again."""
    server = world.primary
    if not server.alive or world.standby is not None or world.replica is not None:
        return
    kept = max(0, len(server.log) - world.rng.randrange(1, 60))
    backup = _state_at(server, kept)
    server.stop()
    for record in server.log:
        record.shown = True
    lost = server.rows
    later(world, world.rng.uniform(0.1, 0.8) * world.lease, lambda: _restored(world, server, backup, lost))
    world.note(f"the primary is stopped, to be restored to {kept} of {len(server.log)} commits")


def _start(world: World, near: bool) -> None:
    process = world.add_process(near=near)
    world.note(f"{process.host.name} starts")


def _caught_up(world: World, replica: Following) -> None:
    world.lag = 0.01
    replica.ship()


def _promote(world: World, successor: Server) -> None:
    """Make a server the primary: what it has of the log is visible from now on."""
    if world.standby is not None:
        world.standby.end()
    successor.timeline += 1
    world.primary = successor
    for record in successor.log:
        if not record.shown:
            world._showing(successor, record)
            record.shown = True
    if world.standby is not None:
        world.add_standby()
    for process in world.processes:
        seconds = world.rng.uniform(0, 1.5) * world.lease
        later(world, seconds, partial(world.routes.__setitem__, process.host.name, successor))
    if world.replica is not None and world.rng.random() < 0.5:
        later(world, world.rng.uniform(0, 1) * world.lease, world.add_replica)
    world.note(f"{successor.name} is the primary now")


def _state_at(server: Server, length: int) -> Server:
    """Return a server as it was after so many commits; its rows before the first one are those of today."""
    then = Server("backup", server.rng, lambda *_: None, server.first)
    for record in server.log[:length]:
        then.put(record.writes)
    then.log = server.log[:length]
    return then


def _restored(world: World, server: Server, backup: Server, lost: dict[str, Rows]) -> None:
    """Make good what was lost, as authority/timeline.py does, in the moment in which it opens."""
    (last,) = lost[feed.counter.name].values()
    kept, before = backup.rows.get("revocation", {}), lost.get("revocation", {})
    gone = [row for seq, row in sorted(before.items()) if seq not in kept]
    writes: Writes = {("revocation", row.seq): row for row in gone}
    number = last.n + LEAP
    for row in gone:
        number += 1
        writes["revocation", number] = Row(**{**vars(row), "seq": number, "reason": "replayed"})
    for table in ("key", "account", "role"):
        writes |= {(table, key): row for key, row in lost[table].items()}
    writes["revocation_counter", 1] = Row(id=1, n=number, epoch=last.epoch + 1)
    silent = f"restored-{last.epoch + 1}"  # for the nodes that the backup does not know: the barrier waits for them
    writes["node", silent] = node_row(silent, LONGEST_LEASE)
    server.rows, server.log = backup.rows, backup.log
    server.timeline += 1
    record = Record(writes)
    server.log.append(record)
    server.start()
    world.note(f"the primary is restored: epoch {last.epoch + 1}, number {number}")
