"""The form of `/developer/v1`: bare results in camelCase, and errors as `{"error": …}` (spec: addresses, 2)."""

from typing import Any

from litestar import Response

from lumio.kernel.errors import Conflict, Invalid, LumioError, StepUpRequired
from lumio.surface.http.failures import headers_of, status_of

PREFIX = "/developer/"


def document(error: LumioError, request_id: str) -> dict[str, Any]:
    """Return the body for an error."""
    told: dict[str, Any] = {
        "code": error.code,
        "message": error.public,
        "status": status_of(error),
        "requestId": request_id,
    }
    if isinstance(error, Invalid) and error.fields:
        told["fields"] = [{"field": one.field, "rule": one.rule, "message": one.message} for one in error.fields]
    if isinstance(error, StepUpRequired):
        told["stepUp"] = {"methods": ["password"], "maxAge": 600}
    if isinstance(error, Conflict) and error.existing_id is not None:
        told["existingId"] = error.existing_id
    return {"error": told}


def render(error: LumioError, request_id: str) -> Response[Any]:
    """Return the answer for an error."""
    body = document(error, request_id)
    return Response(body, status_code=status_of(error), media_type="application/json", headers=headers_of(error))
