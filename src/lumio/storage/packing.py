"""A batch of the journal on its way: as SQLite takes it, and as it travels to the process that writes for others.

Promise: what is unpacked is what was packed, or nothing at all while a part of it is still to come.
"""

import struct
from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from lumio.storage.events import NAMES
from lumio.storage.folding import Row, Tally

TALLY_NAMES = ("name", "until", *NAMES)
TROUBLE_MAX = 1000
FRAME_MAX = 64 * 1024 * 1024
_HEAD = struct.Struct("!II")
_ANSWER = struct.Struct("!I")


class Packed(NamedTuple):
    """Rows and tallies as arrays of JSON; empty where there are none."""

    rows: str
    tallies: str


def pack(rows: Sequence[Row], tallies: Sequence[Tally]) -> Packed:
    """Return a batch in the form in which one statement writes all of it."""
    return Packed(
        msgspec.json.encode(rows).decode() if rows else "",
        msgspec.json.encode([(one.name, one.until, *one.row) for one in tallies]).decode() if tallies else "",
    )


def to_bytes(packed: Packed) -> bytes:
    """Return a batch for the way."""
    rows, tallies = packed.rows.encode(), packed.tallies.encode()
    return b"".join((_HEAD.pack(len(rows), len(tallies)), rows, tallies))


def take_from(arrived: bytearray) -> Packed | None:
    """Take one batch from the front of what has arrived; None while it is not whole.

    Raises:
        ValueError: this is no batch.
    """
    if len(arrived) < _HEAD.size:
        return None
    rows, tallies = _HEAD.unpack_from(arrived)
    if rows + tallies > FRAME_MAX:
        raise ValueError("no batch is that long")
    middle, end = _HEAD.size + rows, _HEAD.size + rows + tallies
    if len(arrived) < end:
        return None
    packed = Packed(arrived[_HEAD.size : middle].decode(), arrived[middle:end].decode())
    del arrived[:end]
    return packed


def answer(trouble: str = "") -> bytes:
    """Return the answer to a batch: it is on disk, or what went wrong."""
    said = trouble.encode("utf-8", "replace")[:TROUBLE_MAX]
    return _ANSWER.pack(len(said)) + said


ANSWER_SIZE = _ANSWER.size
"""Bytes before an answer's text."""


def text_length(head: bytes) -> int:
    """Return how many bytes of text follow the head of an answer: none when all is well."""
    return int(_ANSWER.unpack(head)[0])
