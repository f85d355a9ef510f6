"""A key that ends while its request is still arriving: 401 at once, and nothing of the request stays (threat 3)."""

import asyncio
import secrets
import socket
import threading
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from lumio.crypto import opaque
from lumio.kernel.errors import Unavailable
from lumio.surface.http import body_watch
from lumio.surface.http.body_watch import BodyWatch
from tests.support.developers import EXTENSIONS, PAGE, bundle, make_extension, manifest, stored
from tests.support.serving import LiveServer, live_server
from tests.support.system_keys import KEYS, LABEL, carrying, journal, mint
from tests.support.world import OPERATOR, PASSWORD, World

BOUNDARY = "b0undary"
MULTIPART = f"multipart/form-data; boundary={BOUNDARY}"
SECONDS = 20
REVOKED_AT = 5


def upload() -> bytes:
    """Return the body of a sound upload."""
    packed = bundle({"index.html": PAGE, "noise.bin": secrets.token_bytes(400_000)})
    parts = [("manifest", "application/json", manifest()), ("bundle", "application/gzip", packed)]
    body = b"".join(
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"; filename="{name}"\r\n'
        f"Content-Type: {kind}\r\n\r\n".encode()
        + content
        + b"\r\n"
        for name, kind, content in parts
    )
    return body + f"--{BOUNDARY}--\r\n".encode()


