"""The account's log, for GraphQL, as a connection; the shapes are those of the models."""

from datetime import datetime
from typing import Annotated

import strawberry
from strawberry.scalars import JSON

from lumio.audit.model import ReadLog
from lumio.audit.service import AuditLog
from lumio.kernel import clock, paging
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


Filter = Annotated[AuditFilter | None, strawberry.argument(name="filter")]


@strawberry.type
class AuditQueries:
    """What can be asked of the log."""

    @strawberry.field
    async def audit_log(
        self, info: Info, first: int = FIRST, after: str | None = None, chosen: Filter = None
    ) -> AuditConnection:
        """Read the log, the newest first; `first` is 1 to 200."""
        call = info.context
        form = {**(vars(chosen) if chosen else {}), "limit": first, "cursor": after}
        page = await call.perform(call.of(AuditLog).read, call.asker, form)
        edges = [
            AuditEdge(cursor=paging.encode(clock.to_micros(one.timestamp), one.id), node=shown(AuditEntry, one))
            for one in page.items
        ]
        more = page.next_cursor is not None
        return AuditConnection(
            edges=edges, page_info=page_end([edge.cursor for edge in edges], more=more, after=after)
        )
