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
COOKIELESS = ("/v1/", "/developer/", "/oauth/", "/.well-known/")

_READ = frozenset({
    b"authorization", b"cookie", b"user-agent", b"x-forwarded-for", b"x-forwarded-uri", b"x-original-uri",
    ACCOUNT_HEADER.lower().encode(),
})  # fmt: skip
_BEARER = re.compile(r"(?i:bearer) +([\x21-\x7e]+)")
_PREFIXES = tuple(row.prefix for row in TABLE)


class Carried:
    """What a request carries for the entrance: credentials, and what is said of where it comes from.

    `found` has every credential in any place; more than one is for the authenticator to refuse. `account` is the one
    that the request names; several headers are one list (RFC 9110, 5.3), which names none.
    """

    __slots__ = ("_addresses", "account", "agent", "forwarded_for", "found")

    def __init__(self, path: str, headers: Iterable[tuple[bytes, bytes]], query: bytes) -> None:
        """Look through the headers once, and through the query.

        An `Authorization` header that cannot be read counts as a credential: as the empty text, which is none of
        ours.

        Raises:
            Malformed: more query parameters than any address takes.
        """
        self.found: list[Presented] = []
        self.account: str | None = None
        self.agent: bytes | None = None
        self.forwarded_for: list[bytes] = []
        self._addresses: set[bytes] = set()
        for name, value in headers:
            if name in _READ:
                self._read(path, name, value)
        if query:
            self.found.extend(_in_query(query))

    def _read(self, path: str, name: bytes, value: bytes) -> None:
        match name:
            case b"authorization":
                self.found.append(Presented(_bearer(value), Place.BEARER))
            case b"cookie":
                cookie = None if path.startswith(COOKIELESS) else read_cookie(value, SESSION_COOKIE)
                if cookie:
                    self.found.append(Presented(cookie, Place.COOKIE))
            case b"user-agent":
                self.agent = value if self.agent is None else self.agent
            case b"x-forwarded-for":
                self.forwarded_for.append(value)
            case b"x-forwarded-uri" | b"x-original-uri":
                self._addresses.add(value)
            case _:
                named = value.decode("latin-1").strip()
                self.account = named if self.account is None else f"{self.account}, {named}"

    def forwarded(self) -> list[Presented]:
        """Return every credential in the address that a proxy asks about; only a trusted proxy may be believed.

        Proxies name it in one header or the other; where both say the same, it counts once.

        Raises:
            Malformed: more query parameters than any address takes.
        """
        queries = {address.partition(b"?")[2] for address in self._addresses}
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


def read_cookie(header: bytes, name: str) -> str | None:
    """Return one cookie of a `Cookie` header, or None."""
    jar = SimpleCookie()
    try:
        jar.load(header.decode("latin-1"))
    except CookieError:
        return None
    return jar[name].value if name in jar else None
