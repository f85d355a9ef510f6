"""`GET /metrics`: who may see the figures of this host (product I6).

Promise: only who asks on this machine itself, or presents the metrics token, sees them; everybody else sees an
address that is not there. The token is no credential of the product, and no proxy makes a stranger local.
"""

import secrets
from collections.abc import Sequence
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from litestar import Request, Response, get
from litestar.di import NamedDependency

from lumio.kernel.errors import NotFound
from lumio.surface.http import origin
from lumio.surface.http.gate import OPEN
from lumio.surface.http.scrape import Scrape

FORWARDING = frozenset({
    b"forwarded", b"via", b"x-forwarded-for", b"x-forwarded-host", b"x-forwarded-port", b"x-forwarded-proto",
    b"x-forwarded-server", b"x-real-ip",
})  # fmt: skip
BEARER = b"bearer "
TEXT = "text/plain; version=0.0.4"
"""The form's name; the framework adds the character set."""


class Lookout:
    """Knows who may look at the figures."""

    def __init__(self, metrics_token: str | None, trusted: origin.Networks) -> None:
        """Keep what others than local ones must present; `trusted` proxies speak for others, and are never local."""
        self._token = None if metrics_token is None else metrics_token.encode()
        self._trusted = trusted

    def admits(self, scope: Any) -> bool:
        """Tell whether a request may see them."""
        presented = [value for name, value in scope["headers"] if name == b"authorization"]
        if self._token is not None and len(presented) == 1 and presented[0][: len(BEARER)].lower() == BEARER:
            return secrets.compare_digest(presented[0][len(BEARER) :].strip(), self._token)
        return is_local(scope.get("client"), scope["headers"], self._trusted)


def is_local(
    client: tuple[str, int] | None, headers: Sequence[tuple[bytes, bytes]], trusted: origin.Networks
) -> bool:
    """Tell whether a request comes from this machine and was meant for it: nobody forwarded it, nobody was lured.

    A proxy on this machine has a loopback address too, so whatever looks forwarded is not local; neither is a page
    of elsewhere whose name was made to point here, and which therefore says another host.
    """
    if client is None or not _is_loopback(client[0]) or origin.Origins(trusted).from_proxy(client):
        return False
    if any(name in FORWARDING for name, _ in headers):
        return False
    hosts = [value.decode("latin-1") for name, value in headers if name == b"host"]
    return len(hosts) == 1 and _says_loopback(hosts[0])


def _is_loopback(address: str) -> bool:
    plain = origin.normalise(address)
    return plain is not None and ip_address(plain).is_loopback


def _says_loopback(host: str) -> bool:
    try:
        name = urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return False
    return name == "localhost" or _is_loopback(name)


@get("/metrics", opt={OPEN: True})
async def metrics(
    request: Request[Any, Any, Any], lookout: NamedDependency[Lookout], scrape: NamedDependency[Scrape]
) -> Response[bytes]:
    """Tell the figures of this host."""
    if not lookout.admits(request.scope):
        raise NotFound
    return Response(await scrape.text(), media_type=TEXT)
