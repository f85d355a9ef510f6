"""Wiring, by plain constructor calls: the only package that knows every domain.

Ground (storage and keys), services (the domains on it), web (their surfaces), house (all of it, opened
and closed), staff (the services without the web).
"""

from lumio.app.house import House, build
from lumio.app.listing import AUTHENTICATION_EVENTS, OPERATORS_EVENTS, SERVICES
from lumio.app.staff import at_work
from lumio.kernel.version import VERSION

__all__ = ["AUTHENTICATION_EVENTS", "OPERATORS_EVENTS", "SERVICES", "VERSION", "House", "at_work", "build"]
