"""The tables that the guard reads: what a role holds, what a kind of credential admits.

Every line of them is compared with a golden text file, so that a change of policy is a visible line in a diff.
"""

from enum import StrEnum

from lumio.access import permission
from lumio.access.kinds import Kind


class Role(StrEnum):
    """The roles of an account, in falling order of rights."""

    OWNER = "owner"
    ADMIN = "admin"
    MEMBER = "member"


SYSTEM_ADMIN = "system_admin"

_OWN = {
    "api-keys:read", "api-keys:create", "api-keys:delete",
    "tokens:read", "tokens:create", "tokens:edit", "tokens:delete",
    "audit-log:read",
}  # fmt: skip

ROLES: dict[Role, frozenset[str]] = {
    Role.OWNER: permission.ACCOUNT,
    Role.ADMIN: permission.ACCOUNT - {"billing:read", "billing:edit", "account:delete"},
    Role.MEMBER: frozenset({"account:read", "members:read", "extensions:read", "extensions:deploy"})
    | {name + permission.OWN for name in _OWN},
}

ADMIN_ROLES: dict[str, frozenset[str]] = {SYSTEM_ADMIN: permission.ADMIN}

GRANTABLE: dict[str, frozenset[str]] = {SYSTEM_ADMIN: permission.ALL}
"""What an admin role may give to a system key; a role that is not named here gives what it holds.

Giving is not doing: what a system administrator does inside an account still follows from their membership
there. And a right that a person holds in one account is none to give for all of them.
"""

POPOUT_ADMITS = frozenset({"extensions:read", "members:read", "tokens:read"})

ADMITTED: dict[Kind, frozenset[str]] = {
    Kind.SESSION: permission.ACCOUNT | permission.ADMIN,
    Kind.OAUTH: permission.ACCOUNT
    - {"billing:read", "billing:edit", "members:invite", "members:edit", "members:delete"}
    - {"api-keys:read", "api-keys:create", "api-keys:delete"},
    Kind.API_KEY: permission.ACCOUNT,
    Kind.SYSTEM_KEY: permission.ALL - {"admin:access"},
    Kind.POPOUT_TOKEN: POPOUT_ADMITS,
    Kind.ANONYMOUS: frozenset(),
}

STEP_UP_SECONDS = 600
"""How old a proof may be for a dangerous act (product F5)."""

CAPABILITIES: tuple[tuple[str, str], ...] = (
    ("Can deploy", "extensions:deploy"),
    ("Can publish", "extensions:publish"),
    ("Can manage billing", "billing:edit"),
    ("Can invite members", "members:invite"),
)
"""The four columns that people are shown where a role is picked (product E1)."""


def roles_with(name: str) -> tuple[Role, ...]:
    """Return the roles that hold a permission without restriction, the highest first."""
    return tuple(role for role in Role if name in ROLES[role])


def not_above(one: str, other: str) -> bool:
    """Tell whether the role `one` is not above the role `other`."""
    order = list(Role)
    return order.index(Role(one)) >= order.index(Role(other))
