"""The gate: carries credentials to the authenticator, and holds each answer until it may leave.

Promise: an answer starts only when its authentication is on disk and its credential is still good.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from litestar import Request, Response
from litestar.enums import ScopeType
from litestar.middleware import ASGIMiddleware

from lumio.access.authenticator import Authenticated, Authenticator
from lumio.access.principal import Asker
from lumio.kernel.errors import LumioError, Unauthenticated
from lumio.surface.http import carrier, origin
from lumio.surface.http.forgery import ForgeryGuard
from lumio.surface.http.frame import Message, Send
from lumio.surface.http.rating import Rating

OPEN = "open"

Render = Callable[[Request[Any, Any, Any], Exception], Response[Any]]


class Gate(ASGIMiddleware):
    """Authenticates every request of a route, unless the route is marked open (static files, health)."""

    scopes = (ScopeType.HTTP,)
    exclude_opt_key = OPEN

    def __init__(
        self,
        authenticator: Authenticator,
        forgery: ForgeryGuard,
        rating: Rating,
        trusted: origin.Networks,
        render: Render,
    ) -> None:
        """Ask `authenticator`; believe the proxies in `trusted` about addresses; show refusals by `render`."""
        self._rating = rating
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
        rates = await self._count(scope, asker, authenticated)
        self._forgery.check(scope, authenticated.principal)

        async def late_check() -> None:
            await self._authenticator.settled(authenticated)
            good = asker.outcome.ended_self or await self._authenticator.still_good(asker.principal, found, where)
            if not good:
                raise Unauthenticated(internal="revoked_in_flight")

        way_out = _WayOut(send, late_check, rates)
        await next_app(scope, receive, way_out)
        if way_out.refused is not None:
            request: Request[Any, Any, Any] = Request(scope, receive, send)
            answer = self._render(request, way_out.refused).to_asgi_response(None, request)
            await answer(scope, receive, send)

    async def _count(self, scope: Any, asker: Asker, authenticated: Authenticated) -> list[tuple[bytes, bytes]]:
        """Count the request; an answer that refuses it waits for its authentication like any other."""
        try:
            headers = await self._rating.count(scope, asker.principal, asker.origin.ip)
        except LumioError:
            await self._authenticator.settled(authenticated)
            raise
        return [(name.encode(), value.encode()) for name, value in headers.items()]


class _WayOut:
    """The first message of an answer waits for the late check; a refused answer is dropped whole."""

    def __init__(self, send: Send, check: Callable[[], Awaitable[None]], headers: list[tuple[bytes, bytes]]) -> None:
        self._send = send
        self._check = check
        self._headers = headers
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
            message["headers"] = [*message["headers"], *self._headers]
        await self._send(message)
