"""The frame: no answer without a request id and its security headers, no body for ever."""

import asyncio
from typing import Any

import pytest

from lumio.kernel import ids
from lumio.surface.http import frame
from lumio.surface.http.frame import Frame, Message


class Script:
    """What a client sends, and what it got."""

    def __init__(self, *messages: Message, pause: float = 0.0) -> None:
        self.messages = list(messages)
        self.pause = pause
        self.sent: list[Message] = []

    async def receive(self) -> Message:
        await asyncio.sleep(self.pause)
        if not self.messages:
            await asyncio.Event().wait()
        return self.messages.pop(0)

    async def send(self, message: Message) -> None:
        self.sent.append(message)

    def headers(self) -> dict[bytes, bytes]:
        return dict(self.sent[0]["headers"])


def answering(*headers: tuple[bytes, bytes]) -> Any:
    async def app(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": list(headers)})
        await send({"type": "http.response.body", "body": b""})

    return app


async def serve(app: Any, client: Script, *, secure: bool = True) -> dict[str, Any]:
    scope: dict[str, Any] = {"type": "http", "headers": [(b"x-request-id", b"forged")]}
    await Frame(app, lambda _scope, _status: None, secure=secure)(scope, client.receive, client.send)
    return scope


async def test_every_answer_has_the_id_that_the_log_has_and_never_the_client_s() -> None:
    client = Script()
    scope = await serve(answering(), client)
    given = client.headers()[b"x-request-id"].decode()
    assert given == scope["state"]["request_id"]
    assert ids.is_uuid(given)


async def test_every_answer_has_the_security_headers() -> None:
    client = Script()
    await serve(answering(), client)
    headers = client.headers()
    assert headers[b"x-content-type-options"] == b"nosniff"
    assert headers[b"referrer-policy"] == b"no-referrer"
    assert headers[b"cache-control"] == b"private, no-store"
    assert b"frame-ancestors 'none'" in headers[b"content-security-policy"]
    assert headers[b"strict-transport-security"].startswith(b"max-age=31536000")


async def test_plain_http_on_loopback_promises_no_transport_security() -> None:
    client = Script()
    await serve(answering(), client, secure=False)
    assert b"strict-transport-security" not in client.headers()


@pytest.mark.parametrize(("kind", "policy"), [(b"text/html; charset=utf-8", True), (b"application/json", False)])
async def test_a_page_has_the_page_s_policy_and_nothing_else_has_it(kind: bytes, policy: bool) -> None:
    client = Script()
    await serve(answering((b"Content-Type", kind)), client)
    assert (b"script-src 'self'" in client.headers()[b"content-security-policy"]) == policy


async def test_an_answer_s_own_headers_stay() -> None:
    client = Script()
    await serve(answering((b"Cache-Control", b"public, max-age=1")), client)
    assert client.headers()[b"cache-control"] == b"public, max-age=1"


async def test_a_body_that_stops_arriving_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frame, "BODY_PAUSE_SECONDS", 0.05)
    got: list[str] = []

    async def app(_scope: Any, receive: Any, _send: Any) -> None:
        got.extend([(await receive())["type"] for _ in range(2)])

    await asyncio.wait_for(serve(app, Script({"type": "http.request", "body": b"x", "more_body": True})), 5)
    assert got == ["http.request", "http.disconnect"]


async def test_an_answer_may_take_longer_than_a_body_may_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frame, "BODY_PAUSE_SECONDS", 0.05)

    async def app(_scope: Any, receive: Any, _send: Any) -> None:
        await receive()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(receive(), 0.2)

    await serve(app, Script({"type": "http.request", "body": b"x", "more_body": False}))
