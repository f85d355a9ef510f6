"""What every authority answers, whether it asks a file or holds a lease."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, NamedTuple, Protocol, TypeVar, runtime_checkable

from lumio.authority.subjects import Ending, Progress, Receipt, Subject
from lumio.storage.hot import HotReader
from lumio.storage.unit import Unit, View

Facts = TypeVar("Facts")


@dataclass(frozen=True, slots=True)
class Loaded(Generic[Facts]):
    """What was read of a credential, and every subject whose ending or change makes it worthless.

    `lasting` is False when something is missing, so that its subjects are not all known: then it is used once and
    read again the next time.
    """

    facts: Facts
    subjects: tuple[Subject, ...]
    lasting: bool = True


class Status(NamedTuple, Generic[Facts]):
    """What is known of a credential, and the feed number that this knowledge includes."""

    facts: Facts
    seq: int


Load = Callable[[HotReader], Awaitable[Loaded[Facts] | None]]
"""Reads what is known of a credential; it may be called again, and with another reader."""


@runtime_checkable
class Authority(Protocol):
    """Answers from now, or raises Unavailable; never from a verdict remembered."""

    async def open(self) -> None:
        """Begin, on the event loop that runs now; nothing is fresh before the journal outside was held against it.

        A node of a fleet does not fail when the database is away: it begins when that is back.

        Raises:
            Unavailable: one file that cannot be read, or of which it cannot be known what it lacks.
        """
        ...

    async def close(self) -> None:
        """Serve nothing from here on."""
        ...

    def fresh(self) -> bool:
        """Tell whether answers can be given from now; costs nothing."""
        ...

    async def stamp(self) -> int:
        """Return a feed number whose revocations every later read includes. Raises Unavailable when not fresh."""
        ...

    async def status(self, name: str, load: Load[Facts]) -> Status[Facts] | None:
        """Return the status of the credential `name`, loading it by `load` when it is not known.

        Raises:
            Unavailable: it cannot be known from now.
        """
        ...

    def known(self, name: str) -> Status[Any] | None:
        """Return the status of the credential `name` when it is known from now without waiting for a read.

        Raises:
            Unavailable: nothing is known from now.
        """
        ...

    def moved(self, seq: int, subjects: Sequence[Subject]) -> bool:
        """Tell whether one of the subjects ended or changed since `seq`, as this node knows: the late check (I6).

        An authority may say so though only others did. Raises Unavailable when not fresh.
        """
        ...

    async def unchanged(self, seq: int, subjects: Sequence[Subject]) -> bool:
        """Tell the opposite of `moved`."""
        ...

    async def ended_within(self, view: View, subjects: Sequence[Subject], seq: int) -> bool:
        """Tell whether a subject has ended since `seq`, as a view sees it; a change asks inside its locks (I7)."""
        ...

    async def end(self, unit: Unit, endings: Sequence[Ending]) -> Receipt:
        """End or change subjects as the last step of a unit; it seals the unit."""
        ...

    async def effective(self, seq: int, seconds: float) -> bool:
        """Tell whether no node accepts any more what number `seq` ended; wait up to `seconds` for it (I10)."""
        ...

    async def progress(self, view: View, seq: int) -> Progress | None:
        """Return what became of number `seq`, or None when there is no such number."""
        ...

    async def tidy(self) -> None:
        """Forget nodes that are gone; asked again and again."""
        ...
