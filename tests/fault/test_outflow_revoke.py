"""A long answer whose credential ends on the way breaks off: an error for the client, not a short success."""

import secrets
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.developers import PAGE, bundle, manifest
from tests.support.postgres import PostgresServer
from tests.support.serving import LiveServer, live_server
from tests.support.world import OPERATOR, PASSWORD

NOISE = 24_000_000
"""Bytes: more than the buffers of both ends of a connection hold."""


@pytest.fixture(params=["sqlite", "postgresql"])
def server(request: pytest.FixtureRequest, tmp_path: Path, postgres_server: PostgresServer) -> Iterator[LiveServer]:
    url = {"LUMIO_DATABASE_URL": postgres_server.create("outflow")} if request.param == "postgresql" else {}
    with live_server({"LUMIO_DATA_DIR": str(tmp_path), **url}) as running:
        yield running
    if url:
        postgres_server.drop("outflow")


def set_up(server: LiveServer) -> tuple[str, str, str]:
    """Return an operator's access token, a key's id and its text."""
    form = {"email": OPERATOR, "password": PASSWORD, "display_name": "Robin Vale", "account_name": "Acme"}
    with server.client() as client:
        client.post("/v1/setup", json={"code": server.set_up_code, **form}).raise_for_status()
        signed_in = client.post("/v1/auth/login", json={"email": OPERATOR, "password": PASSWORD}).json()["data"]
    with server.client(signed_in["access_token"]) as robin:
        made = robin.post("/v1/api-keys", json={"label": "ci"}).json()["data"]
    return signed_in["access_token"], made["id"], made["key"]


def deploy(server: LiveServer, key: str) -> str:
    """Upload a large bundle; return its address."""
    with server.client(key) as ci:
        extension = ci.post("/developer/v1/extensions", json={"name": "Clock"}).json()["id"]
        packed = bundle({"index.html": PAGE, "noise.bin": secrets.token_bytes(NOISE)})
        parts = {
            "manifest": ("manifest", manifest(), "application/json"),
            "bundle": ("bundle", packed, "application/gzip"),
        }
        version = ci.post(f"/developer/v1/extensions/{extension}/versions", files=parts)
        assert version.status_code == 201, version.text
        name = version.json()["artifacts"][0]["name"]
        return f"/developer/v1/extensions/{extension}/versions/{version.json()['id']}/artifacts/{name}"


def test_a_download_whose_key_is_revoked_breaks_off(server: LiveServer) -> None:
    robin, key_id, key = set_up(server)
    address = deploy(server, key)
    with socket.create_connection(("127.0.0.1", server.port), 10) as connection:
        head = f"GET {address} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {key}\r\n\r\n"
        connection.sendall(head.encode())
        arrived = bytearray(connection.recv(65536))
        assert arrived.startswith(b"HTTP/1.1 200"), bytes(arrived[:300])
        with server.client(robin) as client:
            assert client.delete(f"/v1/api-keys/{key_id}").status_code == 200
        try:
            while part := connection.recv(1 << 20):
                arrived += part
        except ConnectionResetError:
            pass
    assert len(arrived) < NOISE
    assert not arrived.endswith(b"0\r\n\r\n")  # the mark of a whole answer
