"""nginx for the tests: the installed one, in the foreground, with a folder of its own on loopback.

Promise: the block gets an nginx that listens, and nothing of it runs after the block, whatever happened.
"""

import json
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

START_SECONDS = 15
STOP_SECONDS = 10
WHERE = "/usr/sbin:/usr/local/sbin:/usr/local/bin:/usr/bin"

_SHELL = """
daemon off;
master_process off;
pid nginx.pid;
error_log error.log error;
events {{ worker_connections 64; }}
http {{
    client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;
    log_format plain '$remote_addr "$request_method $uri" $status';
    access_log access.log plain;
{inner}
}}
"""


def nginx_path() -> str | None:
    """Give the path of the installed nginx, or None."""
    return shutil.which("nginx") or shutil.which("nginx", path=WHERE)


@contextmanager
def nginx(folder: Path, inner: str, ports: list[int]) -> Iterator[None]:
    """Run nginx until the block ends.

    Args:
        folder: an empty folder of the test's own; `access.log` and `error.log` appear there.
        inner: what stands in `http { … }`.
        ports: those that it shall listen on.

    Raises:
        RuntimeError: it did not listen in time; the error has its own words.
    """
    path = nginx_path()
    assert path is not None
    (folder / "nginx.conf").write_text(_SHELL.format(inner=inner))
    process = subprocess.Popen(
        [path, "-p", f"{folder}/", "-c", "nginx.conf", "-e", "error.log"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        if not all(_listens(process, port) for port in ports):
            process.kill()
            message = f"nginx does not listen; it said:\n{process.communicate()[0]}"
            raise RuntimeError(message)
        yield
    finally:
        process.terminate()
        try:
            process.communicate(timeout=STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()


def _listens(process: subprocess.Popen[str], port: int) -> bool:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
        time.sleep(0.02)
    return False


class _Mirror(BaseHTTPRequestHandler):
    """Answers with what it was sent: method, path, and every header by its lower-case name."""

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        headers: dict[str, list[str]] = {}
        for name, value in self.headers.items():
            headers.setdefault(name.lower(), []).append(value)
        body = json.dumps({"method": self.command, "path": self.path, "headers": headers}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", "0")))
        self.do_GET()


@contextmanager
def mirror() -> Iterator[int]:
    """Run an application that shows what reaches it; yields its port."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Mirror) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield int(server.server_address[1])
        finally:
            server.shutdown()
            thread.join()
