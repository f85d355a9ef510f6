"""Which rights may go into a popout token, and which of them count when it is used.

Promise: a popout token never does what its maker could not do at this moment, whatever was once chosen.
"""

from collections.abc import Iterable

from lumio.access.permission import OWN
from lumio.access.policy import ROLES, Role
from lumio.accounts.model import Standing


def givable(held: frozenset[str], *, own: bool) -> frozenset[str]:
    """Return the permissions that a holder of `held` may pass on.

    Args:
        held: what they hold now, `:own` marks included.
        own: whether it goes to themselves; a right over one's own things means nothing in another's hands.
    """
    return frozenset(name.removesuffix(OWN) for name in held if own or not name.endswith(OWN))


def counting(chosen: Iterable[str], maker: Standing, member: Standing) -> frozenset[str]:
    """Return what remains of the chosen rights when the maker's role is what it is now."""
    role = ROLES[Role(maker.role)]
    return frozenset(chosen) & givable(role, own=maker.member_id == member.member_id)
