"""Where a request came from (spec: audit log, section 6).

Promise: a forged `X-Forwarded-For` never names the address in the log; only a trusted proxy is believed, and
only about the hop before it.
"""

from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address

from lumio.crypto import opaque
from lumio.kernel.event import Origin

Networks = Sequence[IPv4Network | IPv6Network]


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


def from_proxy(client: tuple[str, int] | None, trusted: Networks) -> bool:
    """Tell whether the socket's other end is a proxy that is believed."""
    address = normalise(client[0]) if client else None
    return address is not None and _trusted(address, trusted)


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


def of_request(
    client: tuple[str, int] | None, headers: Sequence[tuple[bytes, bytes]], request_id: str, trusted: Networks
) -> Origin:
    """Return the origin of a request for the journal."""
    forwarded = [value.decode("latin-1") for name, value in headers if name == b"x-forwarded-for"]
    agent = next((value.decode("utf-8", "replace") for name, value in headers if name == b"user-agent"), None)
    ip, source = find(client[0] if client else None, forwarded, trusted)
    return Origin(ip, source, None if agent is None else opaque.mask(agent), request_id)
