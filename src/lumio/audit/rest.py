"""`/v1/audit-log`."""

from typing import Any

from litestar import Controller, Response, get
from litestar.di import NamedDependency

from lumio.access.perform import Perform
from lumio.audit.model import Entry
from lumio.audit.service import AuditLog
from lumio.surface.rest import exchange
from lumio.surface.rest.exchange import Web
from lumio.surface.rest.openapi import shows


class AuditLogRoutes(Controller):
    """The account's log."""

    path = "/audit-log"

    @get("/", **shows(AuditLog.read, list[Entry]))
    async def read(
        self, request: Web, audit_log: NamedDependency[AuditLog], perform: NamedDependency[Perform]
    ) -> Response[Any]:
        """List entries, the newest first."""
        page = await perform(audit_log.read, exchange.asker(request), exchange.query(request), lax=True)
        return exchange.many(request, page)
