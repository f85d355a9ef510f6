"""What happens to people and accounts. Promise: rights are what the membership says at this moment."""

import secrets
from collections.abc import Iterable, Sequence
from datetime import datetime

from lumio.access.action import action
from lumio.access.context import Context
from lumio.access.guard import effective
from lumio.access.policy import ROLES, Role
from lumio.access.principal import Principal
from lumio.accounts.model import (
    AccountView,
    Listed,
    Me,
    Membership,
    Person,
    Place,
    Standing,
    clean_name,
    name_key,
    slug_of,
)
from lumio.accounts.store import AccountStore
from lumio.authority.subjects import Subject
from lumio.kernel import clock
from lumio.kernel.ids import is_uuid
from lumio.storage.hot import HotReader
from lumio.storage.unit import Unit, View

NOTHING: frozenset[str] = frozenset()
HELD: dict[str | None, frozenset[str]] = {role.value: held for role, held in ROLES.items()}


class Accounts:
    """People, accounts, memberships, and the rights that follow from them."""

    def __init__(self, store: AccountStore) -> None:
        """Work on `store`."""
        self._store = store

    async def held(self, view: View, principal: Principal) -> frozenset[str]:
        """Return the rights of the principal's membership now; none when it is gone or suspended."""
        if principal.member_id is None:
            return frozenset()
        standing = await self._store.standing_within(view, principal.member_id)
        return frozenset() if standing is None else ROLES[Role(standing.role)]

    def known(self, principal: Principal) -> frozenset[str] | None:
        """Return the rights of the membership that the check of the credential found."""
        return NOTHING if principal.member_id is None else HELD.get(principal.role)

    async def held_now(self, principal: Principal) -> frozenset[str]:
        """Return nothing: a membership that was not found with its role holds none."""
        del principal
        return NOTHING

    async def standing_of_member(self, hot: HotReader, member_id: str) -> Standing | None:
        """Return a member's standing by the hot path."""
        return await self._store.standing_of_member(hot, member_id)

    async def standing_of_user(self, hot: HotReader, account_id: str, user_id: str) -> Standing | None:
        """Return a person's standing in an account by the hot path."""
        return await self._store.standing_of_user(hot, account_id, user_id)

    async def exists(self, account_id: str) -> bool:
        """Tell whether there is such an account, by the hot path; a text that is no id names none."""
        return is_uuid(account_id) and await self._store.exists(account_id)

    async def members_of(self, view: View, account_id: str) -> dict[str, Standing]:
        """Return the active members of an account by id."""
        return await self._store.members_of(view, account_id)

    async def account(self, view: View, account_id: str) -> AccountView | None:
        """Return an account by id."""
        return await self._store.account(view, account_id)

    async def first_account_of(self, view: View, user_id: str) -> tuple[str, str] | None:
        """Return (account id, member id) of a person's oldest membership that counts."""
        found = await self._store.accounts_of(view, user_id)
        return found[0] if found else None

    async def acts_in(self, view: View, user_id: str, account_id: str) -> bool:
        """Tell whether a person belongs to an account and is not withheld there."""
        return account_id in {one for one, _ in await self._store.accounts_of(view, user_id)}

    async def is_withheld(self, view: View, user_id: str) -> bool:
        """Tell whether a person, or one of their memberships, waits to be confirmed after a restore."""
        return await self._store.is_withheld(view, user_id)

    async def join(self, unit: Unit, account_id: str, user_id: str, role: str) -> str:
        """Make a person a member of an account; return the member's id."""
        return await self._store.add_member(unit, account_id, user_id, role)

    async def person(self, view: View, *, user_id: str = "", email: str = "") -> Person | None:
        """Return a person by id or by mail address."""
        return await self._store.person(view, user_id=user_id, email=email)

    async def add_person(
        self, unit: Unit, email: str, name: str, password_hash: str | None, *, verified: bool
    ) -> str:
        """Create a person; return the id. Nobody signs in as a person without a password hash."""
        return await self._store.add_user(
            unit, email, clean_name("display_name", name), password_hash, verified=verified
        )

    async def found_account(self, unit: Unit, user_id: str, name: str) -> str:
        """Create an account with the person as its Owner; return the account's id."""
        cleaned = clean_name("account_name", name)
        slug = slug_of(cleaned)
        while await self._store.slug_taken(unit, slug):
            slug = f"{slug_of(cleaned)}-{secrets.token_hex(3)}"
        account_id = await self._store.add_account(unit, slug, cleaned)
        await self._store.add_member(unit, account_id, user_id, Role.OWNER)
        return account_id

    async def verify_mail(self, unit: Unit, user_id: str) -> None:
        """Mark a person's mail address as theirs."""
        await self._store.change_user(unit, user_id, verified_at=clock.now())

    async def same_password(self, unit: Unit, person: Person) -> bool:
        """Tell whether a person may still sign in with the password that was checked before the unit opened.

        It stays so until the unit's end: whoever signs in while the password is being replaced, or they are
        being suspended, is either in before, and ended with the others, or not in at all.
        """
        await unit.lock(shared=(_password_of(person.id),), exclusive=())
        now = await self._store.person(unit, user_id=person.id)
        if now is None or not now.active or now.password_hash is None or person.password_hash is None:
            return False
        return secrets.compare_digest(now.password_hash, person.password_hash)

    async def set_password(self, unit: Unit, user_id: str, password_hash: str) -> None:
        """Replace a person's password."""
        await unit.lock(shared=(), exclusive=(_password_of(user_id),))
        await self._store.change_user(unit, user_id, password_hash=password_hash)

    async def rename(self, unit: Unit, user_id: str, name: str) -> None:
        """Replace a person's display name."""
        cleaned = clean_name("display_name", name)
        await self._store.change_user(unit, user_id, display_name=cleaned, name_key=name_key(cleaned))

    async def people(
        self, view: View, wanted: str, limit: int, after: tuple[datetime, str] | None
    ) -> Sequence[Listed]:
        """Return people whose address or name has `wanted` in it, the newest first."""
        return await self._store.people(view, wanted, limit, after)

    async def listed(self, view: View, user_id: str) -> Listed | None:
        """Return one person in the same form."""
        return await self._store.listed(view, user_id)

    async def memberships(self, view: View, user_ids: Iterable[str]) -> dict[str, list[Membership]]:
        """Return the accounts of some people by person."""
        return await self._store.memberships(view, user_ids)

    async def any_active(self, view: View, user_ids: Iterable[str]) -> bool:
        """Tell whether one of these people can sign in."""
        return await self._store.any_active(view, user_ids)

    async def suspend(self, unit: Unit, user_id: str) -> None:
        """Stop a person: no standing anywhere, so no session, key or popout token of theirs is good any more.

        The caller ends their sessions and writes the feed.
        """
        await unit.lock(shared=(), exclusive=(_password_of(user_id),))
        await self._store.change_user(unit, user_id, suspended_at=clock.now())

    async def reinstate(self, unit: Unit, user_id: str) -> None:
        """Give a suspended person their standing back; their keys are good again, their sessions stay ended."""
        await self._store.change_user(unit, user_id, suspended_at=None)

    @action("accounts.me", signed_in=True)
    async def me(self, context: Context, _form: None) -> Me:
        """Return who is asking, where, and with which rights right now."""
        principal = context.principal
        place = await self._place_of(principal)
        return Me(
            kind=principal.kind,
            label=principal.actor.label,
            user=place.user,
            account=place.account,
            role=place.role,
            permissions=sorted(effective(principal, context.held)),
            credential_id=principal.actor.credential_id,
        )

    async def _place_of(self, principal: Principal) -> Place:
        """Return who and where a principal is, by the hot path: one look whatever it stands on."""
        if principal.member_id is not None:
            return await self._store.place_of_member(principal.member_id)
        if principal.account_id is not None:
            return Place(None, await self._store.account_now(principal.account_id), None)
        return Place(None, None, None)


def _password_of(user_id: str) -> str:
    return f"password:{user_id}"


def subjects_of(standing: Standing | None) -> tuple[Subject, ...]:
    """Return what a member stands on: account, person, membership; nothing when there is no standing."""
    if standing is None:
        return ()
    holder = standing.user_id or standing.member_id
    subjects = [Subject("account", standing.account_id), Subject("role", f"{standing.account_id},{holder}")]
    if standing.user_id:
        subjects.append(Subject("user", standing.user_id))
    return tuple(subjects)
