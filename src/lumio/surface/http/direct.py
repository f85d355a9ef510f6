"""The direct way: a few hot addresses that are answered beside the framework.

Promise: a request gets the same answer as on the framework's way: the same entrance, the same action, the same form
of every error. What a direct route does not know (another method, another spelling) goes on to the framework.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NamedTuple

from lumio.access.principal import Asker
from lumio.kernel.errors import LumioError
from lumio.surface.http.counting import tell_why
from lumio.surface.http.entrance import Entrance
from lumio.surface.http.failures import understand
from lumio.surface.http.rating import Headers

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
    """Answers GET at some exact paths."""

    def __init__(self, entrance: Entrance, routes: Mapping[str, Route], render: Render) -> None:
        """Let in by `entrance`; a route answers for another address too, as a trusted proxy names it."""
        self._entrance = entrance
        self._routes = routes
        self._render = render

    def __call__(self, scope: Any) -> Awaitable[Answer] | None:
        """Return the answer to come; None for what is the framework's."""
        route = self._routes.get(scope["path"])
        if route is None or scope["method"] != "GET" or RETRY in dict(scope["headers"]):
            return None
        return self._answered(route, scope)

    async def _answered(self, route: Route, scope: Any) -> Answer:
        """Return the answer, held until it may leave; an answer that may not is replaced whole."""
        try:
            visit = await self._entrance.admit(scope, forwarded=True)
            scope["state"]["asker"] = visit.asker
            try:
                status, headers, body = await route(visit.asker, scope.get("query_string", b""))
            except Exception as error:  # noqa: BLE001 - a refusal by the action is an answer too, and waits like any
                status, headers, body = self._told(error, scope)
            await visit.late_check()
        except Exception as error:  # noqa: BLE001 - whatever went wrong is told in the form of this surface
            return self._told(error, scope)
        return Answer(status, [*headers, *visit.rates], body)

    def _told(self, error: Exception, scope: Any) -> Answer:
        request_id = scope["state"]["request_id"]
        understood = understand(error, request_id)
        tell_why(scope, understood)
        return self._render(understood, request_id)
