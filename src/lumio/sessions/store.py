"""Tables of sessions and refresh tokens; read here and nowhere else."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Column, ForeignKey, String, Table, Text, bindparam, func, insert, select, update

from lumio.crypto.hashing import Fingerprint
from lumio.kernel import clock, ids
from lumio.sessions.model import SessionRow
from lumio.storage.columns import Moment, fingerprint_columns, id_column, metadata
from lumio.storage.hot import HotQuery, HotReader
from lumio.storage.unit import Unit, Units, View
from lumio.storage.uses import LastUse

sessions = Table(
    "session",
    metadata,
    id_column(primary_key=True),
    Column("user_id", ForeignKey("user_person.id"), nullable=False, index=True),
    Column("account_id", ForeignKey("account.id"), nullable=False),
    *fingerprint_columns(nullable=True),
    Column("created_at", Moment, nullable=False),
    Column("last_seen_at", Moment, nullable=False),
    Column("proven_at", Moment, nullable=False),
    Column("amr", String(64), nullable=False),
    Column("ip", String(64)),
    Column("user_agent", Text),
    Column("ended_at", Moment),
)

refresh_tokens = Table(
    "refresh_token",
    metadata,
    id_column(primary_key=True),
    Column("session_id", ForeignKey("session.id"), nullable=False, index=True),
    *fingerprint_columns(),
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
    Column("used_at", Moment),
)

_ROW = select(
    sessions.c.id, sessions.c.user_id, sessions.c.account_id, sessions.c.pepper_v, sessions.c.digest,
    sessions.c.created_at, sessions.c.last_seen_at, sessions.c.proven_at, sessions.c.amr, sessions.c.ended_at,
)  # fmt: skip
_BY_ID = HotQuery(_ROW.where(sessions.c.id == bindparam("id")))
_BY_LOOKUP = HotQuery(_ROW.where(sessions.c.lookup_id == bindparam("lookup_id")))

_LAST_SEEN = LastUse(sessions, sessions.c.ended_at.is_(None), at="last_seen_at")


class SessionStore:
    """Reads and writes sessions."""

    async def by_id(self, hot: HotReader, session_id: str) -> SessionRow | None:
        """Return a session by its id."""
        return _row(await hot.row(_BY_ID, id=session_id))

    async def by_lookup(self, hot: HotReader, lookup_id: str) -> SessionRow | None:
        """Return a page session by its public lookup id."""
        return _row(await hot.row(_BY_LOOKUP, lookup_id=lookup_id))

    async def within(self, view: View, session_id: str) -> Any | None:
        """Return a session's row by its id, as `view` sees it."""
        return (await view.execute(select(sessions).where(sessions.c.id == session_id))).first()

    async def add(self, unit: Unit, values: Mapping[str, Any]) -> str:
        """Insert a session; return its id."""
        row = {"id": ids.uuid7(), **values}
        await unit.execute(insert(sessions), row)
        return str(row["id"])

    async def replace_secret(self, unit: Unit, session_id: str, lookup_id: str, new: Fingerprint) -> None:
        """Give a page session another secret; the old one is dead at commit."""
        change = update(sessions).where(sessions.c.id == session_id, sessions.c.ended_at.is_(None))
        await unit.execute(change.values(lookup_id=lookup_id, pepper_v=new.pepper_v, digest=new.digest))

    async def prove(self, unit: Unit, session_id: str, moment: datetime) -> None:
        """Note when the person last proved who they are."""
        await unit.execute(update(sessions).where(sessions.c.id == session_id).values(proven_at=moment))

    async def end(self, unit: Unit, session_id: str) -> bool:
        """End a session; return False when it had ended before."""
        live = update(sessions).where(sessions.c.id == session_id, sessions.c.ended_at.is_(None))
        return (await unit.execute(live.values(ended_at=clock.now()))).rowcount == 1

    async def end_many(self, unit: Unit, session_ids: Sequence[str]) -> Sequence[Any]:
        """End those of some sessions that live; return id and account of each."""
        live = update(sessions).where(sessions.c.id.in_(session_ids), sessions.c.ended_at.is_(None))
        ended = live.values(ended_at=clock.now()).returning(sessions.c.id, sessions.c.account_id)
        return (await unit.execute(ended)).all()

    async def end_all(self, unit: Unit, until: datetime | None) -> dict[str, int]:
        """End every session that lives, opened until then when given; return how many by account."""
        live = [sessions.c.ended_at.is_(None), *([sessions.c.created_at <= until] if until else [])]
        counted = select(sessions.c.account_id, func.count().label("n")).where(*live).group_by(sessions.c.account_id)
        found = {row.account_id: int(row.n) for row in await unit.execute(counted)}
        await unit.execute(update(sessions).where(*live).values(ended_at=clock.now()))
        return found

    async def live_of(self, view: View, user_id: str) -> list[str]:
        """Return the ids of a person's sessions that have not ended."""
        live = select(sessions.c.id).where(sessions.c.user_id == user_id, sessions.c.ended_at.is_(None))
        return [row.id for row in await view.execute(live)]

    async def live_in(self, view: View, account_id: str, user_id: str | None) -> list[str]:
        """Return the ids of live sessions that act in an account, of one person when given."""
        live = select(sessions.c.id).where(sessions.c.account_id == account_id, sessions.c.ended_at.is_(None))
        if user_id is not None:
            live = live.where(sessions.c.user_id == user_id)
        return [row.id for row in await view.execute(live)]

    async def act_in(self, unit: Unit, session_id: str, account_id: str) -> None:
        """Move a session to another account."""
        moved = update(sessions).where(sessions.c.id == session_id, sessions.c.ended_at.is_(None))
        await unit.execute(moved.values(account_id=account_id))

    async def known_address(self, view: View, user_id: str, ip: str, since: datetime) -> bool:
        """Tell whether the person signed in from this address since then."""
        found = select(sessions.c.id).where(
            sessions.c.user_id == user_id, sessions.c.ip == ip, sessions.c.created_at >= since
        )
        return (await view.execute(found.limit(1))).first() is not None

    async def add_refresh(self, unit: Unit, values: Mapping[str, Any]) -> None:
        """Insert a refresh token."""
        await unit.execute(insert(refresh_tokens), {"id": ids.uuid7(), **values})

    async def refresh(self, view: View, lookup_id: str) -> Any | None:
        """Return a refresh token's row by its public lookup id."""
        found = select(refresh_tokens).where(refresh_tokens.c.lookup_id == lookup_id)
        return (await view.execute(found)).first()

    async def use_refresh(self, unit: Unit, token_id: str) -> bool:
        """Spend a refresh token; return False when it was spent before, also at the same moment."""
        fresh = update(refresh_tokens).where(refresh_tokens.c.id == token_id, refresh_tokens.c.used_at.is_(None))
        return (await unit.execute(fresh.values(used_at=clock.now()))).rowcount == 1

    async def saw(self, units: Units, seen: Mapping[str, datetime]) -> None:
        """Move last-seen times forward; never back, never of a session that has ended."""
        await _LAST_SEEN.write(units, {session_id: (moment, None) for session_id, moment in seen.items()})


def _row(row: Any) -> SessionRow | None:
    if row is None:
        return None
    session_id, user_id, account_id, pepper_v, digest, created, seen, proven, amr, ended = row
    return SessionRow(
        id=session_id,
        user_id=user_id,
        account_id=account_id,
        pepper_v=pepper_v,
        digest=digest,
        created_at=clock.from_micros(created),
        last_seen_at=clock.from_micros(seen),
        proven_at=clock.from_micros(proven),
        amr=amr,
        ended_at=None if ended is None else clock.from_micros(ended),
    )
