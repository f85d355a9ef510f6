"""From anything that went wrong to one error of the house, and from there to a status."""

from typing import Any

import structlog
from litestar.exceptions import (
    ClientException,
    HTTPException,
    MethodNotAllowedException,
    NotFoundException,
    ValidationException,
)

from lumio.kernel.errors import (
    Conflict,
    Denied,
    FieldError,
    Invalid,
    Limited,
    LumioError,
    Malformed,
    NotFound,
    StepUpRequired,
    TooLarge,
    Unauthenticated,
    Unavailable,
)

log = structlog.get_logger()

STATUS: dict[type[LumioError], int] = {
    Unauthenticated: 401,
    StepUpRequired: 403,
    Denied: 403,
    NotFound: 404,
    Invalid: 422,
    Malformed: 400,
    TooLarge: 413,
    Conflict: 409,
    Limited: 429,
    Unavailable: 503,
    LumioError: 500,
}

REQUEST_TOO_LARGE = 413
SERVER_ERROR = 500


class WrongMethod(LumioError):
    """The address exists, the method does not; `allow` lists those that do."""

    code = "method_not_allowed"
    sentence = "This address does not take that method."

    def __init__(self, allow: str) -> None:
        """Keep the list for the header."""
        super().__init__()
        self.allow = allow


STATUS[WrongMethod] = 405


def status_of(error: LumioError) -> int:
    """Return the HTTP status of an error."""
    return STATUS[type(error)]


def understand(error: Exception, request_id: str) -> LumioError:
    """Return the house's error for anything that was raised; what is not foreseen is logged and says nothing."""
    match error:
        case LumioError():
            if isinstance(error, Unavailable):
                log.warning("unavailable", reason=error.internal, request_id=request_id)
            return error
        case MethodNotAllowedException():
            return WrongMethod((error.headers or {}).get("allow", ""))
        case NotFoundException():
            return NotFound()
        case ValidationException():
            return Invalid(_fields(error))
        case HTTPException(status_code=413):
            return TooLarge("The request body is larger than this address takes.")
        case ClientException():
            return Malformed()
    log.error("unforeseen", error=repr(error), request_id=request_id, exc_info=error)
    return LumioError(internal=repr(error))


def _fields(error: ValidationException) -> list[FieldError]:
    extra: Any = error.extra
    if not isinstance(extra, list):
        return []
    return [FieldError(str(one.get("key", "")), "type", str(one.get("message", ""))) for one in extra]


def headers_of(error: LumioError) -> dict[str, str]:
    """Return the headers that go with an error, on every surface."""
    match error:
        case Unauthenticated():
            return {"WWW-Authenticate": 'Bearer error="invalid_token"'}
        case WrongMethod():
            return {"Allow": error.allow}
        case Limited():
            quota = f'"{error.policy}";q={error.limit};w={error.window}'
            return {
                "Retry-After": str(error.retry_after),
                "RateLimit-Policy": quota,
                "RateLimit": f'"{error.policy}";r=0;t={error.retry_after}',
            }
        case Unavailable():
            return {"Retry-After": str(error.retry_after)}
        case Conflict(retry_after=int()):
            return {"Retry-After": str(error.retry_after)}
    return {}
