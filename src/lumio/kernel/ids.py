"""Identifiers of rows: UUIDv7 (RFC 9562, section 5.7), drawn here, never by a database.

Promise: an id is never handed out twice, also within one microsecond of one process.
"""

import os
import uuid

from lumio.kernel import clock

_MILLISECOND = 1000
_NOISE_BYTES, _DRAWN = 10, 512


def uuid7() -> str:
    """Return a new UUIDv7 in its 36-character form; its first 48 bits are the Unix time in ms."""
    millis = clock.micros() // _MILLISECOND & 0xFFFF_FFFF_FFFF
    try:
        noise = _noise.pop()
    except IndexError:
        noise = _draw()
    text = f"{millis << 80 | noise:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


_noise: list[int] = []
"""The last 80 bits of ids to come, version and variant set: the system is asked once for many."""


def _draw() -> int:
    """Ask the system for more; return one."""
    drawn = os.urandom(_NOISE_BYTES * _DRAWN)
    values = [int.from_bytes(drawn[at : at + _NOISE_BYTES], "big") for at in range(0, len(drawn), _NOISE_BYTES)]
    made = [0x7 << 76 | (value >> 68 & 0xFFF) << 64 | 0b10 << 62 | value & 0x3FFF_FFFF_FFFF_FFFF for value in values]
    _noise.extend(made[1:])
    return made[0]


os.register_at_fork(after_in_child=_noise.clear)  # parent and child must not hand out the same


def prefixed(prefix: str) -> str:
    """Return a new id that names its noun, `ext_…`: the prefix and the 32 hex digits of a UUIDv7."""
    return f"{prefix}_{uuid7().replace('-', '')}"


def is_uuid(text: str) -> bool:
    """Tell whether `text` is a UUID in its canonical 36-character lower-case form."""
    try:
        return str(uuid.UUID(text)) == text
    except ValueError:
        return False
