"""A home for the command line, a scripted server, and what a signed-in key looks like."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest

from lumio.crypto import opaque
from lumio.kernel import clock
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


@contextmanager
def _scripted() -> Iterator[Script]:
    """Serve what a sign-in asks for."""
    with scripted_server() as script:
        script.on("GET /v1/users/me", Reply(200, {"data": ME}))
        script.on(
            f"GET /v1/api-keys/{KEY_ID}",
            Reply(200, {"data": {"id": KEY_ID, "label": ME["label"], "age_days": 3}}),
        )
        yield script


@pytest.fixture
def server() -> Iterator[Script]:
    with _scripted() as script:
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


@dataclass(frozen=True)
class SignedIn:
    """The home that a real sign-in left, with the key and the server that stand in its files."""

    home: Path
    key: str
    origin: str

    def copy(self, home: Path, key: str, origin: str) -> None:
        """Lay the files into another home, as the same sign-in with another key on another server writes them."""
        shutil.copytree(self.home, home, dirs_exist_ok=True)
        for path in filter(Path.is_file, home.rglob("*")):
            text = path.read_text().replace(self.key, key).replace(_lookup_id(self.key), _lookup_id(key))
            path.write_text(text.replace(self.origin, origin))


def _lookup_id(key: str) -> str:
    return key[opaque.PREFIX_LENGTH :][: opaque.LOOKUP_LENGTH]


def _sign_in(home: Path) -> SignedIn:
    """Sign in with a home that has nothing in it."""
    key = new_key()
    with _scripted() as script:
        done: Ran = Lumio(home, home.parent, {"LUMIO_SERVER": script.origin})("login", "--with-token", stdin=key)
    assert done.code == 0, done.stderr
    return SignedIn(home, key, script.origin)


@pytest.fixture(scope="session")
def _signed_in_on() -> dict[date, SignedIn]:
    """The sign-in of each day: a home tells the day on which the command line last asked for a key's age."""
    return {}


@pytest.fixture
def signed_in(
    lumio: Lumio,
    server: Script,
    key: str,
    tmp_path_factory: pytest.TempPathFactory,
    _signed_in_on: dict[date, SignedIn],
) -> Lumio:
    """The command line after a sign-in on the scripted server; the sign-in itself ran once for many tests."""
    lumio.variables["LUMIO_SERVER"] = server.origin
    today = clock.now().date()
    if today not in _signed_in_on:
        _signed_in_on[today] = _sign_in(tmp_path_factory.mktemp("signed-in"))
    _signed_in_on[today].copy(lumio.home, key, server.origin)
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
