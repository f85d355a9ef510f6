"""The cookies of pages: `__Host-`, HttpOnly, SameSite=Lax (RFC 6265bis), so that no other host can set them."""

from litestar.datastructures import Cookie

from lumio.surface.http.carrier import SESSION_COOKIE
from lumio.surface.http.forgery import FORM_COOKIE

NINETY_DAYS = 90 * 86400


def session_cookie(secret: str) -> Cookie:
    """Return the cookie of a page session."""
    return Cookie(
        SESSION_COOKIE,
        value=secret,
        path="/",
        secure=True,
        httponly=True,
        samesite="lax",
        max_age=NINETY_DAYS,
    )


def no_session() -> Cookie:
    """Return the cookie that removes the page session."""
    return Cookie(SESSION_COOKIE, value="", path="/", secure=True, httponly=True, samesite="lax", max_age=0)


def visitor_cookie(value: str) -> Cookie:
    """Return the cookie that binds a visitor's forms before sign-in."""
    return Cookie(FORM_COOKIE, value=value, path="/", secure=True, httponly=True, samesite="lax")
