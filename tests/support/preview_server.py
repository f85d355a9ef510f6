"""Serves the sample pages with the real content security policy, and answers their scripts from memory.

It proves what a browser does with the pages; what the product answers is proven elsewhere.
"""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from http.cookies import SimpleCookie
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.support import preview, preview_samples

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)
KINDS = {"js": "text/javascript", "css": "text/css", "svg": "image/svg+xml"}
PASSWORD = preview_samples.code("pwr")


Body = dict[str, Any]


@dataclass
class Memory:
    """What the scripts asked for, and what they are to be told."""

    asked: list[tuple[str, str, dict[str, str], Body]] = field(default_factory=list)
    refuse: dict[tuple[str, str], tuple[int, dict[str, Any]]] = field(default_factory=dict)
    proven: bool = False
    reach: list[Callable[[], tuple[int, dict[str, Any]]]] = field(default_factory=list)
    """What tells of a revocation, one after the other, the last for ever; empty: it is everywhere at once."""

    def answer(self, method: str, path: str, body: Body) -> tuple[int, dict[str, Any]]:
        """Answer one request of a script."""
        if (method, path) in self.refuse:
            status, problem = self.refuse[method, path]
            return status, {"title": "Refused", "request_id": preview_samples.REQUEST, **problem}
        if path == "/api/auth/step-up":
            return self._step_up(body)
        if method == "POST" and path.startswith("/api/api-keys") and not self.proven:
            return 403, {"code": "step_up_required", "detail": "Prove it.", "status": 403}
        return self._act(method, path, body)

    def _step_up(self, body: Body) -> tuple[int, dict[str, Any]]:
        if body["password"] != PASSWORD:
            return 401, {"code": "unauthorized", "detail": "The password does not match.", "status": 401}
        self.proven = True
        return 200, {"data": {"auth_time": "2026-11-21T14:00:00Z"}}

    def _act(self, method: str, path: str, body: Body) -> tuple[int, dict[str, Any]]:
        parts = path.strip("/").split("/")
        if path == "/api/api-keys":
            made = preview_samples.minted(body["label"], body.get("expires_at"))
            return 201, {"data": made}
        if path.endswith("/rotate"):
            return 201, {"data": {**preview_samples.minted("ci-github-actions"), "predecessor_id": parts[2]}}
        if method == "DELETE":
            gone = {"id": parts[2], "revoked_at": "2026-11-21T14:00:00Z", "api_keys": 1, "popout_tokens": 0}
            return 200, {"data": {**gone, "seq": preview_samples.SEQ, "effective": not self.reach}}
        if path == f"/api/revocations/{preview_samples.SEQ}":
            return (self.reach.pop(0) if len(self.reach) > 1 else self.reach[0])()
        if path.endswith("/departure"):
            return 200, {"data": preview_samples.departure()}
        if method == "GET":
            return 200, {"data": {"id": parts[2], "last_used_at": None, "last_used_ip": None}}
        if path == "/api/extensions":
            return 201, {"id": "ext_confetti", "name": body["name"]}
        published = {"status": "published", "publishedAt": "2026-11-21T14:00:00Z"}
        confirmed = {"data": {"id": parts[-2], "role": "admin", "withheld": None}}
        return 200, confirmed if path.endswith("/confirm") else {"id": parts[-2], **published}


class PreviewServer(ThreadingHTTPServer):
    """The pages by address, and the memory of the scripts' requests."""

    daemon_threads = True

    def __init__(self) -> None:
        """Listen on a free port of loopback."""
        super().__init__(("127.0.0.1", 0), _Answerer)
        self.by_address = {page.address: page for page in preview.pages()}
        self.memory = Memory()

    @property
    def origin(self) -> str:
        """Return the address to open."""
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Answerer(BaseHTTPRequestHandler):
    server: PreviewServer
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        """Say nothing: the tests look at the memory."""

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if path.startswith("/static/preview/"):
            self._static(path.rpartition("/")[2])
        elif path in self.server.by_address:
            cookie = SimpleCookie(self.headers.get("Cookie", "")).get("theme")
            self._send(
                200,
                "text/html",
                self.server.by_address[path].html(cookie.value if cookie else "auto").encode(),
            )
        else:
            self._api()

    def do_POST(self) -> None:
        self._api()

    def do_DELETE(self) -> None:
        self._api()

    def _static(self, name: str) -> None:
        path = preview.STATIC / name
        if path.is_file():
            self._send(200, KINDS[path.suffix[1:]], path.read_bytes())
        else:
            self._send(404, "text/plain", b"")

    def _api(self) -> None:
        length = int(self.headers.get("Content-Length", "0"))
        sent = self.rfile.read(length)
        is_json = self.headers.get("Content-Type") == "application/json"
        body = json.loads(sent) if is_json else {"form": sent.decode()}
        self.server.memory.asked.append((self.command, self.path, dict(self.headers), body))
        if not self.path.startswith("/api/"):
            self._send(404, "text/plain", b"")
            return
        status, answer = self.server.memory.answer(self.command, self.path, body)
        self._send(status, "application/json", json.dumps(answer).encode())

    def _send(self, status: int, kind: str, content: bytes) -> None:
        self.send_response(HTTPStatus(status))
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Content-Security-Policy", POLICY)
        self.send_header("Cache-Control", "no-store" if kind in {"text/html", "application/json"} else "max-age=600")
        self.end_headers()
        self.wfile.write(content)


@contextmanager
def preview_server() -> Iterator[PreviewServer]:
    """Serve until the block ends."""
    with PreviewServer() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
