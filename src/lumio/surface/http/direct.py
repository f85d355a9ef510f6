"""The direct way: a few hot addresses that are answered beside the framework.

Promise: a request gets the same answer as on the framework's way: the same entrance, the same action, the same form
of every error. What a direct route does not know (another method, another spelling) goes on to the framework.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NamedTuple

from lumio.access.principal import Asker
from lumio.kernel.errors import LumioError
from lumio.surface.http.counting import tell_why
from lumio.surface.http.entrance import Entrance, Headers
from lumio.surface.http.failures import understand
from lumio.surface.http.frame import Application, Receive, Scope, Send

RETRY = b"idempotency-key"


class Answer(NamedTuple):
    """A whole answer; its headers are those of the form, the frame adds the rest."""

    status: int
    headers: Headers
    body: bytes


Route = Callable[[Asker, bytes], Awaitable[Answer]]
"""From who asks, and with which query, to the answer."""
Render = Callable[[LumioError, str], Answer]
"""From an error and the request's id to the answer that tells of it."""


class Direct:
    """Answers GET at some exact paths; everything else is the framework's."""

    def __init__(
        self, framework: Application, entrance: Entrance, routes: Mapping[str, Route], render: Render
    ) -> None:
        """Let in by `entrance`; a route answers for another address too, as a trusted proxy names it."""
        self._framework = framework
        self._entrance = entrance
        self._routes = routes
        self._render = render

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        route = self._routes.get(scope["path"]) if scope["type"] == "http" and scope["method"] == "GET" else None
        if route is None or RETRY in dict(scope["headers"]):
            await self._framework(scope, receive, send)
            return
        status, headers, body = await self._answered(route, scope)
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def _answered(self, route: Route, scope: Any) -> Answer:
        """Return the answer, held until it may leave; an answer that may not is replaced whole."""
        try:
            visit = await self._entrance.admit(scope, forwarded=True)
            scope["state"]["asker"] = visit.asker
            answer = await self._of(route, visit.asker, scope)
            await visit.late_check()
        except Exception as error:  # noqa: BLE001 - whatever went wrong is told in the form of this surface
            return self._told(error, scope)
        return Answer(answer.status, [*answer.headers, *visit.rates], answer.body)

    async def _of(self, route: Route, asker: Asker, scope: Any) -> Answer:
        """Return the route's answer; a refusal by the action is one too, and waits like any other."""
        try:
            return await route(asker, scope.get("query_string", b""))
        except Exception as error:  # noqa: BLE001 - as above
            return self._told(error, scope)

    def _told(self, error: Exception, scope: Any) -> Answer:
        request_id = scope["state"]["request_id"]
        understood = understand(error, request_id)
        tell_why(scope, understood)
        return self._render(understood, request_id)
