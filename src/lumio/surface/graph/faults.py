"""From anything that went wrong to an entry of `errors` (GraphQL specification, section 7.1.2).

Promise: a code of the house in every entry, never a traceback, never a secret that a client sent.
"""

import re
from typing import Any

from graphql import GraphQLError

from lumio.crypto import opaque
from lumio.kernel.errors import Invalid, LumioError
from lumio.surface.http.failures import headers_of, understand
from lumio.surface.rest import problem

MESSAGE_MAX = 300
_SNAKE = re.compile(r"_([a-z0-9])")
_RENAMED = {"limit": "first", "cursor": "after"}


def entry(error: LumioError, request_id: str) -> dict[str, Any]:
    """Return an error that stands for the whole request."""
    return {"message": error.public, "extensions": extensions(error, request_id)}


def located(error: GraphQLError, request_id: str) -> dict[str, Any]:
    """Return an error of a query, with its place in the document and in the answer."""
    known = _known(error, request_id)
    found = entry(known, request_id)
    if error.locations:
        found["locations"] = [place.formatted for place in error.locations]
    if error.path:
        found["path"] = error.path
    return found


def extensions(error: LumioError, request_id: str) -> dict[str, Any]:
    """Return the machine's part: the members of a problem document, under the names of this surface."""
    document = problem.document(error, request_id)
    found: dict[str, Any] = {"code": error.code, "requestId": request_id}
    if "errors" in document:
        found["errors"] = [{**one, "field": graph_name(one["field"])} for one in document["errors"]]
    if "step_up" in document:
        found["step_up"] = document["step_up"]
    if "existing_id" in document:
        found["existingId"] = document["existing_id"]
    wait = headers_of(error).get("Retry-After")
    if wait is not None:
        found["retryAfter"] = int(wait)
    return found


def graph_name(field: str) -> str:
    """Return the name by which a client of this surface knows a field of a model."""
    return _RENAMED.get(field) or _SNAKE.sub(lambda found: found.group(1).upper(), field)


def _known(error: GraphQLError, request_id: str) -> LumioError:
    """Return the error of ours; what the language itself found wrong with the query is bad input."""
    cause: Exception | None = error
    while isinstance(cause, GraphQLError):
        cause = cause.original_error
    if cause is None:
        return Invalid(public=opaque.mask(error.message)[:MESSAGE_MAX])
    return understand(cause, request_id)
