"""The yardstick: the same web server and framework, and one route that decides nothing and writes nothing."""

from typing import Any

from litestar import Litestar, Response, get

BODY = {"data": {"kind": "api_key", "label": "bench", "permissions": ["extensions:read"] * 20}, "_links": {}}


@get("/v1/users/me")
async def me() -> Response[Any]:
    """Answer at once."""
    return Response(BODY)


def application() -> Litestar:
    """Return the application."""
    return Litestar([me], openapi_config=None, logging_config=None)
