"""The yardsticks: the product's web server with nothing behind it, and with its framework and nothing behind that.

Promise: a yardstick decides nothing and writes nothing; it sends a constant answer of the size of ours.
"""

import ast
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from litestar import Litestar, Response, get

from bench.driving import measure
from bench.rounds import Turn
from bench.servers import Served, environment, free_port, running
from lumio import server as product

PERMISSIONS = ["extensions:read"] * 20
SOMEBODY = "01890000-0000-7000-8000-000000000000"
VERIFIED = {"kind": "api_key", "subject": SOMEBODY, "account": SOMEBODY, "permissions": PERMISSIONS}
BODY = {"data": {"kind": "api_key", "label": "bench", "permissions": PERMISSIONS}, "_links": {}}
RAW = json.dumps(VERIFIED).encode()
START = {
    "type": "http.response.start",
    "status": 200,
    "headers": [(b"content-type", b"application/json"), (b"content-length", str(len(RAW)).encode())],
}
REST = {"type": "http.response.body", "body": RAW}


@get("/v1/users/me")
async def me() -> Response[Any]:
    """Answer at once."""
    return Response(BODY)


def framework() -> Litestar:
    """Return the framework with one route."""
    return Litestar([me], openapi_config=None, logging_config=None)


async def asgi(scope: Any, receive: Any, send: Any) -> None:
    """Answer everything with the same bytes."""
    if scope["type"] == "lifespan":
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})
        return
    await send(START)
    await send(REST)


class Rsgi:
    """The same over the web server's own interface."""

    async def __rsgi__(self, _scope: Any, protocol: Any) -> None:
        """Answer everything with the same bytes."""
        headers = [("content-type", "application/json"), ("content-length", str(len(RAW)))]
        protocol.response_bytes(200, headers, RAW)


rsgi = Rsgi()


MIRRORED = {"interface", "workers", "websockets", "address", "port", "factory"}
HARMLESS = {"respawn_failed_workers", "log_enabled", "workers_kill_timeout"}
"""Options of the product's web server that cost a request nothing."""


def options(folder: Path = Path(product.__path__[0])) -> dict[str, str]:
    """Return the options that the product gives its web server, as they are written in its source."""
    trees = [ast.parse(path.read_text("utf-8")) for path in sorted(folder.glob("*.py"))]
    calls = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Call)]
    found = [call for call in calls if ast.unparse(call.func).rpartition(".")[2] == "Granian"]
    assert found, "the product starts its web server in a way that the bench does not know"
    return {keyword.arg or "**": ast.unparse(keyword.value) for call in found for keyword in call.keywords}


def interface(given: dict[str, str] | None = None) -> str:
    """Return the interface over which the product is served, `asgi` or `rsgi`: its yardstick uses the same one.

    Raises:
        AssertionError: the product tunes its server by an option that the yardstick does not have.
    """
    given = options() if given is None else given
    unknown = set(given) - MIRRORED - HARMLESS
    assert not unknown, f"the product's server has {sorted(unknown)}: give it to the yardstick too (bench/bare.py)"
    return given["interface"].rpartition(".")[2].lower()


def turn(served: Served, requests: Path, connections: int) -> Turn:
    """Return the turn of a yardstick."""
    return partial(measure, served.port, requests, connections, {"server": served.root})


@contextmanager
def bare(folder: Path, what: str, workers: int = 1) -> Iterator[Served]:
    """Serve a yardstick: `asgi`, `rsgi` or `framework`."""
    port = free_port()
    kind = ["--interface", "asgi", "--factory"] if what == "framework" else ["--interface", what]
    where = [
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
        "--workers",
        str(workers),
        "--no-ws",
        "--log-level",
        "critical",
    ]
    command = [sys.executable, "-m", "granian", *kind, *where, f"bench.bare:{what}"]
    with running(command, port, folder / f"bare-{what}-{workers}.log", environment(folder, {})) as served:
        yield served
