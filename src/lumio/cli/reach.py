"""Knocks at a server before anything heavy is loaded, so that "nobody there" is said at once.

Promise: nothing is sent; the connection is opened and closed.
"""

import socket
from urllib.parse import urlsplit

from lumio.cli.errors import unreachable

_PATIENCE_SECONDS = 5.0
_PORTS = {"http": 80, "https": 443}


def knock(origin: str) -> None:
    """Return when somebody listens there; raises CommandError (`unreachable`) when nobody does."""
    parts = urlsplit(origin)
    try:
        socket.create_connection(
            (parts.hostname or "", parts.port or _PORTS[parts.scheme]), timeout=_PATIENCE_SECONDS
        ).close()
    except OSError as error:
        raise unreachable(origin, f"no connection ({error.strerror or error})") from error
