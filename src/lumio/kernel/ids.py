"""Identifiers of rows: UUIDv7 (RFC 9562, section 5.7), drawn here, never by a database.

Promise: an id is never handed out twice, also within one microsecond of one process.
"""

import os
import uuid

from lumio.kernel import clock

_MILLISECOND = 1000


def uuid7() -> str:
    """Return a new UUIDv7 in its 36-character form; its first 48 bits are the Unix time in ms."""
    millis = clock.to_micros(clock.now()) // _MILLISECOND
    noise = int.from_bytes(os.urandom(10), "big")
    value = (millis & 0xFFFF_FFFF_FFFF) << 80
    value |= 0x7 << 76
    value |= (noise >> 68 & 0xFFF) << 64
    value |= 0b10 << 62
    value |= noise & 0x3FFF_FFFF_FFFF_FFFF
    return str(uuid.UUID(int=value))


def prefixed(prefix: str) -> str:
    """Return a new id that names its noun, `ext_…`: the prefix and the 32 hex digits of a UUIDv7."""
    return f"{prefix}_{uuid7().replace('-', '')}"


def is_uuid(text: str) -> bool:
    """Tell whether `text` is a UUID in its canonical 36-character lower-case form."""
    try:
        return str(uuid.UUID(text)) == text
    except ValueError:
        return False
