"""`perform`: the only way to run an action.

It validates, guards, opens the unit, takes the subject locks, reads rights, runs, checks that the promised
event was recorded, commits. Promise: no change without its event, no refusal of a change without one either.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol, TypeVar

import msgspec
from msgspec import Struct
from msgspec.structs import replace as replace_fields

from lumio.access import guard
from lumio.access.action import Action
from lumio.access.context import Context
from lumio.access.kinds import Kind
from lumio.access.patience import reached
from lumio.access.principal import Asker, Principal
from lumio.access.validate import validate
from lumio.authority.interface import Authority
from lumio.authority.subjects import EVERYTHING
from lumio.crypto.hashing import digest
from lumio.kernel.errors import Conflict, FieldError, Invalid, LumioError, Unauthenticated, Unavailable
from lumio.kernel.event import Event
from lumio.storage import idempotency
from lumio.storage.journal import Journal
from lumio.storage.unit import Unit, Units, View

Input = TypeVar("Input")
Output = TypeVar("Output")


class RightsSource(Protocol):
    """A domain that knows what a principal holds now."""

    async def held(self, view: View, principal: Principal) -> frozenset[str]:
        """Return the permissions held at this moment; a person who may not act holds none."""
        ...

    def known(self, principal: Principal) -> frozenset[str] | None:
        """Return the same from what the check of the credential found; None when that does not say it.

        Asked only while nothing that the principal stands on has ended or changed since that check.
        """
        ...

    async def held_now(self, principal: Principal) -> frozenset[str]:
        """Return the same by the hot path, where it is not known."""
        ...


class Perform:
    """Runs actions."""

    def __init__(self, units: Units, journal: Journal, authority: Authority, rights: Sequence[RightsSource]) -> None:
        """Work through `units`; the rights of a principal are the union of what the sources say."""
        self._units = units
        self._journal = journal
        self._authority = authority
        self._rights = rights

    async def __call__(
        self, action: Action[Input, Output], asker: Asker, raw: object = None, *, lax: bool = False
    ) -> Output:
        """Run `action` for `asker` with the plain values `raw`.

        Args:
            action: the bound action of a service.
            asker: who asks, from where.
            raw: a mapping of plain values.
            lax: read numbers and booleans from text (forms, query strings).

        Raises:
            LumioError: whatever stopped it; nothing has changed then.
        """
        terms = action.terms
        if terms.event is None:
            form = self._admit(action, asker, raw, lax=lax)
            return await self._read(action, asker, form)
        try:
            form = self._admit(action, asker, raw, lax=lax)
            prepared = await self._prepare(action, asker, form)
            queue = str(asker.principal.subjects[0]) if asker.principal.subjects else None
            output = await self._units.run(
                lambda unit: self._change(action, asker, form, prepared, unit), queue=queue
            )
        except LumioError as error:
            await self._refused(action, asker, error)
            raise
        return await self._waited(output, asker)

    async def _waited(self, output: Output, asker: Asker) -> Output:
        """Say in the receipt of a revocation whether it is refused everywhere by now; wait for that as asked."""
        seq, effective = getattr(output, "seq", None), getattr(output, "effective", None)
        if seq is None or effective is None or not isinstance(output, Struct):
            return output
        asker.outcome.waited = asker.outcome.waited or 0.0
        if effective:
            return output
        try:
            everywhere = await reached(self._authority, seq, asker)
        except Unavailable:
            return output  # it is committed; that everybody knows cannot be said
        return replace_fields(output, effective=everywhere)

    async def rights(self, principal: Principal) -> frozenset[str]:
        """Return what a principal can use at this moment, `:own` marks included."""
        return guard.effective(principal, await self._held_now(principal))

    def _admit(self, action: Action[Input, Output], asker: Asker, raw: object, *, lax: bool) -> Input:
        terms = action.terms
        guard.admit(asker.principal, terms.permission, step_up=terms.step_up, signed_in=terms.signed_in)
        return validate(action.input_type, raw, lax=lax)

    async def _held(self, view: View, principal: Principal) -> frozenset[str]:
        held: frozenset[str] = frozenset()
        for source in self._rights:
            held |= await source.held(view, principal)
        return held

    async def _held_now(self, principal: Principal) -> frozenset[str]:
        """Return the rights for a read: a transaction is needed only when something has changed meanwhile."""
        if principal.kind is not Kind.ANONYMOUS and self._authority.moved(principal.seq, principal.subjects):
            return await self._units.read(lambda view: self._held(view, principal))
        held: frozenset[str] = frozenset()
        for source in self._rights:
            more = source.known(principal)
            if more is None:
                more = await source.held_now(principal)
            if more:
                held = held | more if held else more
        return held

    async def _read(self, action: Action[Input, Output], asker: Asker, form: Input) -> Output:
        held = await self._held_now(asker.principal)
        reach = guard.allow(action.terms.permission, held)
        view = self._units.view()
        context = Context(asker, reach, held, view, self._authority)
        try:
            output = await action.run(context, form)
        except BaseException as error:
            await view.close(error)
            raise
        await view.close()
        return output

    async def _prepare(self, action: Action[Input, Output], asker: Asker, form: Input) -> Any:
        """Do the slow part outside the unit, but not for those who may not act at all."""
        if action.prepare is None:
            return None
        if action.terms.permission is not None:
            held = await self._held_now(asker.principal)
            guard.allow(action.terms.permission, held)
        return await action.prepare(asker, form)

    async def _change(
        self, action: Action[Input, Output], asker: Asker, form: Input, prepared: Any, unit: Unit
    ) -> Output:
        terms, principal = action.terms, asker.principal
        ends = (*(terms.ends(principal, form) if terms.ends else ()), *getattr(prepared, "ends", ()))
        await unit.lock(shared=map(str, (*principal.subjects, EVERYTHING)), exclusive=map(str, ends))
        if principal.subjects and await self._authority.ended_within(unit, principal.subjects, principal.seq):
            raise Unauthenticated(internal="revoked_in_flight")
        held = await self._held(unit, principal)
        reach = guard.allow(terms.permission, held)
        context = Context(asker, reach, held, unit, self._authority, prepared, unit)
        if not terms.creates or asker.retry is None:
            return await self._run(action, context, form)
        return await self._run_once(action, context, form, unit)

    async def _run(self, action: Action[Input, Output], context: Context, form: Input) -> Output:
        output = await action.run(context, form)
        if action.terms.event not in context.unit.recorded:
            message = f"{action.terms.name} did not record {action.terms.event}"
            raise RuntimeError(message)
        return output

    async def _run_once(self, action: Action[Input, Output], context: Context, form: Input, unit: Unit) -> Output:
        retry, terms = context.asker.retry, action.terms
        assert retry is not None  # noqa: S101 - the caller looked
        who = context.principal.actor.id or ""
        name = digest(msgspec.json.encode([who, retry.route, retry.key]))
        body_digest = str(getattr(context.prepared, "body_digest", retry.body_digest))
        kept = await idempotency.find(unit, name)
        if kept is not None:
            return _again(action, kept, body_digest)
        await idempotency.claim(unit, name, body_digest, revealing=terms.reveals)
        output = await self._run(action, context, form)
        answer = None if terms.reveals else msgspec.json.encode(output).decode()
        await idempotency.keep(unit, name, answer, getattr(output, "id", None))
        return output

    async def _refused(self, action: Action[Input, Output], asker: Asker, error: LumioError) -> None:
        """Record the refusal of a change, after its rollback.

        Input that breaks a rule is no event, unless the domain has noted what it means. Neither is an outage:
        what cannot be written cannot be recorded, and trying would keep the asker waiting twice. What notes a
        `counted` row raises its count, so that a flood buys no row for each request.
        """
        notes: Mapping[str, Any] = error.notes
        slip = isinstance(error, Invalid) and not notes
        if slip or isinstance(error, Unavailable) or action.terms.event is None:
            return
        event: Event = notes.get("event") or Event(
            action.terms.event,
            "failure",
            notes.get("actor") or asker.principal.actor,
            asker.origin,
            account_id=notes.get("account_id") or asker.principal.account_id,
            target_type=notes.get("target_type"),
            target_id=notes.get("target_id"),
            detail={"reason": notes.get("reason") or error.code},
        )
        if error.internal == "revoked_in_flight":
            if asker.outcome.end_recorded:
                return
            asker.outcome.end_recorded = True
            event = replace(event, event="auth.failed", detail={"reason": error.internal})
        aftermath: Callable[[Unit], Awaitable[None]] | None = notes.get("aftermath")
        if aftermath is None:
            await self._journal.append(event, notes.get("counted"))
            return

        async def follow(unit: Unit) -> None:
            unit.record(event)
            await aftermath(unit)

        await self._units.run(follow)


def _again(action: Action[Input, Output], kept: idempotency.Kept, body_digest: str) -> Output:
    """Answer a repetition: the same body gets the first answer again, never a secret."""
    if kept.body_digest != body_digest:
        raise Invalid([FieldError("Idempotency-Key", "reused", "This key came with another body before.")])
    if kept.answer is None:
        raise Conflict("This was created before; its secret was shown then, once.", existing_id=kept.target_id)
    found: Output = msgspec.json.decode(kept.answer, type=action.output_type)
    return found
