"""Where a server is: the one place that says which addresses a key may travel to.

Promise: an address that passes is https, or http on this very machine, and has no path, name or password.
"""

from urllib.parse import SplitResult, urlsplit

from lumio.cli.errors import CommandError, usage_error
from lumio.cli.text import visible

_DEFAULT_PORTS = {"http": 80, "https": 443}


def _refuse(text: str, why: str, next_step: str = "Example: --server https://lumio.example.com") -> CommandError:
    return usage_error(f"{visible(text)} cannot be used as the server's address", why, next_step)


def _parts(text: str) -> tuple[SplitResult, int | None]:
    try:
        parts = urlsplit(text)
        return parts, parts.port
    except ValueError as error:
        raise _refuse(text, "it is not a well-formed address") from error


def is_loopback(origin: str) -> bool:
    """Tell whether the address stays on this machine (`localhost`, 127.0.0.0/8, ::1)."""
    host = urlsplit(origin).hostname or ""
    if host == "localhost":
        return True
    import ipaddress

    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def parse_origin(text: str) -> str:
    """Return `scheme://host[:port]` in its one canonical form (RFC 6454, section 4).

    Raises CommandError (usage) for anything else, and for plain http off this machine.
    """
    parts, port = _parts(text.strip())
    if parts.scheme not in _DEFAULT_PORTS or not parts.hostname:
        raise _refuse(text, "it must begin with https:// (or http:// on this machine) and name a host")
    if "@" in parts.netloc or parts.query or parts.fragment or parts.path not in {"", "/"}:
        raise _refuse(text, "it must be scheme, host and port alone")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    suffix = "" if port in {None, _DEFAULT_PORTS[parts.scheme]} else f":{port}"
    origin = f"{parts.scheme}://{host}{suffix}"
    if parts.scheme == "http" and not is_loopback(origin):
        raise _refuse(text, "over plain http everybody on the way could read the key",
                      f"Use https: --server https://{host}{suffix}")  # fmt: skip
    return origin
