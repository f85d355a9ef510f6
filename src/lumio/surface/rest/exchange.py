"""Reading a request for an action, and wrapping its result: the five lines of every REST handler."""

import re
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any, cast
from urllib.parse import parse_qsl, urlencode

import msgspec
from litestar import Request, Response

from lumio.access import guard
from lumio.access.principal import Asker, Retry
from lumio.crypto.hashing import digest
from lumio.kernel.errors import FieldError, Invalid, Malformed
from lumio.kernel.paging import Page
from lumio.surface.http.carrier import POPOUT_PARAMETER
from lumio.surface.rest import preference
from lumio.surface.rest.encoding import JsonAnswer, encode
from lumio.surface.rest.openapi import SHOWN, Shown

Web = Request[Any, Any, Any]

DEPTH_MAX = 32
FIELDS_MAX = 50
NO_HEADERS: Mapping[str, str] = MappingProxyType({})
FORM = "application/x-www-form-urlencoded"
_KEY = re.compile(r"[\x21-\x7e]{1,255}")


def asker(request: Web, body: bytes = b"") -> Asker:
    """Return who asks, with the patience and the retry key of the request where it has them.

    Raises:
        Invalid: an `Idempotency-Key` that is not 1 to 255 visible ASCII characters.
    """
    found, named = cast("Asker", request.scope["state"]["asker"]), dict(request.scope["headers"])
    if b"prefer" in named:
        found = preference.patient(request, found)
    key = request.headers.get("idempotency-key") if b"idempotency-key" in named else None
    if key is None:
        return found
    if _KEY.fullmatch(key) is None:
        _may_ask(request)
        raise Invalid([FieldError("Idempotency-Key", "pattern", "Must be 1 to 255 visible ASCII characters.")])
    route = f"{request.method} {_path(request).removeprefix('/api').removeprefix('/v1')}"
    return replace(found, retry=Retry(key, route, digest(body)))


async def json_body(request: Web) -> Any:
    """Return the plain values of a JSON body.

    Raises:
        Malformed: no JSON, nested beyond reason, or another content type.
        LumioError: the same, and whoever asks may not ask at all.
    """
    body = await request.body()
    try:
        return _plain(request, body)
    except Malformed:
        _may_ask(request)
        raise


def _plain(request: Web, body: bytes) -> Any:
    if _content_type(request) != "application/json":
        raise Malformed([FieldError("", "content_type", "The Content-Type must be application/json.")])
    try:
        plain = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise Malformed([FieldError("", "json", "The body is not JSON.")]) from error
    if _depth(plain) > DEPTH_MAX:
        raise Malformed([FieldError("", "depth", f"The body is nested more than {DEPTH_MAX} levels deep.")])
    return plain


def _may_ask(request: Web) -> None:
    """Refuse whoever may not ask at all, before anything is said about what they sent. Raises LumioError."""
    shown: Shown | None = request.route_handler.opt.get(SHOWN)
    if shown is not None:
        terms, principal = shown.terms, cast("Asker", request.scope["state"]["asker"]).principal
        guard.admit(principal, terms.permission, step_up=terms.step_up, signed_in=terms.signed_in)


async def placed(request: Web, **named: str) -> dict[str, Any]:
    """Return a JSON object together with what the address names.

    Raises:
        Invalid: no object, or one that names again what the address names.
    """
    form = await json_body(request)
    if not isinstance(form, dict):
        raise Invalid([FieldError("", "type", "Must be an object.")])
    twice = [FieldError(name, "unknown", "There is no such field.") for name in named if name in form]
    if twice:
        raise Invalid(twice)
    return {**form, **named}


async def form_body(request: Web) -> dict[str, str]:
    """Return the fields of a form, as OAuth's endpoints take them.

    Raises:
        Malformed: no form, or a field twice.
    """
    body = await request.body()
    try:
        return _fields(request, body)
    except Malformed:
        _may_ask(request)
        raise


