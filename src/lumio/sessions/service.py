"""Opening, renewing and ending sessions.

Promise: a session that ended is refused at once everywhere, its access tokens included; an old refresh token
ends its whole family (RFC 9700, section 4.14.2).
"""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from lumio.access.action import action
from lumio.access.context import Context
from lumio.access.limit import FailureLimiter
from lumio.access.principal import Principal
from lumio.accounts.memberships import WITHHELD
from lumio.accounts.service import Accounts
from lumio.authority.interface import Authority
from lumio.authority.subjects import Ending, Subject
from lumio.crypto import opaque
from lumio.crypto.hashing import Fingerprint, Peppers
from lumio.crypto.signing import LIFETIME_SECONDS, AccessTokens, Claims
from lumio.kernel import clock, ids
from lumio.kernel.errors import Denied, NotFound, Unauthenticated
from lumio.kernel.event import Origin
from lumio.sessions.model import Activate, Activated, Opened, Refresh, TokenPair
from lumio.sessions.store import SessionStore
from lumio.storage.unit import Unit, Units, View
from lumio.storage.uses import Uses

REFRESH_LIFETIME = timedelta(days=30)
KNOWN_ADDRESS = timedelta(days=30)
AMR_PASSWORD = "pwd"  # noqa: S105 - the method's name in RFC 8176


def _own_session(principal: Principal, _form: None) -> list[Subject]:
    return [Subject("session", principal.session_id)] if principal.session_id else []


