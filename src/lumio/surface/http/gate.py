"""The gate: carries credentials to the authenticator, and holds each answer until it may leave.

Promise: an answer starts only when its authentication is on disk and its credential is still good; a body that
is still arriving when its credential ends is not waited for.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from litestar import Request, Response
from litestar.enums import ScopeType
from litestar.middleware import ASGIMiddleware

from lumio.access.authenticator import Authenticated, Authenticator
from lumio.access.kinds import Presented
from lumio.access.principal import Asker
from lumio.kernel.errors import LumioError, Unauthenticated
from lumio.surface.http import carrier, origin
from lumio.surface.http.body_watch import BodyWatch
from lumio.surface.http.forgery import ForgeryGuard
from lumio.surface.http.frame import Message, Send
from lumio.surface.http.rating import Rating

OPEN = "open"
FORWARDED = "forwarded"
"""The `opt` of a route that answers for another address: the one that a trusted proxy names."""

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
        if FORWARDED in scope["route_handler"].opt and origin.from_proxy(scope.get("client"), self._trusted):
            found += carrier.forwarded(scope["headers"])
        account = carrier.named_account(scope["headers"])
        authenticated = await self._authenticator.authenticate(found, where, account)
        asker = Asker(authenticated.principal, where)
        scope["state"]["asker"] = asker
        rates = await self._count(scope, asker, authenticated)
        self._forgery.check(scope, authenticated.principal)
        standing = _Standing(self._authenticator, authenticated, asker, found)
        body = BodyWatch(receive, standing.check)
        way_out = _WayOut(send, standing.late_check, rates)
        try:
            await next_app(scope, body if found else receive, way_out)
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

    async def _count(self, scope: Any, asker: Asker, authenticated: Authenticated) -> list[tuple[bytes, bytes]]:
        """Count the request; an answer that refuses it waits for its authentication like any other."""
        try:
            headers = await self._rating.count(scope, asker.principal, asker.origin.ip)
        except LumioError:
            await self._authenticator.settled(authenticated)
            raise
        return [(name.encode(), value.encode()) for name, value in headers.items()]


class _Standing:
    """Whether the credential of one request still stands; that it does not is found and recorded once."""

    def __init__(
        self, authenticator: Authenticator, authenticated: Authenticated, asker: Asker, found: list[Presented]
    ) -> None:
        self._authenticator = authenticator
        self._authenticated = authenticated
        self._asker = asker
        self._found = found

    async def check(self) -> None:
        """Raise Unauthenticated when the credential has ended by another's hand."""
        asker, outcome = self._asker, self._asker.outcome
        if not outcome.end_recorded and not outcome.ended_self:
            good = await self._authenticator.still_good(asker.principal, self._found, asker.origin)
            outcome.end_recorded = not good
        if outcome.end_recorded:
            raise Unauthenticated(internal="revoked_in_flight")

    async def late_check(self) -> None:
        """Wait until the authentication is on disk, then check."""
        await self._authenticator.settled(self._authenticated)
        await self.check()


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