async def slowly(body: bytes, pieces: int, pause: float) -> AsyncIterator[bytes]:
    """Yield a body in so many pieces with a pause after each."""
    size = -(-len(body) // pieces)
    for at in range(0, len(body), size):
        yield body[at : at + size]
        await asyncio.sleep(pause)


async def test_an_upload_that_takes_long_is_stored_when_its_key_lives(world: World) -> None:
    robin = await world.sign_in()
    bot = carrying(world, (await mint(robin, profile="deployer"))["key"], await world.account_id(robin))
    path = f"{EXTENSIONS}/{await make_extension(bot)}/versions"
    other = await mint(robin, "other")
    sending = asyncio.create_task(
        bot.post(path, content=slowly(upload(), 8, 0.2), headers={"Content-Type": MULTIPART})
    )
    await asyncio.sleep(0.3)
    await robin.delete(f"{KEYS}/{other['id']}")  # the feed moves, so every look judges anew
    assert (await sending).status_code == 201


async def test_an_upload_whose_key_ends_on_the_way_is_refused_before_its_end_and_leaves_nothing(
    world: World,
) -> None:
    robin = await world.sign_in()
    made = await mint(robin, profile="deployer")
    bot = carrying(world, made["key"], await world.account_id(robin))
    path = f"{EXTENSIONS}/{await make_extension(bot)}/versions"
    before = stored(world)
    whole = upload()
    sent: list[int] = []

    async def body() -> AsyncIterator[bytes]:
        async for piece in slowly(whole, 40, 0.25):
            sent.append(len(piece))
            yield piece

    sending = asyncio.create_task(bot.post(path, content=body(), headers={"Content-Type": MULTIPART}))
    await asyncio.sleep(0.8)
    assert (await robin.delete(f"{KEYS}/{made['id']}")).status_code == 200
    answer = await sending
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == 'Bearer error="invalid_token"'
    assert sum(sent) < len(whole)
    assert stored(world) == before
    assert (await robin.get(path)).json() == {"versions": []}
    refusals = await journal(world, event="auth.failed", credential_id=made["id"])
    assert [row.actor_label for row in refusals] == [LABEL]
    assert "revoked_in_flight" in refusals[0].detail
    assert await journal(world, event="extension.deployed") == []


async def test_a_question_that_arrives_slowly_is_refused_the_same_way(world: World) -> None:
    robin = await world.sign_in()
    made = await mint(robin)
    query = b'{"query": "{ me { label } }"' + b" " * 200 + b"}"
    asking = asyncio.create_task(
        carrying(world, made["key"]).post(
            "/v1/gql", content=slowly(query, 20, 0.25), headers={"Content-Type": "application/json"}
        )
    )
    await asyncio.sleep(0.5)
    await robin.delete(f"{KEYS}/{made['id']}")
    assert (await asking).status_code == 401


async def _pieces(count: int, pause: float) -> AsyncIterator[dict[str, object]]:
    for number in range(count):
        await asyncio.sleep(pause)
        yield {"type": "http.request", "body": b"x", "more_body": number < count - 1}


async def test_the_credential_is_asked_about_twice_a_second_and_no_more_often() -> None:
    asked: list[float] = []

    async def check() -> None:
        asked.append(time.monotonic())

    body = BodyWatch(_pieces(60, 0.02).__anext__, check)
    while not body.arrived:
        await body()
    assert 1 <= len(asked) <= 4
    quick = BodyWatch(_pieces(1, 0).__anext__, check)
    asked.clear()
    await quick()
    assert asked == []


async def test_an_authority_that_is_away_for_a_moment_breaks_no_upload_off() -> None:
    async def check() -> None:
        raise Unavailable("away")

    body = BodyWatch(_pieces(30, 0.05).__anext__, check)
    read = 0
    while not body.arrived:
        read += len((await body())["body"])
    assert read == 30


async def test_a_reader_that_was_interrupted_loses_no_piece() -> None:
    async def check() -> None:
        """Find nothing."""

    body = BodyWatch(_pieces(3, 0.2).__anext__, check)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(body(), 0.05)
    read = b""
    while not body.arrived:
        read += (await body())["body"]
    assert read == b"xxx"


async def test_what_still_comes_is_taken_for_two_seconds_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(body_watch, "DRAIN_SECONDS", 0.3)

    async def check() -> None:
        """Find nothing."""

    body = BodyWatch(_pieces(1000, 0.05).__anext__, check)
    await body()
    start = time.monotonic()
    await body.drain()
    body.close()
    assert time.monotonic() - start < 2
    assert not body.arrived


@pytest.fixture
def server(tmp_path: Path) -> Iterator[LiveServer]:
    """A real server with its first operator."""
    with live_server({"LUMIO_DATA_DIR": str(tmp_path / "data")}) as running:
        form = {"email": OPERATOR, "password": PASSWORD, "display_name": "Robin", "account_name": "Acme"}
        with running.client() as client:
            answer = client.post("/v1/setup", json={"code": running.set_up_code, **form})
        assert answer.status_code == 201, answer.text
        yield running


def _send_slowly(connection: socket.socket, body: bytes, over: threading.Event) -> None:
    """Send a body over SECONDS seconds, until somebody says that it is over."""
    size = -(-len(body) // (SECONDS * 4))
    for at in range(0, len(body), size):
        if over.wait(0.25):
            return
        try:
            connection.sendall(body[at : at + size])
        except OSError:
            return


@pytest.mark.slow
def test_a_20_second_upload_whose_key_is_revoked_at_second_5_answers_401_and_leaves_nothing(
    server: LiveServer, tmp_path: Path
) -> None:
    with server.client() as anonymous:
        signed_in = anonymous.post("/v1/auth/login", json={"email": OPERATOR, "password": PASSWORD})
    robin = server.client(signed_in.json()["data"]["access_token"])
    made = robin.post(KEYS, json={"label": LABEL, "profile": "deployer"}).json()["data"]
    account_id = robin.get("/v1/users/me").json()["data"]["account"]["id"]
    extension_id = robin.post(EXTENSIONS, json={"name": "Chat Confetti"}).json()["id"]
    path, body = f"{EXTENSIONS}/{extension_id}/versions", upload()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: localhost:{server.port}\r\nAuthorization: Bearer {made['key']}\r\n"
        f"X-Lumio-Account: {account_id}\r\nContent-Type: {MULTIPART}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    bundles = tmp_path / "data" / "bundles"
    over = threading.Event()
    with socket.create_connection(("127.0.0.1", server.port), timeout=SECONDS + 10) as connection:
        connection.sendall(head.encode())
        start = time.monotonic()
        sender = threading.Thread(target=_send_slowly, args=(connection, body, over))
        sender.start()
        try:
            time.sleep(REVOKED_AT)
            assert any(bundles.rglob("*")), "the upload is on its way"
            assert robin.delete(f"{KEYS}/{made['id']}").json()["data"]["effective"] is True
            answer = connection.recv(65_536)
            answered = time.monotonic() - start
        finally:
            over.set()
            sender.join()
    assert answer.startswith(b"HTTP/1.1 401 ")
    assert b"connection: close" in answer.lower()
    assert answered < REVOKED_AT + 5
    assert not [found for found in bundles.rglob("*") if found.is_file()]
    assert robin.get(path).json() == {"versions": []}
    assert opaque.mask(server.stderr) == server.stderr
    robin.close()
