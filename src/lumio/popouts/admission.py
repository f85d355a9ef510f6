"""Which permissions a popout token may carry in this installation: the table's, and more by name in the settings.

Promise: what is admitted is decided when the server starts, by whoever operates it; a name that cannot be stops it.
"""

from collections.abc import Iterable

from lumio.access import permission
from lumio.access.policy import POPOUT_ADMITS
from lumio.settings import SettingsError

NAMEABLE = permission.ACCOUNT - POPOUT_ADMITS
"""What the settings can add: rights inside an account, which is all that a popout token ever acts in."""


def admitted(more: Iterable[str]) -> frozenset[str]:
    """Return what a popout token may carry.

    Args:
        more: the names in the setting `LUMIO_POPOUT_ADMITS`.

    Raises:
        SettingsError: a name that is no permission, or one outside of accounts; the sentence says which.
    """
    names = frozenset(more)
    for name in sorted(names):
        if name not in permission.ALL:
            message = f"LUMIO_POPOUT_ADMITS: there is no permission {name!r}"
            raise SettingsError(message)
        if name not in permission.ACCOUNT:
            message = f"LUMIO_POPOUT_ADMITS: {name} is no right inside an account, so no popout token can have it"
            raise SettingsError(message)
    return POPOUT_ADMITS | names
