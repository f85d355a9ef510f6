"""`/v1/audit-log` and `/v1/admin/audit-log`."""

from typing import Any

from litestar import Controller, Response, get
from litestar.di import NamedDependency

from lumio.access.perform import Perform
from lumio.audit.model import Entry, PlatformEntry
from lumio.audit.service import AuditLog, PlatformLog
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


class PlatformLogRoutes(Controller):
    """The operator's log."""

    path = "/admin/audit-log"

    @get("/", **shows(PlatformLog.read, list[PlatformEntry]))
    async def read(
        self, request: Web, platform_log: NamedDependency[PlatformLog], perform: NamedDependency[Perform]
    ) -> Response[Any]:
        """List entries of every account and of none, the newest first."""
        page = await perform(platform_log.read, exchange.asker(request), exchange.query(request), lax=True)
        return exchange.many(request, page)
