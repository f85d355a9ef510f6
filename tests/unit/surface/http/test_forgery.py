"""Forgery: a change that rides on a cookie comes from our own pages, by its origin and by its token."""

from types import SimpleNamespace
from typing import Any

import pytest

from lumio.access.kinds import Kind
from lumio.access.principal import ANONYMOUS, Principal
from lumio.crypto.hashing import Peppers
from lumio.crypto.roots import RootRing
from lumio.kernel.errors import Denied
from lumio.kernel.event import Actor
from lumio.surface.http.forgery import FORM, FORM_COOKIE, ForgeryGuard

PUBLIC = "https://lumio.example"
GUARD = ForgeryGuard(Peppers(RootRing({1: b"r" * 32}), "forms"), PUBLIC)
ROBIN = Principal(Kind.SESSION, Actor("user", "robin"), session_id="a-session", page=True)
MIA = Principal(Kind.SESSION, Actor("user", "mia"), session_id="another-session", page=True)
OURS = {"origin": PUBLIC, "sec-fetch-site": "same-origin"}


def asked(
    principal: Principal, headers: dict[str, str], *, method: str = "POST", path: str = "/api/x", form: bool = False
) -> bool:
    """Tell whether the guard lets a request pass."""
    scope: dict[str, Any] = {
        "method": method,
        "path": path,
        "headers": [(name.encode(), value.encode("latin-1")) for name, value in headers.items()],
        "route_handler": SimpleNamespace(opt={FORM: form}),
    }
    try:
        GUARD.check(scope, principal)
    except Denied:
        return False
    return True


def with_token(principal: Principal, visitor: str | None = None, **more: str) -> dict[str, str]:
    headers = {**OURS, "x-csrf-token": GUARD.form_token(principal, visitor)}
    if visitor is not None:
        headers["cookie"] = f"{FORM_COOKIE}={visitor}"
    return {name: value for name, value in {**headers, **more}.items() if value != "-"}


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "TRACE", "FOO"])
def test_a_change_needs_the_token_of_its_own_session(method: str) -> None:
    assert asked(ROBIN, with_token(ROBIN), method=method)
    for wrong in ("-", "", "x", GUARD.form_token(MIA, None), GUARD.form_token(ANONYMOUS, "v"), "é" * 64):
        assert not asked(ROBIN, with_token(ROBIN, **{"x-csrf-token": wrong}), method=method)


@pytest.mark.parametrize(
    ("more", "passes"),
    [
        ({}, True),
        ({"sec-fetch-site": "-"}, True),
        ({"origin": "-"}, True),
        ({"origin": "null"}, True),
        ({"origin": "null", "sec-fetch-site": "-"}, False),
        ({"origin": "-", "sec-fetch-site": "-"}, False),
        ({"sec-fetch-site": "cross-site"}, False),
        ({"sec-fetch-site": "same-site"}, False),
        ({"sec-fetch-site": "none"}, False),
        ({"origin": "https://evil.example"}, False),
        ({"origin": "https://lumio.example.evil.example"}, False),
        ({"origin": "https://evil.lumio.example"}, False),
        ({"origin": "http://lumio.example"}, False),
        ({"origin": "https://lumio.example:444"}, False),
        ({"origin": "https://LUMIO.example"}, False),
        ({"origin": "https://lumio.example/"}, False),
        ({"origin": ""}, True),
    ],
)
def test_a_change_comes_from_our_own_origin_even_with_the_right_token(more: dict[str, str], passes: bool) -> None:
    assert asked(ROBIN, with_token(ROBIN, **more)) == passes


def test_before_sign_in_the_token_belongs_to_the_visitor_s_cookie() -> None:
    one, other = GUARD.new_visitor(), GUARD.new_visitor()
    assert one != other
    assert asked(ANONYMOUS, with_token(ANONYMOUS, one))
    planted = {**with_token(ANONYMOUS, one), "x-csrf-token": GUARD.form_token(ANONYMOUS, other)}
    assert not asked(ANONYMOUS, planted)


def test_without_session_and_cookie_no_token_is_right() -> None:
    assert not asked(ANONYMOUS, {**OURS, "x-csrf-token": GUARD.form_token(ANONYMOUS, None)})
    assert not asked(ANONYMOUS, {**OURS, "x-csrf-token": GUARD.form_token(ANONYMOUS, "")})


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_reading_needs_none(method: str) -> None:
    assert asked(ROBIN, {"sec-fetch-site": "cross-site", "origin": "https://evil.example"}, method=method)


def test_a_plain_form_is_held_to_its_origin_at_once_and_to_its_token_when_it_is_read() -> None:
    assert asked(ROBIN, OURS, form=True)
    assert not asked(ROBIN, {"origin": "https://evil.example"}, form=True)
    headers = {b"cookie": b""}
    GUARD.check_token(GUARD.form_token(ROBIN, None), ROBIN, headers)
    with pytest.raises(Denied):
        GUARD.check_token("", ROBIN, headers)


def test_tokens_of_two_installations_differ() -> None:
    other = ForgeryGuard(Peppers(RootRing({1: b"s" * 32}), "forms"), PUBLIC)
    assert other.form_token(ROBIN, None) != GUARD.form_token(ROBIN, None)
