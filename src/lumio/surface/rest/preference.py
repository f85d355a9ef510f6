"""`Prefer: wait=N` (RFC 7240, section 4.3): the client would rather wait N seconds and hear that it is so everywhere.

Promise: a preference never fails a request. What is malformed or unknown counts as not said, and the answer names
what was honoured.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from litestar import Request

from lumio.access.principal import Asker

WAIT_MAX = 30
"""Seconds; who asks for more waits this long, and is told so."""
_ITEM = re.compile(r'((?:[^,"]|"(?:[^"\\]|\\.)*")*)(?:,|$)')
"""One preference and the comma after it; read from the left alone, so that the work grows with the length."""
_SECONDS = re.compile(r"[0-9]+")


def wait_of(lines: Iterable[str]) -> int | None:
    """Return the seconds of the first `wait` in the header's lines; None where there is none or it is malformed.

    Names have no case; of a preference that is given twice the first one counts (section 2).
    """
    for item in _items(",".join(lines)):
        name, _, word = item.partition(";")[0].partition("=")
        if name.strip().lower() == "wait":
            return _seconds(word.strip())
    return None


def _items(line: str) -> Iterator[str]:
    """Yield the preferences up to the first one that breaks the form of the header."""
    place = 0
    while place < len(line) and (found := _ITEM.match(line, place)) is not None:
        yield found.group(1)
        place = found.end()


def _seconds(text: str) -> int | None:
    if _SECONDS.fullmatch(text) is None:
        return None
    digits = text.lstrip("0")
    return min(WAIT_MAX, int(digits[:3] or "0"))


def patient(request: Request[Any, Any, Any], asker: Asker) -> Asker:
    """Return the asker with as much patience as the request shows."""
    seconds = wait_of(request.headers.getall("prefer", []))
    if not seconds:
        return asker

    async def left() -> None:
        while (await request.receive())["type"] != "http.disconnect":
            pass

    return replace(asker, patience=float(seconds), left=left)


def applied(request: Request[Any, Any, Any]) -> dict[str, str]:
    """Return the header that says what was honoured (section 3); only receipts of revocations are waited for."""
    asker: Asker = request.scope["state"]["asker"]
    seconds = None if asker.outcome.waited is None else wait_of(request.headers.getall("prefer", []))
    return {} if seconds is None else {"Preference-Applied": f"wait={seconds}"}
