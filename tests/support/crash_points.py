"""Runs one request again and again, each time in a fork that kills itself at its next step in the database.

Reads a JSON object from stdin: `settings` (the variables of the house), `session`, `key`, `extension_id`.
Prints how many steps each request has. A step is every statement, and the moments before and after a commit.
Each request is first made once to its end: what a process does at its first request is not done anew in every fork.
"""

import asyncio
import json
import os
import signal
import sys
from itertools import count
from typing import Any

import httpx2
from sqlalchemy.ext.asyncio import AsyncConnection

from lumio.app import House, build
from lumio.extensions.bundles import BundleStore
from lumio.settings import load
from lumio.storage.rates import RateWindows
from tests.support.developers import bundle, manifest
from tests.support.world import CHEAP, World

STEPS_MAX = 200
TO_ITS_END = 0
CREATED = 201


def _told(answer: httpx2.Response) -> int:
    """Return the status; what is no creation is told on stderr, since the test shows that."""
    if answer.status_code != CREATED:
        sys.stderr.write(f"{answer.status_code} {answer.text}\n")
    return answer.status_code


async def deploy(world: World, given: dict[str, Any], step: int) -> int:
    """Deploy a version with content of its own."""
    files = {
        "manifest": ("m.json", manifest(f"1.{step}.0"), "application/json"),
        "bundle": ("b.tgz", bundle({"index.html": b"%d" % step}), "application/gzip"),
    }
    client = world.bearer(given["key"])
    client.headers["Idempotency-Key"] = f"deploy-{step}"
    answer = await client.post(f"/developer/v1/extensions/{given['extension_id']}/versions", files=files)
    return _told(answer)


async def mint(world: World, given: dict[str, Any], step: int) -> int:
    """Make a key."""
    answer = await world.bearer(given["session"]).post("/v1/api-keys", json={"label": f"key-{step}"})
    return _told(answer)


def _armed(step: int) -> None:
    """Let this process die at the given step from now on."""
    steps = count(1)

    def come() -> None:
        if next(steps) == step:
            os.kill(os.getpid(), signal.SIGKILL)

    execute, commit, keep = AsyncConnection.execute, AsyncConnection.commit, BundleStore._keep

    async def execute_or_die(self: AsyncConnection, *args: Any) -> Any:
        come()
        return await execute(self, *args)

    async def commit_or_die(self: AsyncConnection) -> None:
        come()
        await commit(self)
        come()

    def keep_or_die(self: BundleStore, received: Any) -> None:
        come()
        keep(self, received)
        come()

    AsyncConnection.execute = execute_or_die  # type: ignore[method-assign,assignment]
    AsyncConnection.commit = commit_or_die  # type: ignore[method-assign]
    BundleStore._keep = keep_or_die  # type: ignore[method-assign]


async def _run(built: House, given: dict[str, Any], request: Any, step: int) -> int:
    async with built.open() as house:
        world = World(house)
        # A death takes its lease of every limit along, a twentieth each: the next process begins afresh.
        await RateWindows(world.house.database).forget(2**40)
        if step != TO_ITS_END:
            _armed(step)
        return 0 if await request(world, given, step) == CREATED else 1


def _steps(built: House, given: dict[str, Any], request: Any) -> int:
    """Return at which step nothing was left to die at."""
    if asyncio.run(_run(built, given, request, TO_ITS_END)):
        raise SystemExit(f"{request.__name__} failed before anybody killed it")
    for step in range(1, STEPS_MAX):
        child = os.fork()
        if child == 0:
            os._exit(asyncio.run(_run(built, given, request, step)))
        status = os.waitpid(child, 0)[1]
        if os.WIFEXITED(status):
            if os.WEXITSTATUS(status):
                raise SystemExit(f"{request.__name__} failed at step {step}")
            return step
    raise SystemExit(f"{request.__name__} never ended")


if __name__ == "__main__":
    given = json.load(sys.stdin)
    built = build(load(given["settings"]), password_cost=CHEAP)  # once: nothing of it is open before the forks
    json.dump({request.__name__: _steps(built, given, request) for request in (deploy, mint)}, sys.stdout)
