"""Wiring, by plain constructor calls: the only package that knows every domain.

Ground (storage and keys), services (the domains on it), web (their surfaces), house (all of it, opened
and closed), staff (the services without the web).

The house comes when somebody asks for it: a command of the server needs no web framework, and starts twice as fast.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from lumio.app.listing import AUTHENTICATION_EVENTS, OPERATORS_EVENTS, SERVICES
from lumio.app.staff import at_work
from lumio.kernel.version import VERSION

if TYPE_CHECKING:
    from lumio.app.house import House, build

__all__ = ["AUTHENTICATION_EVENTS", "OPERATORS_EVENTS", "SERVICES", "VERSION", "House", "at_work", "build"]


def __getattr__(name: str) -> Any:
    """Return `House` or `build`, and load what they need."""
    if name not in {"House", "build"}:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    return getattr(import_module("lumio.app.house"), name)
