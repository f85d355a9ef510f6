"""The guard: effective right = held ∩ carried ∩ admitted, asked twice.

`admit` needs nothing but the principal and runs before the body is looked at; `allow` needs what the
principal holds *now* and runs inside the unit, after its locks, so that the answer still holds at commit.
"""

from datetime import timedelta
from enum import Enum
from functools import lru_cache

from lumio.access.kinds import Kind
from lumio.access.permission import ACCOUNT, OWN
from lumio.access.policy import ADMITTED, STEP_UP_SECONDS, roles_with
from lumio.access.principal import ACCOUNT_HEADER, Principal
from lumio.kernel import clock
from lumio.kernel.errors import Denied, FieldError, Invalid, StepUpRequired, Unauthenticated


class Reach(Enum):
    """How far a right goes: the whole account, or what the holder made."""

    ALL = "all"
    OWN = "own"


def admit(principal: Principal, permission: str | None, *, step_up: bool, signed_in: bool) -> None:
    """Refuse what no state of the database could allow.

    Raises:
        Unauthenticated: nobody is asking, and somebody must.
        StepUpRequired: the act needs a session with a fresh proof.
        Denied: this kind of credential, or its own list, does not go this far.
        Invalid: a system key must name the account that it acts on.
    """
    if principal.kind is Kind.ANONYMOUS and (permission is not None or signed_in):
        raise Unauthenticated(internal="nothing was presented")
    if permission is not None:
        carried = principal.carried is None or permission in principal.carried
        if permission not in admitted(principal) or not carried:
            raise Denied(f"A credential of this kind cannot use {permission}.")
        if permission in ACCOUNT:
            placed(principal)
    if step_up and not proven_lately(principal):
        raise StepUpRequired


def admitted(principal: Principal) -> frozenset[str]:
    """Return what the kind of the credential may use at all: the table's line, and what the settings add to it."""
    widened = principal.widened
    return ADMITTED[principal.kind] | widened if widened else ADMITTED[principal.kind]


def placed(principal: Principal) -> None:
    """Refuse a system key that names no account where one is acted on. Raises Invalid."""
    if principal.kind is Kind.SYSTEM_KEY and principal.account_id is None:
        sentence = f"A system key names the account that it acts on in the header {ACCOUNT_HEADER}."
        raise Invalid([FieldError(ACCOUNT_HEADER, "required", sentence)])


def proven_lately(principal: Principal) -> bool:
    """Tell whether a person proved who they are within the step-up window; only sessions can."""
    if principal.kind is not Kind.SESSION or principal.proven_at is None:
        return False
    return clock.now() - principal.proven_at < timedelta(seconds=STEP_UP_SECONDS)


def allow(permission: str | None, held: frozenset[str]) -> Reach:
    """Return how far the right goes.

    Raises:
        Denied: it is not held; the sentence names the roles that hold it.
    """
    if permission is None or permission in held:
        return Reach.ALL
    if permission + OWN in held:
        return Reach.OWN
    raise Denied(_explain(permission), internal=f"lacks {permission}")


def _explain(permission: str) -> str:
    """Say what is missing and who has it, so that people know whom to ask."""
    roles = " or ".join(role.capitalize() for role in roles_with(permission))
    return f"This needs {permission}" + (f", which the role {roles} has." if roles else ".")


def effective(principal: Principal, held: frozenset[str]) -> frozenset[str]:
    """Return the permissions that the principal can use now, `:own` marks included."""
    return _usable(held, admitted(principal), principal.carried)


@lru_cache(1024)
def _usable(held: frozenset[str], admitted: frozenset[str], carried: frozenset[str] | None) -> frozenset[str]:
    return frozenset(
        name
        for name in held
        if name.removesuffix(OWN) in admitted and (carried is None or name.removesuffix(OWN) in carried)
    )
