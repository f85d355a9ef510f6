"""`/v1/audit-log`, `/v1/admin/audit-log`, and the public keys that their signatures are checked by."""

from functools import partial
from typing import Any

from litestar import Controller, Response, get
from litestar.di import NamedDependency
from litestar.response import Stream

from lumio.access.perform import Perform
from lumio.audit.exports import Exports, MayGoOn, Order
from lumio.audit.model import Entry, ExportLog, ExportPlatformLog, Head, PlatformEntry
from lumio.audit.service import AuditLog, PlatformLog
from lumio.audit.signing import Signing
from lumio.surface.http.gate import OPEN
from lumio.surface.rest import exchange
from lumio.surface.rest.exchange import Web
from lumio.surface.rest.openapi import shows

NDJSON = "application/x-ndjson"
TYPES = {"ndjson": NDJSON, "csv": "text/csv"}


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

    @get("/head", **shows(AuditLog.head, Head))
    async def head(
        self, request: Web, audit_log: NamedDependency[AuditLog], perform: NamedDependency[Perform]
    ) -> Response[Any]:
        """Show the end of the chain, signed now."""
        exchange.query(request)
        return exchange.one(request, await perform(audit_log.head, exchange.asker(request)))

    @get("/export", **shows(Exports.order, None, bare=True, gives=NDJSON, query=ExportLog))
    async def export(
        self,
        request: Web,
        exports: NamedDependency[Exports],
        audit_log: NamedDependency[AuditLog],
        perform: NamedDependency[Perform],
    ) -> Stream:
        """Download entries in the order of their chain; the last line is signed."""
        asker = exchange.asker(request)
        order = await perform(exports.order, asker, exchange.query(request), lax=True)
        reach = {"reach": "all" if order.chosen.person_id is None else "own"}
        return _file(exports, order, partial(perform, audit_log.go_on, asker, reach))


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

    @get("/head", **shows(PlatformLog.head, Head))
    async def head(
        self, request: Web, platform_log: NamedDependency[PlatformLog], perform: NamedDependency[Perform]
    ) -> Response[Any]:
        """Show the end of the chain, signed now."""
        exchange.query(request)
        return exchange.one(request, await perform(platform_log.head, exchange.asker(request)))

    @get("/export", **shows(Exports.order_all, None, bare=True, gives=NDJSON, query=ExportPlatformLog))
    async def export(
        self,
        request: Web,
        exports: NamedDependency[Exports],
        platform_log: NamedDependency[PlatformLog],
        perform: NamedDependency[Perform],
    ) -> Stream:
        """Download entries of every account and of none in the order of their chain; the last line is signed."""
        asker = exchange.asker(request)
        order = await perform(exports.order_all, asker, exchange.query(request), lax=True)
        return _file(exports, order, partial(perform, platform_log.go_on, asker, {}))


@get("/.well-known/lumio-audit-keys.json", opt={OPEN: True})
async def audit_keys(signing: NamedDependency[Signing]) -> Response[Any]:
    """Publish the keys that exports and heads are signed with; the last one signs now."""
    return Response({"algorithm": "Ed25519", "keys": list(signing.public_keys)})


def _file(exports: Exports, order: Order, may_go_on: MayGoOn) -> Stream:
    headers = {"Content-Disposition": f'attachment; filename="{order.name}"'}
    return Stream(exports.write(order, may_go_on), media_type=TYPES[order.format], headers=headers)
