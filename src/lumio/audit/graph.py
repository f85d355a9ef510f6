"""The account's log and the operator's, for GraphQL, as connections; the shapes are those of the models."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

import strawberry
from strawberry.scalars import JSON

from lumio.audit.model import Entry, ReadLog
from lumio.audit.service import AuditLog, PlatformLog
from lumio.kernel import clock, paging
from lumio.kernel.paging import Page
from lumio.surface.graph.call import Info, shown
from lumio.surface.graph.connection import PageEnd, page_end

FIRST = ReadLog().limit


@strawberry.type
class AuditTarget:
    """What an event was about."""

    type: str
    id: strawberry.ID


@strawberry.type
class AuditEntry:
    """One row of the log."""

    timestamp: datetime
    event: str
    actor: str
    ip: str | None
    result: str
    id: strawberry.ID
    actor_type: str
    credential_id: strawberry.ID | None
    target: AuditTarget | None
    count: int
    request_id: strawberry.ID | None
    position: int | None
    user_agent: str | None
    detail: JSON
    last_timestamp: datetime | None
    erased: bool


@strawberry.type
class AdminAuditEntry(AuditEntry):
    """One row of the operator's log."""

    account_id: strawberry.ID | None


@strawberry.type
class AuditEdge:
    """An entry and the cursor to read on after it."""

    cursor: str
    node: AuditEntry


@strawberry.type
class AuditConnection:
    """A page of the log, the newest entry first."""

    edges: list[AuditEdge]
    page_info: PageEnd


@strawberry.type
class AdminAuditEdge:
    """An entry and the cursor to read on after it."""

    cursor: str
    node: AdminAuditEntry


@strawberry.type
class AdminAuditConnection:
    """A page of the operator's log, the newest entry first."""

    edges: list[AdminAuditEdge]
    page_info: PageEnd


@strawberry.input
class AuditFilter:
    """Filters, all optional; an entry must fit every one that is given."""

    event: str | None = None
    actor: str | None = None
    result: str | None = None
    ip: str | None = None
    credential_id: strawberry.ID | None = None
    since: datetime | None = None
    until: datetime | None = None
    hide_authentications: bool = False


@strawberry.input
class AdminAuditFilter(AuditFilter):
    """The same, and one account of all."""

    account_id: strawberry.ID | None = None


Filter = Annotated[AuditFilter | None, strawberry.argument(name="filter")]
AdminFilter = Annotated[AdminAuditFilter | None, strawberry.argument(name="filter")]


@strawberry.type
class AuditQueries:
    """What can be asked of the log."""

    @strawberry.field
    async def audit_log(
        self, info: Info, first: int = FIRST, after: str | None = None, chosen: Filter = None
    ) -> AuditConnection:
        """Read the log, the newest first; `first` is 1 to 200."""
        call = info.context
        page = await call.perform(call.of(AuditLog).read, call.asker, _form(chosen, first, after))
        edges = [AuditEdge(cursor=_cursor(one), node=shown(AuditEntry, one)) for one in page.items]
        return AuditConnection(edges=edges, page_info=_end(edges, page, after))

    @strawberry.field
    async def admin_audit_log(
        self, info: Info, first: int = FIRST, after: str | None = None, chosen: AdminFilter = None
    ) -> AdminAuditConnection:
        """Read the log of every account and of none, the newest first; `first` is 1 to 200."""
        call = info.context
        page = await call.perform(call.of(PlatformLog).read, call.asker, _form(chosen, first, after))
        edges = [AdminAuditEdge(cursor=_cursor(one), node=shown(AdminAuditEntry, one)) for one in page.items]
        return AdminAuditConnection(edges=edges, page_info=_end(edges, page, after))


def _form(chosen: AuditFilter | None, first: int, after: str | None) -> dict[str, Any]:
    return {**(vars(chosen) if chosen else {}), "limit": first, "cursor": after}


def _cursor(one: Entry) -> str:
    return paging.encode(clock.to_micros(one.timestamp), one.id)


def _end(edges: Sequence[AuditEdge | AdminAuditEdge], page: Page[Any], after: str | None) -> PageEnd:
    """Return the end of a page; its cursor may lie behind the last edge, where fewer fit than were asked for."""
    end = page_end([edge.cursor for edge in edges], more=page.next_cursor is not None, after=after)
    end.end_cursor = page.next_cursor or end.end_cursor
    return end
