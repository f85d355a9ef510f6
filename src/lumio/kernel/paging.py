"""Pages by key, never by offset: a cursor says where the last page ended, and nothing else.

A cursor is opaque to clients, but no secret: whoever edits one only moves within what they may read.
"""

import base64
import binascii
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from lumio.kernel.errors import FieldError, Invalid

Item = TypeVar("Item")


class _WithId(Protocol):
    """Something with an id."""

    @property
    def id(self) -> str:
        """The id, a UUIDv7."""
        ...


Named = TypeVar("Named", bound=_WithId)

LIMIT_MAX = 200
LIMIT_DEFAULT = 50
MICROS_MAX = 2**53
"""A time in the year 2255; what a cursor says beyond it was never written by us."""
_NAME = re.compile(r"[0-9A-Za-z_-]{1,64}")


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    """Some items, and the cursor of the next ones when there are more."""

    items: Sequence[Item]
    next_cursor: str | None = None


def by_id(items: Sequence[Named], limit: int, cursor: str | None, *, newest_first: bool = False) -> Page[Named]:
    """Return a page of a list that was read whole, in the order of its ids, which is that of their making.

    Raises:
        Invalid: the cursor is not one of ours.
    """
    after = None if cursor is None else str(decode(cursor, 1)[0])
    ordered = sorted(items, key=lambda one: one.id, reverse=newest_first)
    rest = [one for one in ordered if after is None or (one.id < after if newest_first else one.id > after)]
    more = len(rest) > limit
    return Page(rest[:limit], encode(rest[limit - 1].id) if more else None)


def encode(*key: str | int) -> str:
    """Return the cursor that stands for `key`."""
    raw = json.dumps(key, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def decode_moment(cursor: str) -> tuple[int, str]:
    """Return the parts of a cursor that says a time and an id: microseconds since 1970, and the id.

    Raises:
        Invalid: the text is no cursor of ours.
    """
    micros, name = decode(cursor, 2)
    if not isinstance(micros, int) or not 0 <= micros <= MICROS_MAX:
        raise _not_ours()
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise _not_ours()
    return micros, name


def decode(cursor: str, width: int) -> list[str | int]:
    """Return the `width` parts of a cursor.

    Raises:
        Invalid: the text is no cursor of ours.
    """
    try:
        parts = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (binascii.Error, ValueError, RecursionError):
        parts = None
    fits = isinstance(parts, list) and len(parts) == width
    if not fits or not all(type(part) in {str, int} for part in parts):
        raise _not_ours()
    return list(parts)


def _not_ours() -> Invalid:
    return Invalid([FieldError("cursor", "cursor", "This cursor is not one of ours; leave it out to start over.")])
