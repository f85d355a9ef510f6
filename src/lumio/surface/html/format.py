"""How pages word values: times, sizes, and text that came from outside.

The promise: a value put through `visible` cannot hide, reorder or restyle anything that stands near it.
"""

import unicodedata
from datetime import UTC, datetime, timedelta

from lumio.kernel import clock

_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400
_JUST_NOW = 45
_BYTES_PER_STEP = 1024
_STEPS = ("KiB", "MiB", "GiB")
_NAMED = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
# Joiners shape letters of several scripts and many emoji, and can reorder nothing.
_JOINERS = frozenset("\u200c\u200d")
_ESCAPES = ((0xFF, "\\x{:02x}"), (0xFFFF, "\\u{:04x}"), (0x10FFFF, "\\U{:08x}"))
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


def ago(moment: datetime | None, now: datetime | None = None) -> str:
    """Word the distance of `moment` from `now` (default: the wall clock), past or to come; `None` is "never".

    The words are the same that `static/time.js` gives; a test compares the two.
    """
    if moment is None:
        return "never"
    seconds = ((now or clock.now()) - moment) // timedelta(seconds=1)
    return _past(seconds) if seconds >= 0 else _future(-seconds)


def _past(seconds: int) -> str:
    if seconds < _JUST_NOW:
        return "just now"
    if _DAY <= seconds < 2 * _DAY:
        return "yesterday"
    return f"{_span(seconds)} ago"


def _future(seconds: int) -> str:
    if seconds < _JUST_NOW:
        return "in a moment"
    if _DAY <= seconds < 2 * _DAY:
        return "tomorrow"
    return f"in {_span(seconds)}"


def _span(seconds: int) -> str:
    days = seconds // _DAY
    if seconds < _HOUR:
        return f"{max(1, seconds // _MINUTE)} min"
    if days < 1:
        return f"{seconds // _HOUR} h"
    for limit, length, word in ((14, 1, "days"), (60, 7, "weeks"), (730, 30, "months")):
        if days < limit:
            return f"{days // length} {word}"
    return f"{days // 365} years"


def utc(moment: datetime | None) -> str:
    """Write the exact second: `2026-11-21 23:38:54 UTC`; `None` is "never"."""
    if moment is None:
        return "never"
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def iso(moment: datetime) -> str:
    """Write RFC 3339 in UTC to the second, for the `datetime` attribute and for sorting."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def minute(moment: datetime | str | None) -> str:
    """Write a time as `<input type="datetime-local">` takes it, in UTC; of typed text the first 16 signs."""
    if isinstance(moment, datetime):
        return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M}"
    return (moment or "")[:16]


def size(count: int) -> str:
    """Word a number of bytes in powers of 1024: `512 B`, `1.5 MiB`."""
    if count < _BYTES_PER_STEP:
        return f"{count} B"
    amount = float(count)
    for step in _STEPS:
        amount /= _BYTES_PER_STEP
        if amount < _BYTES_PER_STEP or step == _STEPS[-1]:
            break
    return f"{amount:.1f} {step}"


def visible(text: object) -> str:
    r"""Show control signs, ANSI escapes, bidirectional overrides and other unseen signs as `\x1b`, `\u202e`.

    `None` becomes the empty text. HTML escaping is the template's own work and stays on.
    """
    return "" if text is None else "".join(_shown(sign) for sign in str(text))


def _shown(sign: str) -> str:
    if sign in _JOINERS or unicodedata.category(sign) not in _HIDDEN:
        return sign
    if sign in _NAMED:
        return _NAMED[sign]
    point = ord(sign)
    return next(shape.format(point) for last, shape in _ESCAPES if point <= last)
