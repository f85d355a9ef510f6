"""Problem documents (RFC 9457) for `/v1` and `/api`."""

from http import HTTPStatus
from typing import Any

import msgspec
from litestar import Response

from lumio.kernel.errors import Conflict, Invalid, LumioError, StepUpRequired
from lumio.surface.http.direct import Answer
from lumio.surface.http.failures import headers_of, status_of

MEDIA_TYPE = "application/problem+json"
_FORM = (b"content-type", MEDIA_TYPE.encode())
_TITLES = {status.value: status.phrase for status in HTTPStatus}


def document(error: LumioError, request_id: str) -> dict[str, Any]:
    """Return the members of a problem document."""
    status = status_of(error)
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": _TITLES[status],
        "status": status,
        "detail": error.public,
        "code": error.code,
        "request_id": request_id,
    }
    if isinstance(error, Invalid) and error.fields:
        body["errors"] = [{"field": one.field, "rule": one.rule, "message": one.message} for one in error.fields]
    if isinstance(error, StepUpRequired):
        body["step_up"] = {"methods": ["password"], "max_age": 600}
    if isinstance(error, Conflict) and error.existing_id is not None:
        body["existing_id"] = error.existing_id
    return body


def render(error: LumioError, request_id: str) -> Response[Any]:
    """Return the answer for an error."""
    body = document(error, request_id)
    return Response(body, status_code=body["status"], media_type=MEDIA_TYPE, headers=headers_of(error))


def direct(error: LumioError, request_id: str) -> Answer:
    """Return the same answer for the direct way."""
    body = document(error, request_id)
    encoded = msgspec.json.encode(body)
    headers = [(name.lower().encode(), value.encode()) for name, value in headers_of(error).items()]
    headers += [_FORM, (b"content-length", str(len(encoded)).encode())]
    return Answer(body["status"], headers, encoded)
