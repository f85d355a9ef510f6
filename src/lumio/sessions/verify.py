"""Verify a session: the cookie of a page, or an access token standing for one.

Promise: whichever it is, the session's own row is read, so that signing out ends both at once.
"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from lumio.access.authenticator import Refused
from lumio.access.kinds import Kind, Place, Presented
from lumio.access.principal import Principal
from lumio.accounts.model import Standing
from lumio.accounts.service import Accounts, subjects_of
from lumio.authority.interface import Authority, Loaded, Status
from lumio.authority.subjects import Subject
from lumio.crypto import opaque
from lumio.crypto.hashing import Fingerprint, Peppers
from lumio.crypto.signing import AccessTokens
from lumio.kernel import clock
from lumio.kernel.event import Actor, Origin
from lumio.sessions.model import SessionRow
from lumio.sessions.service import Sessions
from lumio.sessions.store import SessionStore
from lumio.storage.hot import HotReader

IDLE = timedelta(days=14)
LONGEST = timedelta(days=90)
"""For page sessions: a program's session lives as long as its refresh tokens are renewed."""


class SessionFacts(NamedTuple):
    """What a verdict on a session stands on."""

    row: SessionRow
    standing: Standing | None


class SessionVerifier:
    """Both carriers of a session."""

    def __init__(
        self,
        store: SessionStore,
        sessions: Sessions,
        accounts: Accounts,
        authority: Authority,
        peppers: Peppers,
        access_tokens: AccessTokens,
    ) -> None:
        """Read sessions from `store`, standing from `accounts`, through `authority`."""
        self._store = store
        self._sessions = sessions
        self._accounts = accounts
        self._authority = authority
        self._peppers = peppers
        self._access_tokens = access_tokens

    def accepted(self, principal: Principal, _origin: Origin) -> None:
        """Note that the session was seen."""
        if principal.session_id is not None:
            self._sessions.saw(principal.session_id)

    async def verify(self, presented: Presented) -> Principal | Refused:
        """Return the signed-in person, or why not."""
        if presented.place is Place.COOKIE or presented.text.startswith(opaque.PAGE_SESSION):
            return await self._page(presented.text)
        return await self._access_token(presented.text)

    async def _page(self, text: str) -> Principal | Refused:
        key = opaque.parse(text, opaque.PAGE_SESSION)
        if key is None:
            return Refused("malformed", guess=True)
        status = await self._authority.status(key.name, lambda hot: self._load(hot, lookup_id=key.lookup_id))
        if status is None:
            return Refused("unknown", guess=True)
        row = status.facts.row
        kept = Fingerprint(row.pepper_v or 0, row.digest or b"")
        if not self._peppers.matches(text, kept):
            return Refused("wrong_secret", guess=True)
        return self._principal(status, row.proven_at)

    async def _access_token(self, text: str) -> Principal | Refused:
        claims = self._access_tokens.read(text)
        if claims is None:
            return Refused("malformed", guess=True)
        status = await self._authority.status(claims.sid, lambda hot: self._load(hot, session_id=claims.sid))
        if status is None:
            return Refused("unknown", guess=True)
        row = status.facts.row
        if row.user_id != claims.sub or row.account_id != claims.acc:
            return Refused("unknown", guess=True)
        found = self._principal(status, datetime.fromtimestamp(claims.auth_time, UTC))
        if isinstance(found, Refused):
            return found
        return replace(found, expires_at=datetime.fromtimestamp(claims.exp, UTC))

    async def _load(
        self, hot: HotReader, *, lookup_id: str | None = None, session_id: str = ""
    ) -> Loaded[SessionFacts] | None:
        """Read the session and the person's standing in the account that it acts in."""
        if lookup_id is not None:
            row = await self._store.by_lookup(hot, lookup_id)
        else:
            row = await self._store.by_id(hot, session_id)
        if row is None:
            return None
        standing = await self._accounts.standing_of_user(hot, row.account_id, row.user_id)
        facts = SessionFacts(row, standing)
        return Loaded(facts, _subjects(facts), lasting=standing is not None)

    def _principal(self, status: Status[SessionFacts], proven_at: datetime) -> Principal | Refused:
        moment, (row, standing) = clock.now(), status.facts
        label = (standing.email if standing else None) or ""
        actor = Actor("user", row.user_id, label, auth_method="session", credential_id=row.id)
        if row.ended_at is not None:
            return Refused("revoked", actor=actor, account_id=row.account_id)
        page = row.digest is not None
        if page and (moment - row.last_seen_at >= IDLE or moment - row.created_at >= LONGEST):
            return Refused("expired", actor=actor, account_id=row.account_id)
        if standing is None:
            return Refused("holder_gone", actor=actor, account_id=row.account_id)
        return Principal(
            Kind.SESSION,
            actor,
            subjects=_subjects(status.facts),
            seq=status.seq,
            user_id=row.user_id,
            account_id=row.account_id,
            member_id=standing.member_id,
            role=standing.role,
            session_id=row.id,
            proven_at=proven_at,
            amr=tuple(row.amr.split()),
            page=page,
        )


def _subjects(facts: SessionFacts) -> tuple[Subject, ...]:
    return (Subject("session", facts.row.id), *subjects_of(facts.standing))
