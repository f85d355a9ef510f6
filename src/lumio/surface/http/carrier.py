"""Where credentials may travel: collects what is there and decides nothing.

The cookie is looked at for pages and `/api/…` only, so that no program's address can be driven by a browser.
"""

import re
from collections.abc import Iterable
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qsl

from lumio.access.kinds import TABLE, Place, Presented
from lumio.access.principal import ACCOUNT_HEADER
from lumio.kernel.errors import FieldError, Malformed

SESSION_COOKIE = "__Host-lumio"
POPOUT_PARAMETER = "token"
PARAMETERS_MAX = 1000
FORWARDED_ADDRESSES = {b"x-forwarded-uri", b"x-original-uri"}
COOKIELESS = ("/v1/", "/developer/", "/oauth/", "/.well-known/")

_ACCOUNT = ACCOUNT_HEADER.lower().encode()
_BEARER = re.compile(r"(?i:bearer) +([\x21-\x7e]+)")
_PREFIXES = tuple(row.prefix for row in TABLE)


def collect(path: str, headers: Iterable[tuple[bytes, bytes]], query: bytes) -> list[Presented]:
    """Return every credential in a request, in any place; more than one is for the authenticator to refuse.

    An `Authorization` header that cannot be read counts as one: as the empty text, which is no key of ours.

    Raises:
        Malformed: more query parameters than any address takes.
    """
    found = []
    for name, value in headers:
        if name == b"authorization":
            found.append(Presented(_bearer(value), Place.BEARER))
        elif name == b"cookie" and not path.startswith(COOKIELESS):
            cookie = read_cookie(value, SESSION_COOKIE)
            if cookie:
                found.append(Presented(cookie, Place.COOKIE))
    if query:
        found.extend(_in_query(query))
    return found


def forwarded(headers: Iterable[tuple[bytes, bytes]]) -> list[Presented]:
    """Return every credential in the address that a proxy asks about; only a trusted proxy may be believed.

    Proxies name it in one header or the other; where both say the same, it counts once.

    Raises:
        Malformed: more query parameters than any address takes.
    """
    queries = {value.partition(b"?")[2] for name, value in headers if name in FORWARDED_ADDRESSES}
    return [one for query in sorted(queries) for one in _in_query(query)]


def _bearer(value: bytes) -> str:
    match = _BEARER.fullmatch(value.decode("latin-1").strip())
    return "" if match is None else match.group(1)


def _in_query(query: bytes) -> Iterable[Presented]:
    """Yield whatever stands where popout tokens travel, and whatever looks like a key elsewhere."""
    if b"token=" not in query and b"lm_" not in query and b"%" not in query:
        return
    try:
        pairs = parse_qsl(query.decode("latin-1"), keep_blank_values=True, max_num_fields=PARAMETERS_MAX)
    except ValueError:
        raise Malformed([FieldError("", "query", f"Takes at most {PARAMETERS_MAX} parameters.")]) from None
    for name, value in pairs:
        if name == POPOUT_PARAMETER:
            yield Presented(value, Place.QUERY)
        elif value.startswith(_PREFIXES):
            yield Presented(value, Place.STRAY)
        elif name.startswith(_PREFIXES):
            yield Presented(name, Place.STRAY)


def named_account(headers: Iterable[tuple[bytes, bytes]]) -> str | None:
    """Return the account that a request names; several headers are one list (RFC 9110, 5.3), which names none."""
    named = [value.decode("latin-1").strip() for name, value in headers if name == _ACCOUNT]
    return ", ".join(named) if named else None


def read_cookie(header: bytes, name: str) -> str | None:
    """Return one cookie of a `Cookie` header, or None."""
    jar = SimpleCookie()
    try:
        jar.load(header.decode("latin-1"))
    except CookieError:
        return None
    return jar[name].value if name in jar else None
