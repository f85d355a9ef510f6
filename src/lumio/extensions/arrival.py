"""An upload on its way in: which parts it may have, how large each may be, and where they are put.

Promise: nothing is read before somebody with the right asks for it, and whatever was put aside is gone when
the block ends, unless a version keeps it.
"""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Protocol, Self

from lumio.extensions.bundles import BundleStore, Received
from lumio.kernel.errors import FieldError, Invalid, TooLarge, Unavailable

MIB = 1024 * 1024
FILE_LIMIT = 50 * MIB
FILES = ("bundle", "source")
FIELDS: Mapping[str, int] = {"manifest": 64 * 1024, "description": 16 * 1024, "breaking": 16}
PARTS_MAX = len(FILES) + len(FIELDS) + 1
BODY_LIMIT = len(FILES) * FILE_LIMIT + MIB


class Part(Protocol):
    """One part of an upload."""

    @property
    def name(self) -> str:
        """What the part is."""
        ...

    @property
    def content(self) -> AsyncIterator[bytes]:
        """Its bytes, as they arrive."""
        ...


@dataclass(slots=True)
class Arrival:
    """The parts, in any order, each at most once; `files` are put aside in the bundle store."""

    bundles: BundleStore
    parts: AsyncIterator[Part]
    fields: dict[str, bytes] = field(default_factory=dict)
    files: dict[str, Received] = field(default_factory=dict)

    async def receive(self) -> None:
        """Read all of it.

        Raises:
            Invalid: a part that is unknown, or is there twice.
            TooLarge: a part is longer than its limit.
            Unavailable: what arrives cannot be written.
        """
        async for part in self.parts:
            if part.name in self.fields or part.name in self.files:
                raise Invalid([FieldError(part.name, "twice", "Is there more than once.")])
            if part.name in FILES:
                self.files[part.name] = await self._file(part)
            elif part.name in FIELDS:
                self.fields[part.name] = await _bounded(part, FIELDS[part.name])
            else:
                raise Invalid([FieldError(part.name[:64], "unknown", "There is no such part.")])

    async def _file(self, part: Part) -> Received:
        try:
            return await self.bundles.receive(part.content, FILE_LIMIT)
        except TooLarge:
            raise _too_large(part.name, FILE_LIMIT) from None
        except OSError as error:
            raise Unavailable(f"bundle store: {error}") from error

    async def __aenter__(self) -> Self:
        """Begin; reads nothing yet."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Forget what was put aside and not kept."""
        for received in self.files.values():
            await self.bundles.discard(received)


async def _bounded(part: Part, limit: int) -> bytes:
    read = bytearray()
    async for piece in part.content:
        read += piece
        if len(read) > limit:
            raise _too_large(part.name, limit)
    return bytes(read)


def _too_large(name: str, limit: int) -> TooLarge:
    sentence = f"The part {name} is larger than {limit} bytes."
    return TooLarge(sentence, [FieldError(name, "size", sentence)])
