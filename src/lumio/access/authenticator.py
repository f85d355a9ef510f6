"""From what was presented to a principal: one entry for every kind (spec: credentials, sections 2 and 3).

Promise: a credential that is present and bad ends the request; nothing falls through to anonymous, and every
evaluation is an event that is durable before the answer.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol, cast

from lumio.access.kinds import Kind, Place, Presented, Row, recognise
from lumio.access.lane import Lane
from lumio.access.limit import FailureLimiter
from lumio.access.principal import ACCOUNT_HEADER, ANONYMOUS, Principal
from lumio.authority.interface import Authority
from lumio.authority.subjects import Subject
from lumio.kernel.errors import Limited, NotFound, Unauthenticated
from lumio.kernel.event import ANONYMOUS as NOBODY
from lumio.kernel.event import Actor, Counted, Event, Origin
from lumio.kernel.metrics import VERDICTS, Metrics
from lumio.storage.journal import Journal, Pending

SUCCEEDED = "auth.succeeded"
NO_DETAIL: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Refused:
    """A verdict: ours, and bad.

    `guess` counts against the address: unknown, or a wrong secret; `guessed_at` is the known credential it was for.
    """

    reason: str
    guess: bool = False
    actor: Actor = NOBODY
    account_id: str | None = None
    guessed_at: str | None = None


class Verifier(Protocol):
    """Checks the credentials of one kind."""

    async def verify(self, presented: Presented) -> Principal | Refused:
        """Return who it is, or why not. Raises Unavailable when that cannot be known."""
        ...

    def accepted(self, principal: Principal, origin: Origin) -> None:
        """Note a use: called once per accepted request, never for a refused one."""
        ...


class Authenticated(NamedTuple):
    """A principal, and the event of its authentication on its way to the disk (None for nobody)."""

    principal: Principal
    durable: Pending | None


class Authenticator:
    """Recognise, verify, count, record."""

    def __init__(
        self,
        verifiers: Mapping[str, Verifier],
        authority: Authority,
        journal: Journal,
        limiter: FailureLimiter,
        account_exists: Callable[[str], Awaitable[bool]],
        metrics: Metrics,
    ) -> None:
        """Hold one verifier per prefix of the kinds table; `account_exists` is asked of what a header names."""
        self._account_exists = account_exists
        self._verifiers = verifiers
        self._authority = authority
        self._journal = journal
        self._limiter = limiter
        self._metrics = metrics
        self._lane = Lane()

    async def authenticate(
        self, found: Sequence[Presented], origin: Origin, account: str | None = None
    ) -> Authenticated:
        """Return the principal behind what was found in a request; nothing found is nobody.

        Args:
            found: what was presented.
            origin: where it came from.
            account: the account that the request names, for a system key to act on; other kinds have their own.

        Raises:
            Unauthenticated: present and bad; all look the same from outside.
            NotFound: a system key named an account that is not there.
            Limited: too many wrong ones from this address in this minute.
            Unavailable: it cannot be known, or not be recorded.
        """
        if not found:
            return Authenticated(ANONYMOUS, None)
        row, verifier = self._recognise(found)
        await self._lane.enter(found[0].text)
        verdict = self._counted_verdict(row, await _judged(found, row, verifier))
        if verifier is None or isinstance(verdict, Refused):
            raise await self._refuse(cast("Refused", verdict), origin)
        self._lane.was_good(found[0].text)
        verifier.accepted(verdict, origin)
        if verdict.kind is Kind.SYSTEM_KEY and account is not None:
            return await self._placed(verdict, origin, account)
        durable = self._journal.succeeded(SUCCEEDED, verdict.actor, origin, verdict.account_id)
        return Authenticated(verdict, durable)

    async def examine(self, text: str, origin: Origin, asked_by: Principal) -> Principal | None:
        """Return the principal behind a credential that another service was shown, or None when it counts nothing.

        The event is that of the credential, and says who asked. A page session counts nowhere but in its cookie.

        Raises:
            Limited: too many wrong ones from this address in this minute.
            Unavailable: it cannot be known, or not be recorded.
        """
        row = recognise(Presented(text, Place.BEARER))
        travels = Place.BEARER if row is None or Place.COOKIE in row.places else min(row.places)
        found = [Presented(text, travels)]
        detail = {"introspected_by": asked_by.actor.credential_id}
        row, verifier = self._recognise(found)
        await self._lane.enter(text)
        verdict = self._counted_verdict(row, await _judged(found, row, verifier))
        if verifier is None or isinstance(verdict, Refused):
            refusal = await self._refuse(cast("Refused", verdict), origin, detail)
            if isinstance(refusal, Limited):
                raise refusal
            return None
        self._lane.was_good(text)
        verifier.accepted(verdict, origin)
        event = Event(SUCCEEDED, "success", verdict.actor, origin, account_id=verdict.account_id, detail=detail)
        await self._journal.append(event)
        return verdict if self.stands(verdict) or await self.still_good(verdict, found, origin) else None

    def stands(self, principal: Principal) -> bool:
        """Tell whether nothing has ended or changed that could change the decision; else it is to be repeated.

        Raises:
            Unavailable: it cannot be known.
        """
        return principal.kind is Kind.ANONYMOUS or not self._authority.moved(principal.seq, principal.subjects)

    async def still_good(self, principal: Principal, found: Sequence[Presented], origin: Origin) -> bool:
        """Repeat the decision at response start (I6); a refusal is recorded before the answer."""
        if not isinstance(await _judged(found, *self._recognise(found)), Refused):
            return True
        event = Event("auth.failed", "failure", principal.actor, origin, account_id=principal.account_id)
        await self._journal.append(event.failed("revoked_in_flight"))
        return False

    async def _placed(self, principal: Principal, origin: Origin, account: str) -> Authenticated:
        """Return a system key's principal in the account that it acts on. Raises NotFound when it is not there."""
        exists = await self._account_exists(account)
        durable = self._journal.succeeded(SUCCEEDED, principal.actor, origin, account if exists else None)
        if not exists:
            await durable
            raise NotFound(f"There is no account with the id that {ACCOUNT_HEADER} names.")
        subjects = (*principal.subjects, Subject("account", account))
        return Authenticated(replace(principal, account_id=account, subjects=subjects), durable)

    def _recognise(self, found: Sequence[Presented]) -> tuple[Row | None, Verifier | None]:
        """Return the line of the table for what was found, and who checks it."""
        row = recognise(found[0])
        return row, None if row is None else self._verifiers.get(row.prefix)

    async def _refuse(
        self, verdict: Refused, origin: Origin, detail: Mapping[str, Any] = NO_DETAIL
    ) -> Unauthenticated | Limited:
        """Count and record a refusal; return the error to raise."""
        if verdict.guess:
            try:
                self._limiter.failed(origin.ip)
            except Limited as limited:
                await self._journal.append(limited.notes["event"], limited.notes["counted"])
                return limited
        actor = verdict.actor if verdict.guessed_at is None else NOBODY._replace(credential_id=verdict.guessed_at)
        event = Event("auth.failed", "failure", actor, origin, account_id=verdict.account_id, detail=detail)
        await self._journal.append(event.failed(verdict.reason), self._counted(verdict, origin))
        return Unauthenticated(internal=verdict.reason)

    def _counted_verdict(self, row: Row | None, verdict: Principal | Refused) -> Principal | Refused:
        """Count a verdict for the metrics, by the kind that was presented; return it."""
        if isinstance(verdict, Refused):
            self._metrics.count(VERDICTS, "unknown" if row is None else row.kind, verdict.reason)
        else:
            self._metrics.count(VERDICTS, verdict.kind, "accepted")
        return verdict

    def _counted(self, verdict: Refused, origin: Origin) -> Counted | None:
        """Return the shared row of a guess; what passed its secret or tag has a row of its own."""
        if not verdict.guess:
            return None
        if verdict.guessed_at is not None:
            return self._limiter.tallies.of_key(verdict.guessed_at)
        return self._limiter.tallies.of_address(origin.ip)


async def _judged(found: Sequence[Presented], row: Row | None, verifier: Verifier | None) -> Principal | Refused:
    """Return the verdict on what was found; only one credential in its own place can be good."""
    if len(found) > 1:
        return Refused("several_credentials", guess=True)
    if row is None or verifier is None:
        return Refused("malformed", guess=True)
    presented = found[0]
    verdict = await verifier.verify(presented)
    return verdict if presented.place in row.places else _misplaced(row, presented, verdict)


def _misplaced(row: Row, presented: Presented, verdict: Principal | Refused) -> Refused:
    """Refuse a credential in the wrong place, and name its owner in the log when it is genuine: it has leaked."""
    in_address = presented.place in {Place.QUERY, Place.STRAY}
    reason = "key_in_query" if in_address else f"{row.kind}_in_{presented.place}"
    if isinstance(verdict, Refused):
        return replace(verdict, reason=reason)
    return Refused(reason, actor=verdict.actor, account_id=verdict.account_id)
