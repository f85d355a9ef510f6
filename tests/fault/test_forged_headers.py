"""Threat 36: whatever headers say, the log has the real peer; what two readers could read differently is refused.

Raw bytes to a real server: no client library would send most of this.
"""

import socket
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.serving import LiveServer, live_server

pytestmark = pytest.mark.xdist_group("forged-headers")  # one server for the module

ASK = b"GET /v1/users/me HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer garbage\r\n"
POST = b"POST /v1/auth/login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
SECOND = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"

FORGED = {
    "one": b"X-Forwarded-For: 6.6.6.6\r\n",
    "twice": b"X-Forwarded-For: 6.6.6.6\r\nX-FORWARDED-FOR: 7.7.7.7\r\n",
    "a chain": b"X-Forwarded-For: 6.6.6.6, 127.0.0.1, 127.0.0.1\r\n",
    "its cousins": b"Forwarded: for=8.8.8.8\r\nX-Real-IP: 9.9.9.9\r\nTrue-Client-IP: 9.9.9.9\r\n",
}
REFUSED = {
    "a folded header": ASK + b"X-Forwarded-For:\r\n 6.6.6.6\r\n\r\n",
    "a space before the colon": ASK + b"X-Forwarded-For : 6.6.6.6\r\n\r\n",
    "a bare CR": ASK + b"User-Agent: a\rX-Forwarded-For: 6.6.6.6\r\n\r\n",
    "NUL": ASK + b"User-Agent: a\0b\r\n\r\n",
    "two lengths": POST + b"Content-Length: 6\r\nContent-Length: 7\r\n\r\n{}    " + SECOND,
    "a list of lengths": POST + b"Content-Length: 2, 2\r\n\r\n{}" + SECOND,
    "a signed length": POST + b"Content-Length: +2\r\n\r\n{}" + SECOND,
    "length and chunks": POST + b"Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + SECOND,
    "chunks and length": POST + b"Transfer-Encoding:\tchunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n" + SECOND,
    "another coding": POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" + SECOND,
    "chunks not last": POST + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n" + SECOND,
    "two codings": POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n" + SECOND,
    "a hidden coding": POST + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n" + SECOND,
    "chunks of 1.0": b"POST /v1/auth/login HTTP/1.0\r\nTransfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n{}",
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    with live_server({"LUMIO_DATA_DIR": str(tmp_path_factory.mktemp("forged"))}) as running:
        yield running


def said(server: LiveServer, request: bytes, *, whole: bool) -> bytes:
    """Send bytes and return what came back: the first piece, or all until the server closes."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as wire:
        wire.sendall(request)
        found = wire.recv(65536)
        while whole and (piece := wire.recv(65536)):
            found += piece
    return found


def authentications(server: LiveServer) -> list[tuple[object, ...]]:
    path = Path(server.settings["LUMIO_DATA_DIR"]) / "lumio.db"
    with closing(sqlite3.connect(path)) as connection:
        query = "SELECT ip, ip_source, sum(count) FROM audit_event WHERE event = 'auth.failed' GROUP BY ip, ip_source"
        return connection.execute(query).fetchall()


def test_a_forged_address_never_stands_in_the_log(server: LiveServer) -> None:
    for forged in FORGED.values():
        assert said(server, ASK + forged + b"\r\n", whole=False).startswith(b"HTTP/1.1 401 ")
    assert authentications(server) == [("127.0.0.1", "peer", len(FORGED))]


@pytest.mark.parametrize("name", REFUSED)
def test_what_can_be_read_in_two_ways_is_refused_and_the_connection_closed(server: LiveServer, name: str) -> None:
    before = authentications(server)
    answer = said(server, REFUSED[name], whole=True)
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"connection: close" in answer.lower()
    assert answer.count(b"HTTP/1.1 ") == 1, "a second request was answered"
    assert authentications(server) == before
