"""`Prefer: wait=N` (RFC 7240, section 4.3): the client would rather wait N seconds and hear that it is so everywhere.

Promise: a preference never fails a request. What is malformed or unknown counts as not said, and the answer names
what was honoured.
"""

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from litestar import Request

from lumio.access.principal import Asker

WAIT_MAX = 30
"""Seconds; who asks for more waits this long, and is told so."""
HEADER_MAX = 1000
"""Characters of the header that are looked at: a longer one is nothing that a client of ours would send."""
_ITEMS = re.compile(r'(?:[^,"]|"(?:[^"\\]|\\.)*")+')
_SECONDS = re.compile(r"[0-9]+")


def wait_of(values: Iterable[str]) -> int | None:
    """Return the seconds of the first `wait` in the header's lines; None where there is none or it is malformed.

    Names have no case; of a preference that is given twice the first one counts (section 2).
    """
    line = ",".join(values)
    for item in _ITEMS.findall(line) if len(line) <= HEADER_MAX else ():
        name, _, rest = item.partition(";")[0].partition("=")
        if name.strip().lower() == "wait":
            return _seconds(rest.strip())
    return None


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
