"""Which requests a load sends, in which order: the bytes of each, one credential after the other.

Promise: every credential is used as often as every other one, give or take one, whichever generator sends them.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path

BETWEEN = b"\0"
"""Stands between two requests in the file that a generator reads; no request of ours has it inside."""


def request(
    path: str, credential: str = "", *, scheme: str = "Bearer", header: str = "Authorization", method: str = "GET"
) -> bytes:
    """Return a request without a body, with a credential in a header or without one."""
    shown = f"{header}: {f'{scheme} {credential}'.strip()}" if credential else ""
    return _head(f"{method} {path} HTTP/1.1", "Host: localhost", "User-Agent: lumio-bench", shown)


def post(path: str, credential: str, body: bytes) -> bytes:
    """Return a POST of JSON."""
    size = (f"Content-Length: {len(body)}", "Content-Type: application/json")
    return _head(f"POST {path} HTTP/1.1", "Host: localhost", f"Authorization: Bearer {credential}", *size) + body


def _head(*lines: str) -> bytes:
    return "\r\n".join([*filter(None, lines), "", ""]).encode("ascii")


def keep(file: Path, requests: Iterable[bytes]) -> Path:
    """Write requests where a generator reads them; return the file."""
    file.write_bytes(BETWEEN.join(requests))
    return file


def read(file: Path) -> Sequence[bytes]:
    """Return the requests of a file."""
    return file.read_bytes().split(BETWEEN)


class Turns:
    """Requests in turn, over and over, whoever asks for the next one."""

    def __init__(self, requests: Sequence[bytes]) -> None:
        """Begin with the first one."""
        self._requests = requests
        self._given = 0

    def __call__(self) -> bytes:
        """Return the next request."""
        chosen = self._requests[self._given % len(self._requests)]
        self._given += 1
        return chosen
