"""Opaque keys of 64 characters: prefix, lookup id, secret, checksum (spec: credentials, section 1).

Promise: what `mint` makes, `parse` reads; what `parse` refuses was never made here.
Standard library only, because the command line tests keys with it before it asks a server.
"""

import re
import secrets
import zlib
from typing import NamedTuple

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
LENGTH = 64
PREFIX_LENGTH = 7
LOOKUP_LENGTH = 12
NAME_LENGTH = PREFIX_LENGTH + LOOKUP_LENGTH
"""The part that is no secret."""
SECRET_LENGTH = 39
CHECKSUM_LENGTH = 6

DEVELOPER_KEY = "lm_dev_"
SYSTEM_KEY = "lm_sys_"
POPOUT_TOKEN = "lm_pop_"  # noqa: S105 - the public prefix, not a secret
PAGE_SESSION = "lm_ses_"
REFRESH_TOKEN = "lm_ort_"  # noqa: S105 - as above
ACCESS_TOKEN = "lm_oat_"  # noqa: S105 - as above
CLIENT_SECRET = "lm_ocs_"  # noqa: S105 - as above
INVITATION = "lm_inv_"
PASSWORD_RESET = "lm_pwr_"  # noqa: S105 - as above
MAIL_VERIFICATION = "lm_vfy_"
SET_UP = "lm_set_"

PREFIXES = frozenset({
    DEVELOPER_KEY, SYSTEM_KEY, POPOUT_TOKEN, PAGE_SESSION, REFRESH_TOKEN, ACCESS_TOKEN, CLIENT_SECRET,
    INVITATION, PASSWORD_RESET, MAIL_VERIFICATION, SET_UP,
})  # fmt: skip

_PAIRS = tuple(one + other for one in ALPHABET for other in ALPHABET)
"""Two digits of base62, by their value."""
_SHAPE = re.compile(r"lm_[a-z]{3}_[0-9A-Za-z]{57}", re.ASCII)
_HOLDS = re.compile(_SHAPE.pattern + r"|lm_eyJ[0-9A-Za-z_-]+\.[0-9A-Za-z_-]+\.", re.ASCII)
MASKABLE = re.compile(r"lm_(?:[a-z]{3}_[0-9A-Za-z]+|eyJ[0-9A-Za-z_.-]+)", re.ASCII)


class OpaqueKey(NamedTuple):
    """A well-formed key, taken apart. `text` is the whole of it and stays secret."""

    prefix: str
    lookup_id: str
    text: str

    @property
    def name(self) -> str:
        """The part that is no secret, prefix included: two kinds never share one."""
        return self.prefix + self.lookup_id

    def __repr__(self) -> str:
        """Show the recognisable start only."""
        return f"OpaqueKey({self.prefix}{self.lookup_id}…)"


def checksum(body: str) -> str:
    """Return the CRC32 (IEEE 802.3) of `body` in base62, left-padded with `0` to six characters."""
    high, low = divmod(zlib.crc32(body.encode("ascii")), len(_PAIRS) ** 2)
    middle, low = divmod(low, len(_PAIRS))
    return _PAIRS[high] + _PAIRS[middle] + _PAIRS[low]


def _draw(length: int) -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(length))


def mint(prefix: str) -> OpaqueKey:
    """Make a new key: 71 bits of lookup id, 232 bits of secret, from the operating system's generator."""
    if prefix not in PREFIXES:
        message = f"unknown prefix {prefix!r}"
        raise ValueError(message)
    lookup_id = _draw(LOOKUP_LENGTH)
    body = f"{prefix}{lookup_id}{_draw(SECRET_LENGTH)}"
    return OpaqueKey(prefix, lookup_id, body + checksum(body))


def parse(text: str, prefix: str | None = None) -> OpaqueKey | None:
    """Take a key apart, or return None when its shape, prefix or checksum is off.

    The checksum tells a typing error from a key; it is not a security control.
    """
    if len(text) != LENGTH or _SHAPE.fullmatch(text) is None:
        return None
    kind = text[:PREFIX_LENGTH]
    if kind not in PREFIXES or (prefix is not None and kind != prefix):
        return None
    body = text[:-CHECKSUM_LENGTH]
    if checksum(body) != text[-CHECKSUM_LENGTH:]:
        return None
    return OpaqueKey(kind, text[PREFIX_LENGTH : PREFIX_LENGTH + LOOKUP_LENGTH], text)


def is_well_formed(text: str, prefix: str | None = None) -> bool:
    """Tell whether `text` has the shape and the checksum of a key."""
    return parse(text, prefix) is not None


def holds_one(text: str) -> bool:
    """Tell whether something with the shape of a key or of an access token stands in `text`."""
    return "lm_" in text and _HOLDS.search(text) is not None


def mask(text: str) -> str:
    """Replace every key, access token or one-time code in `text` by its prefix and an ellipsis."""
    return MASKABLE.sub(lambda found: found.group()[:PREFIX_LENGTH] + "…", text)
