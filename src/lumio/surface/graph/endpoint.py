"""`POST /v1/gql`, and the schema's text at `GET /v1/schema`.

Promise: only a JSON object in a POST can make anything happen; a list of queries is refused before it is read.
"""

from typing import Any

from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency

from lumio.access import guard
from lumio.access.validate import validate
from lumio.kernel.errors import FieldError, Invalid, Malformed
from lumio.surface.graph import faults
from lumio.surface.graph.graph import Graph, Question
from lumio.surface.http.counting import tell_why
from lumio.surface.http.failures import headers_of, status_of, understand
from lumio.surface.rest import exchange, preference
from lumio.surface.rest.encoding import encode
from lumio.surface.rest.exchange import Web

JSON = "application/json"


def _failed(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    """Show what stopped a request before its query was looked at, in this surface's own form."""
    request_id = str(request.scope["state"]["request_id"])
    known = understand(error, request_id)
    tell_why(request.scope, known)
    body = {"errors": [faults.entry(known, request_id)]}
    return Response(body, status_code=status_of(known), media_type=JSON, headers=headers_of(known))


class GraphRoutes(Controller):
    """GraphQL, for programs and for pages."""

    @post("/gql", status_code=200, exception_handlers={Exception: _failed})
    async def ask(self, request: Web, graph: NamedDependency[Graph]) -> Response[bytes]:
        """Answer one question; what goes wrong inside a query is in its `errors`, with status 200."""
        asker = exchange.asker(request)
        if asker.retry is not None:
            raise Invalid([FieldError("Idempotency-Key", "unsupported", "GraphQL does not take it; REST does.")])
        answer = await graph.answer(await _question(request), asker)
        return Response(encode(answer), media_type=JSON, headers=preference.applied(request))

    @get("/schema")
    async def sdl(self, request: Web, graph: NamedDependency[Graph]) -> Response[str]:
        """Show the schema in the schema definition language, to whoever is signed in."""
        guard.admit(exchange.asker(request).principal, None, step_up=False, signed_in=True)
        return Response(graph.sdl, media_type="text/plain; charset=utf-8")


async def _question(request: Web) -> Question:
    plain = await exchange.json_body(request)
    if isinstance(plain, list):
        raise Malformed([FieldError("", "batch", "Send one query per request: lists are not taken.")])
    return validate(Question, plain)
