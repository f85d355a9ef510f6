"""Account → Security → Audit Log, and the operator's page of the same kind."""

from collections.abc import Mapping
from functools import partial
from typing import Any
from urllib.parse import urlencode

from litestar import Controller, Response, get
from litestar.di import NamedDependency
from litestar.response import Stream

from lumio.access.perform import Perform
from lumio.admin.service import Admin
from lumio.audit.plot import Plot, drawn
from lumio.audit.service import AuditLog, PlatformLog
from lumio.audit.tail import Tails
from lumio.kernel import clock, paging
from lumio.kernel.errors import Invalid
from lumio.kernel.paging import Page
from lumio.surface.html.pages import Pages, Web, asker_of, require_session

ADDRESS = "/dashboard/account/security/audit-log"
PLATFORM = "/audit-log"
ID_LENGTH = 36
FILTERS = ("event", "actor", "result", "ip", "credential_id", "since", "until")


class AuditPages(Controller):
    """The two logs."""

    @get(ADDRESS)
    async def log_page(
        self,
        request: Web,
        pages: NamedDependency[Pages],
        audit_log: NamedDependency[AuditLog],
        perform: NamedDependency[Perform],
        event_names: NamedDependency[tuple[str, ...]],
    ) -> Response[Any]:
        """Show a page of entries; filters and place stand in the address."""
        require_session(request)
        asked = _Asked(request.query_params, FILTERS)
        values = await _found(perform, audit_log, asked, request)
        chrome: dict[str, Any] = {"events": event_names, "platform": False, "base": "/api/audit-log"}
        return await pages.show(request, "audit/log.html", "Audit Log", "Account", "Security", **values, **chrome)

    @get(PLATFORM)
    async def platform_page(
        self,
        request: Web,
        pages: NamedDependency[Pages],
        admin: NamedDependency[Admin],
        platform_log: NamedDependency[PlatformLog],
        perform: NamedDependency[Perform],
        event_names: NamedDependency[tuple[str, ...]],
    ) -> Response[Any]:
        """Show a page of every account's entries, and of those of none."""
        require_session(request)
        await perform(admin.enter, asker_of(request))
        asked = _Asked(request.query_params, (*FILTERS, "account_id"))
        values = await _found(perform, platform_log, asked, request)
        chrome: dict[str, Any] = {"events": event_names, "platform": True, "base": "/api/admin/audit-log"}
        return await pages.show(request, "audit/log.html", "Audit Log", "Admin", **values, **chrome)


class TailRoutes(Controller):
    """What the pages follow; for their own session alone."""

    @get("/api/audit-log/tail")
    async def tail(
        self,
        request: Web,
        audit_log: NamedDependency[AuditLog],
        perform: NamedDependency[Perform],
        tails: NamedDependency[Tails],
    ) -> Stream:
        """Stream new entries of the account."""
        return await _follow(request, tails, perform, audit_log, FILTERS)

    @get("/api/admin/audit-log/tail")
    async def platform_tail(
        self,
        request: Web,
        platform_log: NamedDependency[PlatformLog],
        perform: NamedDependency[Perform],
        tails: NamedDependency[Tails],
    ) -> Stream:
        """Stream new entries of every account and of none."""
        return await _follow(request, tails, perform, platform_log, (*FILTERS, "account_id"))


async def _follow(request: Web, tails: Tails, perform: Perform, service: Any, names: tuple[str, ...]) -> Stream:
    """Look once, so that a refusal is a plain answer, then stream."""
    require_session(request)
    asker, asked = asker_of(request), _Asked(request.query_params, names)
    form = {name: value for name, value in asked.chosen.items() if name not in {"since", "until"}}
    read = partial(perform, service.read, asker, lax=True)
    await read({**form, "limit": 1})
    may_go_on = partial(perform, service.go_on, asker, {"reach": "own"})
    tails.enter()
    ends = asker.principal.expires_at
    pieces = tails.follow(read, form, may_go_on, ends)
    return Stream(pieces, media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})


class _Asked:
    """What an address of the page asks for."""

    def __init__(self, query: Mapping[str, str], names: tuple[str, ...]) -> None:
        self.filters = {name: query.get(name, "").strip() for name in names}
        self.with_authentications = query.get("show_authentications") == "1"
        self.cursor = query.get("cursor", "")

    @property
    def chosen(self) -> dict[str, Any]:
        """The filters as programs give them."""
        given = {name: _zoned(name, value) for name, value in self.filters.items() if value}
        return given if self.with_authentications else {**given, "hide_authentications": "true"}


async def _found(perform: Perform, service: Any, asked: _Asked, request: Web) -> dict[str, Any]:
    """Return what both pages show, and the status of the answer."""
    asker, form = asker_of(request), asked.chosen
    page: Page[Any] = Page([])
    errors: dict[str, str] = {}
    plot = None if asked.cursor else await _plot(perform, service, asked, request)
    try:
        page = await perform(service.read, asker, form | ({"cursor": asked.cursor} if asked.cursor else {}), lax=True)
    except Invalid as error:
        errors = {one.field: one.message for one in error.fields}
    return {
        "status": 422 if errors else 200,
        "items": page.items,
        "next_cursor": page.next_cursor,
        "reached": _reached(page),
        "filters": asked.filters,
        "errors": errors,
        "show_authentications": asked.with_authentications,
        "query": "" if errors else urlencode(form),
        "head": await perform(service.head, asker),
        "plot": plot,
        "live": not errors and not asked.cursor and not asked.filters["until"],
    }


async def _plot(perform: Perform, service: Any, asked: _Asked, request: Web) -> Plot:
    """Return the last day in bars, of the account that the page shows."""
    form: dict[str, Any] = {"hide_authentications": not asked.with_authentications}
    account_id = asked.filters.get("account_id", "")
    if 0 < len(account_id) <= ID_LENGTH:
        form["account_id"] = account_id
    return drawn(await perform(service.hours, asker_of(request), form), clock.now())


def _reached(page: Page[Any]) -> Any:
    """Return how far into the past a page looked that has more behind it, or None at the end."""
    if page.next_cursor is None:
        return None
    return clock.from_micros(paging.decode_moment(page.next_cursor)[0])


def _zoned(name: str, value: str) -> str:
    """Read the browser's local form of a time as UTC, as its label says."""
    if name not in {"since", "until"} or value.endswith("Z") or "+" in value:
        return value
    return f"{value}:00Z" if value.count(":") == 1 else f"{value}Z"
