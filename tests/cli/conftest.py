"""A home for the command line, a scripted server, and what a signed-in key looks like."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.http_server import Reply, Script, scripted_server
from tests.support.projects import MADE, PATH, write_project
from tests.support.terminal import Lumio, Ran, new_key

KEY_ID = "0193a1b2-0000-7000-8000-00000000000a"
ME = {
    "kind": "api_key",
    "label": "ci-github-actions",
    "user": {"id": "0193a1b2-0000-7000-8000-000000000001", "email": "ada@example.com", "display_name": "Ada"},
    "account": {"id": "0193a1b2-0000-7000-8000-000000000002", "slug": "acme", "name": "Acme"},
    "role": "owner",
    "permissions": ["extensions:deploy", "extensions:read"],
    "credential_id": KEY_ID,
}
EVENT = {
    "timestamp": "2026-11-21T10:00:00Z",
    "event": "extension.deployed",
    "actor": "ci-github-actions",
    "ip": "192.0.2.7",
    "result": "success",
}
REFUSED = {
    "type": "about:blank",
    "title": "Unauthorized",
    "status": 401,
    "detail": "The credential was not accepted.",
    "code": "unauthorized",
    "request_id": "req-401",
}


@pytest.fixture
def server() -> Iterator[Script]:
    with scripted_server() as script:
        script.on("GET /v1/users/me", Reply(200, {"data": ME}))
        script.on(
            f"GET /v1/api-keys/{KEY_ID}",
            Reply(200, {"data": {"id": KEY_ID, "label": ME["label"], "age_days": 3}}),
        )
        yield script


@pytest.fixture
def other_server() -> Iterator[Script]:
    with scripted_server() as script:
        yield script


@pytest.fixture
def lumio(tmp_path: Path) -> Lumio:
    home, folder = tmp_path / "home", tmp_path / "project"
    home.mkdir()
    folder.mkdir()
    return Lumio(home, folder)


@pytest.fixture
def key() -> str:
    return new_key()


@pytest.fixture
def signed_in(lumio: Lumio, server: Script, key: str) -> Lumio:
    """The command line after a sign-in on the scripted server."""
    lumio.variables["LUMIO_SERVER"] = server.origin
    done: Ran = lumio("login", "--with-token", stdin=key)
    assert done.code == 0, done.stderr
    server.asked.clear()
    return lumio


@pytest.fixture
def project(signed_in: Lumio, server: Script) -> Lumio:
    """A built extension in the working folder, and a server that takes it."""
    write_project(signed_in, server=server.origin)
    built = signed_in.folder / ".lumio-dist"
    built.mkdir()
    (built / "index.html").write_text("<h1>Clock</h1>")
    (signed_in.folder / "main.ts").write_text("export {}")
    server.on(f"POST {PATH}", Reply(201, MADE))
    return signed_in
