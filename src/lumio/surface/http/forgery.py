"""Requests that a browser was tricked into (cross-site request forgery).

Promise: a change that rides on a cookie comes from our own pages: same origin by its headers *and* a token
that only our pages know.
"""

import secrets
from collections.abc import Iterable
from typing import Any

from lumio.access.principal import Principal
from lumio.crypto.hashing import Peppers
from lumio.kernel.errors import Denied
from lumio.kernel.secret import Secret
from lumio.surface.http.carrier import read_cookie

FORM_COOKIE = "__Host-lumio-form"
HEADER = b"x-csrf-token"
FIELD = "_csrf"
FORM = "form"
SAFE = {"GET", "HEAD", "OPTIONS"}
GUARDED = "/api/"


class ForgeryGuard:
    """Makes and checks form tokens."""

    def __init__(self, peppers: Peppers, public_url: str) -> None:
        """Derive tokens under `peppers`; only pages of `public_url` may post."""
        self._peppers = peppers
        self._public_url = public_url

    def form_token(self, principal: Principal, form_cookie: str | None) -> str:
        """Return the token for a page: bound to the session, or to the visitor's own cookie before sign-in."""
        if principal.session_id is not None:
            return self._peppers.make(f"session/{principal.session_id}").digest.hex()
        return self._peppers.make(f"visitor/{form_cookie or ''}").digest.hex()

    def new_visitor(self) -> str:
        """Return the value of a new visitor cookie."""
        return secrets.token_hex(16)

    def check(self, scope: Any, principal: Principal) -> None:
        """Refuse a forged request; a plain form's token is checked when its body is read.

        Raises:
            Denied: another origin, or no valid token.
        """
        if scope["method"] in SAFE or not scope["path"].startswith(GUARDED):
            return
        headers = dict(scope["headers"])
        self._same_origin(headers)
        if scope["route_handler"].opt.get(FORM):
            return
        self.check_token(headers.get(HEADER, b"").decode("latin-1"), principal, headers)

    def check_token(self, given: str, principal: Principal, headers: dict[bytes, bytes]) -> None:
        """Refuse a wrong token. Raises Denied."""
        cookie = read_cookie(headers.get(b"cookie", b""), FORM_COOKIE)
        unknown = principal.session_id is None and not cookie
        if unknown or not Secret(self.form_token(principal, cookie)).matches(given):
            raise Denied("This page is out of date. Reload it and try again.", internal="form token")

    def _same_origin(self, headers: dict[bytes, bytes]) -> None:
        site = headers.get(b"sec-fetch-site")
        came_from = headers.get(b"origin", b"").decode("latin-1")
        # Under `Referrer-Policy: no-referrer` a plain form of our own page posts with `Origin: null`
        # (Fetch, section 3.2); then the browser's own word in Sec-Fetch-Site is needed.
        by_origin = came_from == self._public_url
        by_metadata = site == b"same-origin" and came_from in {"", "null"}
        if not (by_metadata or (by_origin and site in {None, b"same-origin"})):
            raise Denied(f"This must come from {self._public_url} itself.", internal="cross-origin request")


def cookies_of(headers: Iterable[tuple[bytes, bytes]], name: str) -> str | None:
    """Return one cookie of a request."""
    for header, value in headers:
        if header == b"cookie":
            found = read_cookie(value, name)
            if found is not None:
                return found
    return None
