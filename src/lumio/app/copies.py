"""Backup and restore of an installation on SQLite, for the operator.

Promise: a copy never has the root secret in it, and whatever is put back lacks nothing that was revoked and noted.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lumio.app.endings import RESTORED
from lumio.app.staff import at_work
from lumio.audit.heads import HeadFile
from lumio.authority.reconciliation import Reconciled
from lumio.extensions.store import VersionStore
from lumio.kernel import clock
from lumio.kernel.event import NOWHERE, SYSTEM, Event
from lumio.settings import Settings
from lumio.storage import copies
from lumio.storage.database import Database
from lumio.storage.dialect import SqliteDialect, choose
from lumio.storage.migrate import upgrade
from lumio.storage.unit import Unit, Units

NOT_A_FILE = "This installation is on PostgreSQL, which has its own tools; docs/how-to/backup.md says which and how."


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restore did: where the replaced files are kept, and what the copy lacked."""

    replaced: Path | None
    heads: Path | None
    reconciled: Reconciled


def database_file(settings: Settings) -> Path:
    """Return the file of the database. Raises ValueError on PostgreSQL."""
    dialect = choose(settings.database_url)
    if not isinstance(dialect, SqliteDialect):
        raise ValueError(NOT_A_FILE)  # noqa: TRY004 - the value of a setting, not a type of ours
    return dialect.path


async def back_up(settings: Settings, target: Path) -> Sequence[tuple[str, int]]:
    """Copy the database into a new file; return the bundles that it names: digest and size.

    Raises:
        ValueError: the installation is on PostgreSQL.
        OSError, Unavailable: it cannot be read or written; nothing is left at `target`.
    """
    file, database = database_file(settings), Database(settings.database_url)
    units = Units(database, settings.node)
    try:
        before = await units.read(VersionStore().bundles)
        copies.take(file, target)
        return sorted({*before, *await units.read(VersionStore().bundles)})
    finally:
        await database.close()


async def restore(settings: Settings, source: Path) -> Restored:
    """Put a copy back, and do again what was revoked since it was taken.

    Raises:
        ValueError: the installation is on PostgreSQL, or the file is no whole copy.
        InUse: somebody has the database open.
        OSError: it cannot be read or written.
        Unavailable: the copy is in its place, and it is not known what it lacks; nothing is served on it.
    """
    file = database_file(settings)
    copies.check(source)
    replaced = copies.put_back(source, file)
    heads = _set_heads_aside(settings)
    await upgrade(settings.database_admin_url)
    async with at_work(settings) as staff:
        detail = {"copy": source.name, "lost": staff.reconciled.lost}

        async def record(unit: Unit) -> None:
            unit.record(Event(RESTORED, "success", SYSTEM, NOWHERE, detail=detail))

        await staff.units.run(record)
        return Restored(replaced, heads, staff.reconciled)


def _set_heads_aside(settings: Settings) -> Path | None:
    """Let the chain of the copy have heads of its own; those of the lost part go on proving that there was one."""
    heads = HeadFile(settings.audit_heads)
    heads.move_from(settings.former_audit_heads)
    if not heads.path.exists():
        return None
    return heads.path.rename(heads.path.with_name(f"audit-heads.until-{clock.now():%Y%m%dT%H%M%SZ}.ndjson"))
