"""What an action gets: the principal, how far its right goes, and the unit to act in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lumio.access.guard import Reach, placed
from lumio.access.principal import Asker, Principal
from lumio.authority.interface import Authority
from lumio.authority.subjects import Effect, Ending, Receipt, Subject
from lumio.kernel.errors import Unauthenticated
from lumio.kernel.event import Actor, Event
from lumio.storage.outbox import Message
from lumio.storage.unit import Unit, View


@dataclass(slots=True)
class Context:
    """One operation. A read has a `view` only; a change has a `unit`, which is also its view."""

    asker: Asker
    reach: Reach
    held: frozenset[str]
    view: View
    authority: Authority
    prepared: Any = None
    _unit: Unit | None = None

    @property
    def principal(self) -> Principal:
        """Who is asking."""
        return self.asker.principal

    @property
    def unit(self) -> Unit:
        """The unit of a change."""
        if self._unit is None:
            message = "a read has no unit"
            raise RuntimeError(message)
        return self._unit

    @property
    def account_id(self) -> str:
        """The account that the principal acts in. Raises Invalid for a system key that names none."""
        placed(self.principal)
        if self.principal.account_id is None:
            raise Unauthenticated(internal="the principal acts in no account")
        return self.principal.account_id

    @property
    def user_id(self) -> str:
        """The person behind the principal."""
        if self.principal.user_id is None:
            raise Unauthenticated(internal="the principal is no person")
        return self.principal.user_id

    def record(
        self,
        event: str,
        target: tuple[str, str] | None = None,
        *,
        detail: Mapping[str, Any] | None = None,
        account_id: str | None = None,
        actor: Actor | None = None,
    ) -> None:
        """Record a success beside the change."""
        target_type, target_id = target or (None, None)
        self.unit.record(
            Event(
                event,
                "success",
                actor or self.principal.actor,
                self.asker.origin,
                account_id=account_id or self.principal.account_id,
                target_type=target_type,
                target_id=target_id,
                detail=detail or {},
            )
        )

    def post(self, message: Message) -> None:
        """Send a message once the change is durable."""
        self.unit.post(message)

    async def end(self, *subjects: Subject, reason: str, effect: Effect = "ended") -> Receipt:
        """End or change subjects; the last step of an action, since it seals the unit."""
        who = self.principal.actor.id or self.principal.actor.label
        if effect == "ended" and not set(subjects).isdisjoint(self.principal.subjects):
            self.asker.outcome.ended_self = True
        return await self.authority.end(self.unit, _endings(subjects, effect, who, reason))


def _endings(subjects: Sequence[Subject], effect: Effect, actor: str, reason: str) -> list[Ending]:
    return [Ending(subject, effect, actor, reason) for subject in subjects]
