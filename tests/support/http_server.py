"""A small HTTP server on loopback that says what it is told to and remembers what it was asked.

It stands for the transport only: redirects, refusals, slow and broken connections. What the product answers
is proven against the product.
"""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

_CHUNK = 16 * 1024


@dataclass(frozen=True)
class Asked:
    """One request as it came in."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


@dataclass(frozen=True)
class Reply:
    """One answer. `cut` closes the connection instead of answering."""

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    cut: bool = False


Answerer = Callable[[Asked], Reply]


@dataclass
class Script:
    """What the server says, by `METHOD path` without the query; of a list, one by one, the last for ever."""

    origin: str = ""
    replies: dict[str, Reply | list[Reply] | Answerer] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    started: threading.Event = field(default_factory=threading.Event)
    reading: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.reading.set()

    def on(self, line: str, *replies: Reply | Answerer) -> None:
        """Say this when asked so."""
        self.replies[line] = list(replies) if len(replies) > 1 else replies[0]  # type: ignore[arg-type]

    def paths(self, method: str) -> list[str]:
        """The paths that were asked for with this method, in order."""
        return [each.path for each in self.asked if each.method == method]

    def reply(self, asked: Asked) -> Reply:
        """Choose the answer."""
        chosen = self.replies.get(f"{asked.method} {asked.path.partition('?')[0]}")
        if isinstance(chosen, list):
            return chosen.pop(0) if len(chosen) > 1 else chosen[0]
        if isinstance(chosen, Reply):
            return chosen
        problem = {"code": "not_found", "detail": f"nothing is said for {asked.method} {asked.path}"}
        return chosen(asked) if chosen is not None else Reply(404, problem)


def _handler(script: Script) -> type[BaseHTTPRequestHandler]:
    class Answering(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            return

        def _read(self) -> bytes:
            left, parts = int(self.headers.get("Content-Length") or 0), []
            while left:
                script.started.set()
                script.reading.wait(timeout=30)
                chunk = self.rfile.read(min(left, _CHUNK))
                if not chunk:
                    raise ConnectionAbortedError
                parts.append(chunk)
                left -= len(chunk)
            return b"".join(parts)

        def _answer(self) -> None:
            try:
                body = self._read()
            except OSError:
                self.close_connection = True
                return
            headers = {name.lower(): value for name, value in self.headers.items()}
            asked = Asked(self.command, self.path, headers, body)
            script.asked.append(asked)
            reply = script.reply(asked)
            if reply.cut:
                self.close_connection = True
                return
            content = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
            self.send_response(reply.status)
            for name, value in {"Content-Length": str(len(content)), **reply.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_DELETE = do_PATCH = _answer  # noqa: N815 - the names the library looks for

    return Answering


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: a client that goes away in the middle is part of the tests."""


@contextmanager
def scripted_server() -> Iterator[Script]:
    """Serve until the block ends."""
    script = Script()
    server = _Server(("127.0.0.1", 0), _handler(script))
    script.origin = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield script
    finally:
        script.reading.set()
        server.shutdown()
        server.server_close()
        thread.join(timeout=5)
