"""`/v1/api-doc/openapi.json`: the description of the installation's own addresses."""

from typing import Any

from litestar import Response, get

from lumio.surface.http.gate import OPEN
from lumio.surface.rest import exchange
from lumio.surface.rest.exchange import Web
from lumio.surface.rest.openapi import describe


@get("/v1/api-doc/openapi.json", opt={OPEN: True})
async def openapi_document(request: Web) -> Response[Any]:
    """Return the OpenAPI 3.1 document."""
    return exchange.bare(describe(request.app, "Lumio", request.app.state.version))
