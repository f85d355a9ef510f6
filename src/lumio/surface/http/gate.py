"""The gate: lets requests in before the framework's routes, and holds each answer until it may leave.

Promise: an answer starts only when its authentication is on disk and its credential is still good; a body that
is still arriving when its credential ends is not waited for, and a long answer breaks off.
"""

from collections.abc import Callable
from typing import Any

from litestar import Request, Response
from litestar.enums import ScopeType
from litestar.middleware import ASGIMiddleware

from lumio.kernel import clock
from lumio.kernel.errors import LumioError
from lumio.surface.http.body_watch import BodyWatch
from lumio.surface.http.entrance import Entrance, Visit
from lumio.surface.http.forgery import ForgeryGuard
from lumio.surface.http.frame import Message, Send
from lumio.surface.http.rating import RATE

OPEN = "open"
FORWARDED = "forwarded"
"""The `opt` of a route that answers for another address: the one that a trusted proxy names."""

PIECE_BYTES, PIECE_SECONDS = 64 * 1024, 1.0
"""How much of a long answer leaves between two looks at its credential."""

Render = Callable[[Request[Any, Any, Any], Exception], Response[Any]]


class Gate(ASGIMiddleware):
    """Authenticates every request of a route, unless the route is marked open (static files, health)."""

    scopes = (ScopeType.HTTP,)
    exclude_opt_key = OPEN

    def __init__(self, entrance: Entrance, forgery: ForgeryGuard, render: Render) -> None:
        """Let in by `entrance`; show refusals by `render`."""
        self._entrance = entrance
        self._forgery = forgery
        self._render = render

    async def handle(self, scope: Any, receive: Any, send: Any, next_app: Any) -> None:
        """Serve one request."""
        marks = scope["route_handler"].opt
        visit = await self._entrance.admit(scope, forwarded=FORWARDED in marks, rate=marks.get(RATE))
        scope["state"]["asker"] = visit.asker
        try:
            self._forgery.check(scope, visit.asker.principal)
        except LumioError:
            await visit.on_disk()
            raise
        body = BodyWatch(receive, visit.check)
        way_out = _WayOut(send, visit)
        try:
            await next_app(scope, body if visit.presented else receive, way_out)
            if way_out.refused is not None:
                await self._refuse(scope, body, send, way_out.refused)
        finally:
            body.close()

    async def _refuse(self, scope: Any, body: BodyWatch, send: Any, error: LumioError) -> None:
        """Answer in place of the answer that may not leave; a body that still arrives is the connection's last."""
        receive: Any = body
        request: Request[Any, Any, Any] = Request(scope, receive, send)
        answer = self._render(request, error).to_asgi_response(None, request)

        async def last(message: Message) -> None:
            if message["type"] == "http.response.start" and scope["http_version"].startswith("1"):
                message["headers"] = [*message["headers"], (b"connection", b"close")]
            await send(message)

        breaking_off = body.began and not body.arrived
        out: Any = last if breaking_off else send
        await answer(scope, receive, out)
        if breaking_off:
            await body.drain()


class _WayOut:
    """The first message of an answer waits for the late check; a refused answer is dropped whole.

    A long answer is looked at again and again: every second, and every 64 KiB. One that may not go on breaks off, so
    that the client sees an error and not a short success.
    """

    def __init__(self, send: Send, visit: Visit) -> None:
        self._send = send
        self._visit = visit
        self._looked = 0.0
        self._since = 0
        self.refused: LumioError | None = None

    async def __call__(self, message: Message) -> None:
        if self.refused is not None:
            return
        if message["type"] == "http.response.start":
            try:
                await self._visit.late_check()
            except LumioError as error:
                self.refused = error
                return
            self._looked = clock.monotonic()
            message["headers"] = [*message["headers"], *self._visit.rates]
        elif message.get("more_body") or self._since:
            await self._look_again(len(message.get("body", b"")))
        await self._send(message)

    async def _look_again(self, size: int) -> None:
        """Check before a piece of a long answer leaves. Raises what ends the connection."""
        moment, self._since = clock.monotonic(), self._since + size
        if self._since < PIECE_BYTES and moment - self._looked < PIECE_SECONDS:
            return
        await self._visit.check()
        self._looked, self._since = moment, 1
