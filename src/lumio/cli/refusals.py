"""Turns a refused request into words: what happened, why, and what to run next.

Promise: every status has a sentence, and a command can put a better one in its place.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lumio.cli.answer import Answer
from lumio.cli.errors import CommandError, ExitCode, FieldError

KEYS_PAGE = "/dashboard/account/security/api-keys"
TEAM_PAGE = "/dashboard/account/team"
_TWO_FACTOR_PAGE = "/dashboard/account/security/two-factor"


@dataclass(frozen=True, slots=True)
class Advice:
    """A sentence for one refusal. `why` may stay empty: then the server's own words stand there.

    `page` is where a person does in the browser what a key cannot.
    """

    what: str
    why: str = ""
    next_step: str = ""
    page: str = KEYS_PAGE


Explanations = Mapping[int, Advice]


def _wait(answer: Answer) -> str:
    if answer.retry_after is None:
        return "Try again in a minute"
    return f"Try again in {max(1, round(answer.retry_after))} s"


def _general(answer: Answer, origin: str) -> Advice:
    """Return the sentence for a status when the command has none of its own."""
    if answer.status == 401:  # noqa: PLR2004 - RFC 9110
        return Advice(
            "The key was refused",
            "it may have been revoked or mistyped",
            f"Make a new one at {origin}{KEYS_PAGE}, then run lumio login --token …",
        )
    table = {
        400: Advice("The server could not read the request", "", "Bring lumio to the server's version"),
        403: Advice("This key may not do that", "", "lumio whoami shows the role it acts with"),
        404: Advice("There is no such thing on this server", "", "Check the id, and lumio whoami for the account"),
        405: Advice("The server does not know this request", "", "Bring lumio to the server's version"),
        409: Advice("The request clashes with what is there", "", "Look at what is there, then try again"),
        413: Advice("The request is too large for the server", "", "Make it smaller and try again"),
        422: Advice("The server did not accept what was sent", "", "Correct it and try again"),
        429: Advice("The server asks to slow down", "too many requests in a short time", _wait(answer)),
        503: Advice("The server cannot answer safely just now", "", _wait(answer)),
    }
    fallback = Advice(f"The server failed ({answer.status})", "", "Try again; if it stays, report the request id")
    return table.get(answer.status, fallback)


def _by_code(code: str, origin: str, page: str) -> Advice | None:
    if code == "two_factor_required":
        return Advice(
            "This account demands two-factor authentication",
            "it has published a paid extension",
            f"Set it up at {origin}{_TWO_FACTOR_PAGE}, then try again",
        )
    if code == "step_up_required":
        return Advice(
            "A key cannot do this",
            "it takes a person who has just proved who they are",
            f"Do it in the browser: {origin}{page}",
        )
    return None


def _redirected(answer: Answer, origin: str) -> CommandError:
    target = answer.location or "another address"
    return CommandError(
        f"{origin} sent the request on to {target}",
        "the key goes only to the server it was given for, so nothing was sent there",
        "If that is the right server, name it with --server or LUMIO_SERVER and sign in there",
        code="redirected",
        status=answer.status,
        request_id=answer.request_id,
    )


def _problem(body: Any) -> dict[str, Any]:
    """Return the problem document, or the developer API's `error` member."""
    if not isinstance(body, dict):
        return {}
    inner = body.get("error")
    return inner if isinstance(inner, dict) else body


def _text(problem: dict[str, Any], *names: str) -> str:
    for name in names:
        value = problem.get(name)
        if isinstance(value, str) and value.strip():
            return value.strip()
    return ""


def _fields(problem: dict[str, Any]) -> list[FieldError]:
    errors = problem.get("errors", problem.get("fields"))  # `fields` is the Developer REST API's name
    if not isinstance(errors, list):
        return []
    return [
        FieldError(str(each.get("field", "")), str(each.get("message", "")))
        for each in errors
        if isinstance(each, dict)
    ]


def refusal(answer: Answer, origin: str, explain: Explanations | None = None) -> CommandError:
    """Return the error that ends the command for an answer that is no success.

    A code of the server wins over the command's own sentence, and that over the general one.
    """
    if 300 <= answer.status < 400:  # noqa: PLR2004 - the class of redirections, RFC 9110 section 15.4
        return _redirected(answer, origin)
    problem = _problem(answer.body)
    code = _text(problem, "code")
    own = (explain or {}).get(answer.status)
    advice = _by_code(code, origin, own.page if own else KEYS_PAGE) or own or _general(answer, origin)
    said = _text(problem, "detail", "message", "title").rstrip(".")
    return CommandError(
        advice.what,
        advice.why or said,
        advice.next_step,
        code=code or f"http_{answer.status}",
        exit_code=ExitCode.NOT_ALLOWED if answer.status in {401, 403} else ExitCode.FAILED,
        status=answer.status,
        request_id=answer.request_id,
        fields=_fields(problem),
    )
