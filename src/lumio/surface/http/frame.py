"""The outermost layer: what every answer carries, whatever made it, errors of the framework included.

Promise: no answer leaves without a request id and its security headers, and no body arrives for ever.
"""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from lumio.kernel import ids

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Any, Any, Any], Awaitable[None]]
Direct = Callable[[Any], Awaitable[tuple[int, list[tuple[bytes, bytes]], bytes]] | None]
"""From a request to its status, headers and body to come; None for what is the application's."""

PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)
OTHER_POLICY = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'"
BODY_PAUSE_SECONDS = 20

ALWAYS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
    (b"x-frame-options", b"DENY"),
)
OF_ANSWERS = (
    (b"content-security-policy", OTHER_POLICY.encode()),
    (b"cache-control", b"private, no-store"),
)
"""Of an answer that is no page and says nothing else."""
TRANSPORT = (b"strict-transport-security", b"max-age=31536000; includeSubDomains")


def nothing(_scope: Scope) -> None:
    """Answer nothing directly."""


class Frame:
    """Wraps the application."""

    def __init__(
        self, app: Application, count: Callable[[Scope, int], None], *, secure: bool, direct: Direct = nothing
    ) -> None:
        """Wrap `app`; `count` is told each answer's status; `secure` says that the public address is https.

        `direct` gives the answers of a few addresses that do not need the framework.
        """
        self._app = app
        self._count = count
        self._direct = direct
        self._always = (*ALWAYS, TRANSPORT) if secure else ALWAYS
        self._plain = (*self._always, *OF_ANSWERS)
        self._own = frozenset(name for name, _ in self._plain)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = ids.uuid7()
        scope.setdefault("state", {})["request_id"] = request_id
        direct = self._direct(scope)
        if direct is not None:
            status, headers, body = await direct
            self._count(scope, status)
            headers = [*headers, *self._plain, (b"x-request-id", request_id.encode())]
            await send({"type": "http.response.start", "status": status, "headers": headers})
            await send({"type": "http.response.body", "body": body})
            return

        arrived = False

        async def patient() -> Message:
            nonlocal arrived
            if arrived:
                return await receive()  # waits for the client to leave, however long an answer takes
            try:
                message = await asyncio.wait_for(receive(), BODY_PAUSE_SECONDS)
            except TimeoutError:
                return {"type": "http.disconnect"}
            arrived = not message.get("more_body", False)
            return message

        async def dressed(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = self._dress(message["headers"], request_id)
                self._count(scope, message["status"])
            await send(message)

        await self._app(scope, patient, dressed)

    def _dress(self, given: Any, request_id: str) -> list[tuple[bytes, bytes]]:
        for name, value in given:
            page = name == b"content-type" and value.startswith(b"text/html")
            if page or name in self._own or not name.islower():
                return self._dress_specially(given, request_id)
        return [*given, *self._plain, (b"x-request-id", request_id.encode())]

    def _dress_specially(self, given: Any, request_id: str) -> list[tuple[bytes, bytes]]:
        """Dress an answer that is a page, or that has some of these headers already: its own stay."""
        headers = [(bytes(name).lower(), bytes(value)) for name, value in given]
        names = {name for name, _ in headers}
        headers += [(name, value) for name, value in self._always if name not in names]
        headers.append((b"x-request-id", request_id.encode()))
        if b"content-security-policy" not in names:
            page = any(name == b"content-type" and value.startswith(b"text/html") for name, value in headers)
            headers.append((b"content-security-policy", (PAGE_POLICY if page else OTHER_POLICY).encode()))
        if b"cache-control" not in names:
            headers.append((b"cache-control", b"private, no-store"))
        return headers