def _fields(request: Web, body: bytes) -> dict[str, str]:
    if _content_type(request) != FORM:
        raise Malformed([FieldError("", "content_type", f"The Content-Type must be {FORM}.")])
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=FIELDS_MAX)
    except ValueError:
        raise Malformed([FieldError("", "form", "The form cannot be read.")]) from None
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise Malformed([FieldError("", "twice", "A field stands there twice.")])
    return fields


def _content_type(request: Web) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


async def no_body(request: Web) -> None:
    """Refuse a body where none is read, so that nobody believes that a field of it counted; `{}` is none.

    Raises:
        Invalid: there is one.
    """
    if (await request.body()).strip() not in {b"", b"{}"}:
        _may_ask(request)
        raise Invalid([FieldError("", "unknown", "This address takes no body.")])


def _depth(value: object) -> int:
    """Measure nesting without recursion, one level at a time."""
    level, depth = [value], 0
    while level and depth <= DEPTH_MAX:
        inner: list[object] = []
        for one in level:
            inner.extend(one.values() if isinstance(one, dict) else one if isinstance(one, list) else ())
        level, depth = inner, depth + 1
    return depth


def query(request: Web, *reserved: str) -> dict[str, str]:
    """Return the query's plain values, without the place where popout tokens travel.

    Raises:
        Invalid: a name that stands there twice.
    """
    try:
        return plain_query(request.scope.get("query_string", b""), *reserved)
    except Invalid:
        _may_ask(request)
        raise


def plain_query(text: bytes, *reserved: str) -> dict[str, str]:
    """Return the same of a query alone.

    Raises:
        Invalid: a name that stands there twice.
    """
    found: dict[str, str] = {}
    for name, value in parse_qsl(text.decode("latin-1"), keep_blank_values=True) if text else ():
        if name in found:
            raise Invalid([FieldError(name, "twice", "Stands here more than once.")])
        if name != POPOUT_PARAMETER and name not in reserved:
            found[name] = value
    return found


def placed_query(request: Web, **named: str) -> dict[str, str]:
    """Return the query's plain values together with what the address names.

    Raises:
        Invalid: the query names again what the address names.
    """
    found = query(request)
    twice = [FieldError(name, "unknown", "There is no such parameter.") for name in named if name in found]
    if twice:
        raise Invalid(twice)
    return {**found, **named}


def one(
    request: Web, result: Any, *, status: int = 200, collection: str | None = None, own: str | None = None
) -> Response[bytes]:
    """Return a result in the envelope of `/v1`, with its own address and its collection's.

    `own` is that address where it is neither the request's nor below the collection.
    """
    if own is None:
        created = collection and status == 201  # noqa: PLR2004 - Created
        own = f"{collection}/{result.id}" if created else _path(request)
    links: dict[str, Any] = {"self": {"href": own}}
    if collection:
        links["collection"] = {"href": collection}
    headers = preference.applied(request)
    if status == 201:  # noqa: PLR2004 - Created
        headers["Location"] = own
    return _answer({"data": result, "_links": links}, status, headers)


def many(request: Web, page: Page[Any]) -> Response[bytes]:
    """Return a page of results in the envelope, with the address of the next page when there is one."""
    links: dict[str, Any] = {"self": {"href": _path(request)}}
    if page.next_cursor is not None:
        rest = query(request, "cursor")
        links["next"] = {"href": f"{_path(request)}?{urlencode({**rest, 'cursor': page.next_cursor})}"}
    return _answer({"data": list(page.items), "_links": links}, 200)


def bare(result: Any, *, status: int = 200) -> Response[bytes]:
    """Return a result without an envelope."""
    return _answer(result, status)


def _answer(body: Any, status: int, headers: Mapping[str, str] = NO_HEADERS) -> Response[bytes]:
    return JsonAnswer(encode(body), status, headers)


def _path(request: Web) -> str:
    return str(request.scope.get("root_path", "")) + request.scope["path"]
