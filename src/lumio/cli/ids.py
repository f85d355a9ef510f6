"""Ids given by people, made fit for an address.

Promise: what passes is one segment of a path and cannot name another resource.
"""

import re

from lumio.cli.errors import usage_error
from lumio.cli.text import visible

_SEGMENT = re.compile(r"[0-9A-Za-z_-]{1,80}", re.ASCII)


def segment(text: str, what: str) -> str:
    """Return the id unchanged; raises CommandError (usage) when it cannot be one."""
    if _SEGMENT.fullmatch(text):
        return text
    message = f"{visible(text)} cannot be the id of {what}"
    raise usage_error(message, "ids are letters, digits, - and _")
