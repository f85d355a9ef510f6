"""The gate: carries credentials to the authenticator, and holds each answer until it may leave.

Promise: an answer starts only when its authentication is on disk and its credential is still good.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from litestar import Request, Response
from litestar.enums import ScopeType
from litestar.middleware import ASGIMiddleware

from lumio.access.authenticator import Authenticator
from lumio.access.principal import Asker
from lumio.kernel.errors import LumioError, Unauthenticated
from lumio.surface.http import carrier, origin
from lumio.surface.http.forgery import ForgeryGuard
from lumio.surface.http.frame import Message, Send

OPEN = "open"

Render = Callable[[Request[Any, Any, Any], Exception], Response[Any]]


class Gate(ASGIMiddleware):
    """Authenticates every request of a route, unless the route is marked open (static files, health)."""

    scopes = (ScopeType.HTTP,)
    exclude_opt_key = OPEN

    def __init__(
        self, authenticator: Authenticator, forgery: ForgeryGuard, trusted: origin.Networks, render: Render
    ) -> None:
        """Ask `authenticator`; believe the proxies in `trusted` about addresses; show refusals by `render`."""
        self._authenticator = authenticator
        self._forgery = forgery
        self._trusted = trusted
        self._render = render

    async def handle(self, scope: Any, receive: Any, send: Any, next_app: Any) -> None:
        """Serve one request."""
        where = origin.of_request(scope.get("client"), scope["headers"], scope["state"]["request_id"], self._trusted)
        found = carrier.collect(scope["path"], scope["headers"], scope.get("query_string", b""))
        authenticated = await self._authenticator.authenticate(found, where)
        asker = Asker(authenticated.principal, where)
        scope["state"]["asker"] = asker
        self._forgery.check(scope, authenticated.principal)

        async def late_check() -> None:
            await self._authenticator.settled(authenticated)
            good = asker.outcome.ended_self or await self._authenticator.still_good(asker.principal, found, where)
            if not good:
                raise Unauthenticated(internal="revoked_in_flight")

        way_out = _WayOut(send, late_check)
        await next_app(scope, receive, way_out)
        if way_out.refused is not None:
            request: Request[Any, Any, Any] = Request(scope, receive, send)
            answer = self._render(request, way_out.refused).to_asgi_response(None, request)
            await answer(scope, receive, send)


class _WayOut:
    """The first message of an answer waits for the late check; a refused answer is dropped whole."""

    def __init__(self, send: Send, check: Callable[[], Awaitable[None]]) -> None:
        self._send = send
        self._check = check
        self.refused: LumioError | None = None

    async def __call__(self, message: Message) -> None:
        if self.refused is not None:
            return
        if message["type"] == "http.response.start":
            try:
                await self._check()
            except LumioError as error:
                self.refused = error
                return
        await self._send(message)
