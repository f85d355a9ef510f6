"""The chain of the audit log: leaves and links (spec: audit log, section 4).

Promise: whoever knows a chain's end can tell whether one byte of one event before it was changed, added or left out.

The canonical bytes of an event are a version byte and, for each name of `FIELDS` in order, four bytes of length
(big-endian) and the value: text as UTF-8, a number in decimal, an absent value as the length FFFFFFFF alone. The
fields of `PERSONAL` stand there as commitments, SHA-256(salt ‖ value), so that erasing them leaves the leaf true.
"""

from collections.abc import Mapping
from hashlib import sha256
from typing import Any

FIELDS = (
    "id", "account_id", "ts", "last_ts", "event", "result", "actor_type", "actor_id", "actor_label", "on_behalf_of",
    "auth_method", "credential_id", "ip", "ip_source", "user_agent", "request_id", "target_type", "target_id",
    "detail", "count", "node",
)  # fmt: skip
PERSONAL = ("actor_label", "ip", "user_agent", "detail")
GENESIS = bytes(32)
"""What stands before the first link of every chain."""
SALT_BYTES = 16

_VERSION, _LEAF, _LINK = b"\x01", b"\x00", b"\x01"
_ABSENT = b"\xff\xff\xff\xff"


def commitments(event: Mapping[str, Any], salt: bytes) -> dict[str, bytes | None]:
    """Return what the leaf holds in the place of each personal field; None where the field is absent."""
    return {
        name: None if event[name] is None else sha256(salt + str(event[name]).encode()).digest() for name in PERSONAL
    }


def leaf(event: Mapping[str, Any], committed: Mapping[str, bytes | None]) -> bytes:
    """Return SHA-256(0x00 ‖ canonical bytes) of an event and the commitments to its personal fields."""
    parts = [_LEAF, _VERSION]
    for name in FIELDS:
        value = committed[name] if name in committed else event[name]
        if value is None:
            parts.append(_ABSENT)
            continue
        raw = value if isinstance(value, bytes) else str(value).encode()
        parts += (len(raw).to_bytes(4, "big"), raw)
    return sha256(b"".join(parts)).digest()


def link(previous: bytes, leaf: bytes) -> bytes:
    """Return SHA-256(0x01 ‖ previous ‖ leaf), the chain's end after `leaf`."""
    return sha256(_LINK + previous + leaf).digest()


def pack(committed: Mapping[str, bytes | None]) -> bytes:
    """Return the commitments as an erasure keeps them: a byte 1 and 32 bytes each, or a byte 0."""
    return b"".join(b"\0" if committed[name] is None else b"\1" + (committed[name] or b"") for name in PERSONAL)


def unpack(packed: bytes) -> dict[str, bytes | None]:
    """Return what `pack` was given.

    Raises:
        ValueError: these bytes are no packed commitments.
    """
    found: dict[str, bytes | None] = {}
    place = 0
    for name in PERSONAL:
        present = packed[place : place + 1]
        if present not in {b"\0", b"\1"}:
            raise ValueError("not the commitments of an erased event")
        size = 32 if present == b"\1" else 0
        found[name] = packed[place + 1 : place + 1 + size] if size else None
        place += 1 + size
    if place != len(packed):
        raise ValueError("not the commitments of an erased event")
    return found
