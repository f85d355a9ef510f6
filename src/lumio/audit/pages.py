"""Account → Security → Audit Log."""

from typing import Any

from litestar import Controller, Response, get
from litestar.di import NamedDependency

from lumio.access.perform import Perform
from lumio.audit.service import AuditLog
from lumio.kernel.errors import Invalid
from lumio.kernel.paging import Page
from lumio.surface.html.pages import Pages, Web, asker_of, require_session

ADDRESS = "/dashboard/account/security/audit-log"
FILTERS = ("event", "actor", "result", "ip", "credential_id", "since", "until")


class AuditPages(Controller):
    """The log."""

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
        asked = request.query_params
        filters = {name: asked.get(name, "").strip() for name in FILTERS}
        shown = asked.get("show_authentications") == "1"
        form: dict[str, Any] = {name: _zoned(name, value) for name, value in filters.items() if value}
        form["hide_authentications"] = not shown
        if asked.get("cursor"):
            form["cursor"] = asked["cursor"]
        errors: dict[str, str] = {}
        try:
            found = await perform(audit_log.read, asker_of(request), form)
        except Invalid as error:
            found, errors = Page([]), {one.field: one.message for one in error.fields}
        return await pages.show(
            request,
            "audit/log.html",
            "Audit Log",
            "Account",
            "Security",
            status=422 if errors else 200,
            items=found.items,
            next_cursor=found.next_cursor,
            filters=filters,
            errors=errors,
            show_authentications=shown,
            events=event_names,
        )


def _zoned(name: str, value: str) -> str:
    """Read the browser's local form of a time as UTC, as its label says."""
    if name not in {"since", "until"} or value.endswith("Z") or "+" in value:
        return value
    return f"{value}:00Z" if value.count(":") == 1 else f"{value}Z"
