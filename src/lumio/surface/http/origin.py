"""Where a request came from (spec: audit log, section 6).

Promise: a forged `X-Forwarded-For` never names the address in the log; only a trusted proxy is believed, and
only about the hop before it.
"""

from collections.abc import Sequence
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address

from lumio.crypto import opaque
from lumio.kernel.event import Origin

Networks = Sequence[IPv4Network | IPv6Network]
REMEMBERED_MAX = 4096
SHORT = 512
"""Bytes of a header that may be remembered: strangers choose them."""


def normalise(text: str) -> str | None:
    """Return an address in its one form, IPv4 out of IPv6 included, or None when it is none.

    A zone (`fe80::1%eth0`) means something to its own host only, and may be any text: it is dropped.
    """
    try:
        parsed = ip_address(text.strip().strip("[]").partition("%")[0])
    except ValueError:
        return None
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(parsed)


def _trusted(address: str, trusted: Networks) -> bool:
    parsed = ip_address(address)
    return any(parsed.version == network.version and parsed in network for network in trusted)


def find(peer: str | None, forwarded: Sequence[str], trusted: Networks) -> tuple[str | None, str]:
    """Return the client's address and how it was learned: `peer` or `forwarded`.

    Args:
        peer: the socket's other end.
        forwarded: the values of `X-Forwarded-For`, in order.
        trusted: networks of proxies that are believed.
    """
    address = normalise(peer) if peer else None
    if address is None or not forwarded or not _trusted(address, trusted):
        return address, "peer"
    hops = [normalise(hop) for value in forwarded for hop in value.split(",")]
    for hop in reversed(hops):
        if hop is None:
            return address, "peer"
        if not _trusted(hop, trusted):
            return hop, "forwarded"
    return address, "peer"


class Origins:
    """Reads where requests come from; short texts, which come again and again, are read once."""

    def __init__(self, trusted: Networks) -> None:
        """Believe the proxies in `trusted`."""
        self._trusted = tuple(trusted)
        self._found = lru_cache(REMEMBERED_MAX)(self._find)
        self._believed = lru_cache(REMEMBERED_MAX)(self._believe)

    def of(
        self, client: tuple[str, int] | None, forwarded: Sequence[bytes], agent: bytes | None, request_id: str
    ) -> Origin:
        """Return the origin of a request for the journal.

        Args:
            client: the socket's other end.
            forwarded: the values of `X-Forwarded-For`, in order.
            agent: what the client calls itself.
            request_id: ours.
        """
        find = self._found if sum(map(len, forwarded)) <= SHORT else self._find
        ip, source = find(client[0] if client else None, tuple(forwarded))
        return Origin(ip, source, None if agent is None else _masked(agent), request_id)

    def from_proxy(self, client: tuple[str, int] | None) -> bool:
        """Tell whether the socket's other end is a proxy that is believed."""
        return client is not None and bool(self._trusted) and self._believed(client[0])

    def _find(self, peer: str | None, forwarded: tuple[bytes, ...]) -> tuple[str | None, str]:
        return find(peer, [value.decode("latin-1") for value in forwarded], self._trusted)

    def _believe(self, peer: str) -> bool:
        address = normalise(peer)
        return address is not None and _trusted(address, self._trusted)


def _masked(agent: bytes) -> str:
    return _mask_short(agent) if len(agent) <= SHORT else _mask_short.__wrapped__(agent)


@lru_cache(REMEMBERED_MAX)
def _mask_short(agent: bytes) -> str:
    return opaque.mask(agent.decode("utf-8", "replace"))
