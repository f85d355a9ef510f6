"""Telling other services about credentials.

Promise: a credential that does not count looks like one that never was, and every question is an event of the
credential that was asked about.
"""

from collections.abc import Awaitable, Callable
from functools import lru_cache
from typing import Any

from msgspec import UNSET

from lumio.access import permission
from lumio.access.action import action
from lumio.access.authenticator import Authenticator
from lumio.access.context import Context
from lumio.access.guard import effective
from lumio.access.kinds import Kind
from lumio.access.principal import Principal
from lumio.introspection.model import Introspect, Introspected, Verified, Verify
from lumio.kernel.errors import Denied, FieldError, Invalid, Unauthenticated

REMEMBERED_MAX = 8192
INACTIVE = Introspected(active=False)
Rights = Callable[[Principal], Awaitable[frozenset[str]]]


class Introspection:
    """What services may know of a credential that they were shown."""

    def __init__(self, authenticator: Authenticator, rights: Rights) -> None:
        """Judge by `authenticator`; `rights` says what a principal can use now."""
        self._authenticator = authenticator
        self._rights = rights

    @action("auth.introspect", permission="auth:introspect")
    async def introspect(self, context: Context, form: Introspect) -> Introspected:
        """Return what a credential is and may do now, or only that it is not active."""
        found = await self._authenticator.examine(form.text, context.asker.origin, context.principal)
        if found is None:
            return INACTIVE
        names = sorted(await self._rights(found))
        return Introspected(
            active=True,
            sub=_known(subject_of(found)),
            scope=" ".join(names),
            exp=UNSET if found.expires_at is None else int(found.expires_at.timestamp()),
            kind=found.kind.value,
            account_id=_known(found.account_id),
            permissions=names,
            credential_id=_known(found.actor.credential_id),
            label=found.actor.label,
        )

    @action("auth.verify")
    async def verify(self, context: Context, form: Verify) -> Verified:
        """Return whom a request comes from, when it has what is required.

        Raises:
            Unauthenticated: nobody is asking, and nobody is not welcome.
            Denied: the required permission is lacking.
        """
        principal = context.principal
        if principal.kind is Kind.ANONYMOUS and not form.anonymous:
            raise Unauthenticated(internal="nothing was presented")
        names = effective(principal, context.held)
        if form.require is not None:
            _demand(form.require, names)
        credential = principal.actor.credential_id
        return _verified(principal.kind, subject_of(principal), principal.account_id, names, credential)


@lru_cache(REMEMBERED_MAX)
def _verified(
    kind: str, subject: str | None, account: str | None, names: frozenset[str], credential: str | None
) -> Verified:
    """Return the words for a verdict; the verdict itself is found anew each time."""
    return Verified(kind, subject, account, tuple(sorted(names)), credential)


def subject_of(principal: Principal) -> str | None:
    """Return whom a credential stands for: its person or sub-account, a service's key for itself."""
    return principal.user_id or principal.actor.on_behalf_of or principal.actor.id


def _demand(required: str, names: frozenset[str]) -> None:
    """Refuse whoever lacks `required`; a right over one's own things is not one over all of them."""
    plain = required.removesuffix(permission.OWN)
    if plain not in permission.ALL:
        raise Invalid([FieldError("require", "unknown", "There is no such permission.")])
    if not names & {required, plain}:
        raise Denied(f"This needs {required}.")


def _known(text: str | None) -> Any:
    return UNSET if text is None else text
