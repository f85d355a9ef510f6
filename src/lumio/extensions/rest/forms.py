"""What the routes of `/developer/v1` share: limits, the answer to a creation, bodies with a place."""

from typing import Any

from litestar import Response

from lumio.kernel.errors import FieldError, Invalid
from lumio.surface.http.rating import RATE
from lumio.surface.rest import exchange
from lumio.surface.rest.exchange import Web


def limited(rule: str, described: dict[str, Any]) -> dict[str, Any]:
    """Return what describes a route, with the limit of product C5 that it has beside its kind's."""
    return {"opt": {**described["opt"], RATE: rule}}


def created(request: Web, made: Any, made_id: str) -> Response[Any]:
    """Return the answer to a creation, with the address of what was made."""
    answer = exchange.bare(made, status=201)
    answer.headers["Location"] = f"{request.url.path.rstrip('/')}/{made_id}"
    return answer


def placed(body: Any, **place: str) -> Any:
    """Return a body with what the address says; a body that says it too is refused, never believed."""
    if not isinstance(body, dict):
        return body
    twice = [FieldError(name, "unknown", "There is no such field.") for name in place if name in body]
    if twice:
        raise Invalid(twice)
    return {**body, **place}
