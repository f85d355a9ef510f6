"""What the operator does to the audit log: verify, purge, hold, erase, with the rights of the admin role."""

from dataclasses import dataclass
from typing import Self

from lumio.audit.erasure import Erasure
from lumio.audit.heads import HeadFile
from lumio.audit.holds import Holds
from lumio.audit.reserve import Reserve
from lumio.audit.retention import Retention
from lumio.audit.sealer import Sealer
from lumio.audit.store.retention import RetentionStore
from lumio.audit.store.sealing import SealStore
from lumio.audit.store.verifying import VerifyStore
from lumio.audit.verification import Verification
from lumio.crypto import roots
from lumio.crypto.notary import Notary
from lumio.settings import Settings
from lumio.storage.database import Database
from lumio.storage.unit import Units
from lumio.surface.http.housekeeping import Chore


@dataclass(frozen=True, slots=True)
class AuditTools:
    """The tools, on one database."""

    database: Database
    notary: Notary
    heads: HeadFile
    sealer: Sealer
    verification: Verification
    retention: Retention
    erasure: Erasure
    holds: Holds
    reserve: Reserve

    async def purge_as_chore(self) -> None:
        """Purge when this role may: where roles are apart, the operator's schedule does it."""
        async with self.database.reading() as connection:
            allowed = await self.database.dialect.may_change_log(connection)
        if allowed:
            await self.retention.purge()

    async def __aenter__(self) -> Self:
        """Open nothing: engines connect when they are used."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close the engines."""
        await self.database.close()


def audit_tools(settings: Settings, database: Database | None = None) -> AuditTools:
    """Build the tools on `LUMIO_DATABASE_ADMIN_URL`, or on a database that is there already."""
    database = database or Database(settings.database_admin_url)
    notary = Notary(roots.load(settings.root_secret_file))
    units, heads, store = Units(database, settings.node), HeadFile(settings.audit_heads), RetentionStore()
    heads.move_from(settings.former_audit_heads)
    sealer = Sealer(SealStore(database.dialect), units, notary, heads)
    verification = Verification(units, VerifyStore(), notary.public_keys)
    return AuditTools(
        database=database,
        notary=notary,
        heads=heads,
        sealer=sealer,
        verification=verification,
        retention=Retention(units, store, verification, notary, heads),
        erasure=Erasure(units, store, sealer),
        holds=Holds(units, store),
        reserve=Reserve(settings.audit_reserve),
    )


def audit_chores(tools: AuditTools) -> list[Chore]:
    """Return what a host does to the log again and again, once however many workers it has."""
    return [(0.25, tools.sealer.run), (5, tools.sealer.watch_backlog), (3600, tools.purge_as_chore)]
