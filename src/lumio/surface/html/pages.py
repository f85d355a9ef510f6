"""Rendering a page: the shell around it, its cookies, and what to do when there is none to show.

Promise: a page knows nothing that its actions did not return, and a form posts back to its own origin only.
"""

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeVar, cast
from urllib.parse import parse_qsl, quote

from jinja2 import Environment
from litestar import Request, Response
from litestar.response import Redirect

from lumio.access.action import Action
from lumio.access.perform import Perform
from lumio.access.principal import Asker
from lumio.kernel.errors import FieldError, Invalid, LumioError, Malformed, Unauthenticated
from lumio.kernel.paging import LIMIT_MAX, Page
from lumio.surface.html.cookies import no_session, visitor_cookie
from lumio.surface.html.templating import StaticFiles
from lumio.surface.http.failures import headers_of, status_of
from lumio.surface.http.forgery import FIELD, FORM_COOKIE, ForgeryGuard, cookies_of

Web = Request[Any, Any, Any]
Item = TypeVar("Item")

THEMES = {"light", "dark"}
SEE_OTHER: Literal[303] = 303
_LOCAL = re.compile(r"/(?![/\\])[\x21-\x5b\x5d-\x7e]{0,999}")
_FORM_FIELDS_MAX = 50


@dataclass(frozen=True, slots=True)
class Facts:
    """What the shell shows of the person, the account that they act in, and those that they could switch to."""

    name: str
    email: str
    role_label: str
    account: dict[str, str]
    permissions: frozenset[str]
    accounts: Sequence[Mapping[str, Any]] = ()


@dataclass(frozen=True, slots=True)
class Place:
    """One line of the sidebar; shown to those who hold the permission, `:own` or not."""

    heading: str
    label: str
    icon: str
    href: str
    permission: str


Describe = Callable[[Asker], Awaitable[Facts]]


class Pages:
    """Renders templates inside the shell."""

    def __init__(
        self,
        env: Environment,
        static: StaticFiles,
        forgery: ForgeryGuard,
        describe: Describe,
        places: Sequence[Place],
    ) -> None:
        """Render with `env`; `describe` says who a signed-in person is, `places` what the sidebar lists."""
        self._env = env
        self._static = static
        self._forgery = forgery
        self._describe = describe
        self._places = places

    async def show(
        self, request: Web, template: str, title: str, *crumbs: str, status: int = 200, **values: Any
    ) -> Response[str]:
        """Return a page in the shell of whoever asks."""
        asker = asker_of(request)
        facts = await self._describe(asker) if asker.principal.session_id is not None else None
        visitor = cookies_of(request.scope["headers"], FORM_COOKIE)
        fresh = self._forgery.new_visitor() if facts is None and visitor is None else None
        shell = self._shell(request, title, crumbs, facts)
        shell["csrf"] = self._forgery.form_token(asker.principal, fresh or visitor)
        text = self._env.get_template(template).render(shell=shell, **values)
        cookies = [visitor_cookie(fresh)] if fresh else []
        return Response(text, status_code=status, media_type="text/html", cookies=cookies)

    def problem(self, request: Web, error: LumioError) -> Response[Any]:
        """Return the page for an error; one that only lacks a sign-in leads to it, and back again."""
        if isinstance(error, Unauthenticated):
            return to_sign_in(request)
        status = status_of(error)
        shell = self._shell(request, _TITLES.get(status, "Something went wrong"), (), None)
        shell["csrf"] = ""
        text = self._env.get_template("error.html").render(
            shell=shell, status=status, title=shell["title"], detail=error.public, request_id=shell["request_id"]
        )
        return Response(text, status_code=status, media_type="text/html", headers=headers_of(error))

    def _shell(self, request: Web, title: str, crumbs: Sequence[str], facts: Facts | None) -> dict[str, Any]:
        theme = request.cookies.get("theme", "auto")
        person = None
        if facts is not None:
            person = {
                "name": facts.name,
                "email": facts.email,
                "role_label": facts.role_label,
                "initial": facts.name[:1].upper(),
            }
        return {
            "title": title,
            "crumbs": list(crumbs),
            "theme": theme if theme in THEMES else "auto",
            "request_id": request.scope["state"]["request_id"],
            "static": self._static.address,
            "person": person,
            "account": facts.account if facts else None,
            "accounts": list(facts.accounts) if facts else [],
            "nav": self._nav(facts, request.url.path) if facts else [],
        }

    def _nav(self, facts: Facts, path: str) -> list[dict[str, Any]]:
        groups: dict[str, list[dict[str, Any]]] = {}
        for place in self._places:
            if not {place.permission, f"{place.permission}:own"} & facts.permissions:
                continue
            current = path == place.href or path.startswith(f"{place.href}/")
            item = {"label": place.label, "icon": place.icon, "href": place.href, "current": current}
            groups.setdefault(place.heading, []).append(item)
        return [{"heading": heading, "items": items} for heading, items in groups.items()]

    async def form(self, request: Web) -> dict[str, str]:
        """Return the fields of a posted form, its token checked.

        Raises:
            Denied: the token is not the page's.
            Malformed: no form, or a field twice.
        """
        content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if content_type != "application/x-www-form-urlencoded":
            raise Malformed([FieldError("", "content_type", "This address takes a form.")])
        try:
            pairs = parse_qsl(
                (await request.body()).decode(), keep_blank_values=True, max_num_fields=_FORM_FIELDS_MAX
            )
        except ValueError:
            raise Malformed([FieldError("", "form", "The form cannot be read.")]) from None
        fields = dict(pairs)
        if len(fields) != len(pairs):
            raise Malformed([FieldError("", "twice", "A field stands there twice.")])
        headers = dict(request.scope["headers"])
        self._forgery.check_token(fields.pop(FIELD, ""), asker_of(request).principal, headers)
        return fields