class Sessions:
    """Signed-in devices."""

    def __init__(
        self,
        store: SessionStore,
        peppers: Peppers,
        access_tokens: AccessTokens,
        authority: Authority,
        failures: FailureLimiter,
        accounts: Accounts,
    ) -> None:
        """Work on `store`; secrets are kept as fingerprints under `peppers`, wrong ones count in `failures`.

        `accounts` knows who belongs where.
        """
        self._store = store
        self._accounts = accounts
        self._peppers = peppers
        self._access_tokens = access_tokens
        self._authority = authority
        self._failures = failures
        self._seen = Uses[datetime]()

    async def open(self, unit: Unit, user_id: str, account_id: str, origin: Origin, *, page: bool) -> Opened:
        """Open a session for a person who has just proven who they are; always with a new secret."""
        moment = clock.now()
        secret = opaque.mint(opaque.PAGE_SESSION) if page else None
        kept = self._peppers.make(secret.text) if secret else None
        session_id = await self._store.add(unit, {
            "user_id": user_id, "account_id": account_id, "created_at": moment, "last_seen_at": moment,
            "proven_at": moment, "amr": AMR_PASSWORD, "ip": origin.ip, "user_agent": origin.user_agent,
            "lookup_id": secret.lookup_id if secret else None,
            "pepper_v": kept.pepper_v if kept else None, "digest": kept.digest if kept else None,
        })  # fmt: skip
        if secret is not None:
            return Opened(session_id, user_id, account_id, page_secret=secret.text)
        tokens = await self._pair(unit, session_id, user_id, account_id, proven_at=moment)
        return Opened(session_id, user_id, account_id, tokens=tokens)

    @action("sessions.refresh", event="session.refreshed")
    async def refresh(self, context: Context, form: Refresh) -> TokenPair:
        """Exchange a refresh token for a new pair; the old one is spent.

        Raises:
            Unauthenticated: it is unknown, over, or was used before.
            Limited: too many unknown ones from this address in this minute.
        """
        key = opaque.parse(form.refresh_token, opaque.REFRESH_TOKEN)
        row = await self._store.refresh(context.unit, key.lookup_id) if key else None
        if key is None or row is None or not self._peppers.matches(key.text, Fingerprint(row.pepper_v, row.digest)):
            address = context.asker.origin.ip
            self._failures.failed(address)
            counted = self._failures.tallies.of_refresh(address)
            raise Unauthenticated(internal="unknown refresh token").noted(counted=counted)
        session = await self._store.within(context.unit, row.session_id)
        if session is None or session.ended_at is not None or row.expires_at <= clock.now():
            raise Unauthenticated(internal="the session is over")
        if not await self._store.use_refresh(context.unit, row.id):
            raise Unauthenticated(internal="refresh token used twice").noted(
                reason="refresh_token_reused",
                account_id=session.account_id,
                target_type="session",
                target_id=session.id,
                aftermath=self._end_family(session.id),
            )
        pair = await self._pair(
            context.unit, session.id, session.user_id, session.account_id, proven_at=session.proven_at
        )
        context.record("session.refreshed", ("session", session.id), account_id=session.account_id)
        return pair

    @action("sessions.sign_out", event="session.ended", signed_in=True, ends=_own_session)
    async def sign_out(self, context: Context, _form: None) -> None:
        """End the session of the request."""
        session_id = context.principal.session_id
        if session_id is None:
            raise Unauthenticated(internal="no session to end")
        await self._store.end(context.unit, session_id)
        context.record("session.ended", ("session", session_id), detail={"reason": "signed_out"})
        await context.end(Subject("session", session_id), reason="signed out")

    @action("accounts.activate", event="session.account_changed", signed_in=True, ends=_own_session)
    async def activate(self, context: Context, form: Activate) -> Activated:
        """Act in another account of one's own from now on; access tokens for the account before are dead."""
        principal, unit = context.principal, context.unit
        session_id = principal.session_id
        if session_id is None or principal.proven_at is None:
            raise Denied("Only a signed-in person can switch between accounts.")
        belongs = await self._accounts.memberships(unit, [context.user_id])
        if form.account_id not in {one.id for one in belongs[context.user_id]}:
            raise NotFound
        if not await self._accounts.acts_in(unit, context.user_id, form.account_id):
            raise Denied(WITHHELD).noted(reason="withheld")
        await self._store.act_in(unit, session_id, form.account_id)
        tokens = None
        if not principal.page:
            tokens = await self._pair(
                unit, session_id, context.user_id, form.account_id, proven_at=principal.proven_at
            )
        detail = {"from": principal.account_id, "to": form.account_id}
        target = ("session", session_id)
        context.record("session.account_changed", target, detail=detail, account_id=form.account_id)
        context.asker.outcome.ended_self = True
        await context.end(Subject("session", session_id), reason="account changed", effect="changed")
        return Activated(form.account_id, tokens)

    async def end_in(self, context: Context, account_id: str, user_id: str | None, reason: str) -> list[Subject]:
        """End the sessions that act in an account, with an event each; return the subjects for the feed."""
        ended = []
        for session_id in await self._store.live_in(context.unit, account_id, user_id):
            if await self._store.end(context.unit, session_id):
                context.record("session.ended", ("session", session_id), detail={"reason": reason})
                ended.append(Subject("session", session_id))
        return ended

    async def acting_in(self, view: View, account_id: str, user_id: str | None) -> list[Subject]:
        """Return the subjects of live sessions that act in an account, of one person when given."""
        return [Subject("session", one) for one in await self._store.live_in(view, account_id, user_id)]

    async def end_one(self, unit: Unit, session_id: str) -> None:
        """End one session; the caller writes the feed."""
        await self._store.end(unit, session_id)

    async def end_all(self, unit: Unit, user_id: str) -> list[Subject]:
        """End every session of a person; return the subjects for the feed."""
        live = await self._store.live_of(unit, user_id)
        for session_id in live:
            await self._store.end(unit, session_id)
        return [Subject("session", session_id) for session_id in live]

    async def raise_proof(self, unit: Unit, principal: Principal, *, page: bool) -> tuple[str, datetime]:
        """Note a fresh proof; return a new access token, or a new page secret that replaces the old one."""
        moment = clock.now()
        session_id, user_id = principal.session_id, principal.user_id
        if session_id is None or user_id is None or principal.account_id is None:
            raise Unauthenticated(internal="only a session can be raised")
        await self._store.prove(unit, session_id, moment)
        if not page:
            return self._access(session_id, user_id, principal.account_id, moment), moment
        secret = opaque.mint(opaque.PAGE_SESSION)
        await self._store.replace_secret(unit, session_id, secret.lookup_id, self._peppers.make(secret.text))
        return secret.text, moment

    async def known_address(self, view: View, user_id: str, ip: str | None) -> bool:
        """Tell whether the person signed in from this address in the last 30 days."""
        return ip is not None and await self._store.known_address(view, user_id, ip, clock.now() - KNOWN_ADDRESS)

    def saw(self, session_id: str) -> None:
        """Note in memory that a session was used now."""
        self._seen.note(session_id, clock.now())

    async def flush(self, units: Units) -> None:
        """Write the last-seen times collected so far."""
        await self._seen.flush(units, self._store.saw)

    def _end_family(self, session_id: str) -> Callable[[Unit], Awaitable[None]]:
        async def end(unit: Unit) -> None:
            if await self._store.end(unit, session_id):
                subject = Subject("session", session_id)
                await self._authority.end(unit, [Ending(subject, "ended", "lumio", "refresh token reused")])

        return end

    async def _pair(
        self, unit: Unit, session_id: str, user_id: str, account_id: str, *, proven_at: datetime
    ) -> TokenPair:
        secret, moment = opaque.mint(opaque.REFRESH_TOKEN), clock.now()
        kept = self._peppers.make(secret.text)
        await self._store.add_refresh(unit, {
            "session_id": session_id, "lookup_id": secret.lookup_id, "pepper_v": kept.pepper_v,
            "digest": kept.digest, "created_at": moment, "expires_at": moment + REFRESH_LIFETIME,
        })  # fmt: skip
        access = self._access(session_id, user_id, account_id, proven_at)
        return TokenPair(access, "Bearer", LIFETIME_SECONDS, secret.text)

    def _access(self, session_id: str, user_id: str, account_id: str, proven_at: datetime) -> str:
        seconds = int(clock.now().timestamp())
        return self._access_tokens.make(Claims(
            sub=user_id, sid=session_id, acc=account_id, jti=ids.uuid7(), iat=seconds,
            exp=seconds + LIFETIME_SECONDS, auth_time=int(proven_at.timestamp()), amr=(AMR_PASSWORD,),
        ))  # fmt: skip
