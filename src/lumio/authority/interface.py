"""What every authority answers, whether it asks a file or holds a lease."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from lumio.authority.subjects import Ending, Receipt, Subject
from lumio.storage.unit import Unit, View

Facts = TypeVar("Facts")


@dataclass(frozen=True, slots=True)
class Status(Generic[Facts]):
    """What is known of a credential, and the feed number that this knowledge includes."""

    facts: Facts
    seq: int


class Authority(Protocol):
    """Answers from now, or raises Unavailable; never from a verdict remembered."""

    async def stamp(self) -> int:
        """Return a feed number whose revocations every later read includes. Raises Unavailable when not fresh."""
        ...

    async def status(self, name: str, load: Callable[[], Awaitable[Facts | None]]) -> Status[Facts] | None:
        """Return the status of the credential `name`, loading it by `load` when it is not known."""
        ...

    async def unchanged(self, seq: int) -> bool:
        """Tell whether nothing at all was revoked or changed since `seq`: the cheap half of the late check."""
        ...

    async def ended_within(self, view: View, subjects: Sequence[Subject], seq: int) -> bool:
        """Tell whether a subject has ended since `seq`, as a view sees it; a change asks inside its locks (I7)."""
        ...

    async def end(self, unit: Unit, endings: Sequence[Ending]) -> Receipt:
        """End or change subjects as the last step of a unit; it seals the unit."""
        ...