async def every(perform: Perform, action: Action[Any, Page[Item]], asker: Asker) -> list[Item]:
    """Return everything of a list, page by page, by the action that also answers programs."""
    found: list[Item] = []
    form: dict[str, Any] = {"limit": LIMIT_MAX}
    while True:
        page = await perform(action, asker, form)
        found.extend(page.items)
        if page.next_cursor is None:
            return found
        form["cursor"] = page.next_cursor


def asker_of(request: Web) -> Asker:
    """Return who asks."""
    return cast("Asker", request.scope["state"]["asker"])


def require_session(request: Web) -> None:
    """Refuse whoever is not signed in on this browser. Raises Unauthenticated."""
    if not asker_of(request).principal.page:
        raise Unauthenticated(internal="a page needs its session")


def local_address(text: str | None) -> str:
    """Return `text` when it is an address inside this site, else the dashboard's (RFC 9700, section 4.11)."""
    return text if text and _LOCAL.fullmatch(text) else "/dashboard"


def see_other(address: str) -> Redirect:
    """Return a redirect after a form, to be followed with GET."""
    return Redirect(address, status_code=SEE_OTHER)


def to_sign_in(request: Web) -> Redirect:
    """Return the way to the sign-in page; a session that is over is forgotten by the browser."""
    path = request.url.path
    wanted = path if request.method == "GET" and path not in {"/", "/dashboard", "/login"} else ""
    answer = see_other(f"/login?next={quote(wanted)}" if wanted else "/login")
    answer.set_cookie(no_session())
    return answer


def by_field(error: LumioError) -> dict[str, str]:
    """Return an error's sentences by field; the one of no field stands under an empty name."""
    if isinstance(error, Invalid) and error.fields:
        return {one.field: one.message for one in error.fields}
    return {"": error.public}


_TITLES = {
    400: "The request cannot be read",
    403: "Not allowed",
    404: "Nothing here",
    405: "Not like this",
    413: "Too large",
    422: "Something does not fit",
    429: "Too often",
    500: "Something broke",
    503: "Not right now",
}
