"""Inviting by mail, withdrawing, accepting.

Promise: an invitation works once, for 7 days, for one address, with the role that stood in it when it was
made, and only while whoever made it may still invite. An Owner is never invited.
"""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from msgspec import Struct

from lumio.access.action import action
from lumio.access.context import Context
from lumio.access.kinds import Kind
from lumio.access.policy import ROLES, Role, not_above
from lumio.access.principal import Asker
from lumio.accounts.memberships import Memberships, here, this_account
from lumio.accounts.model import mail_key
from lumio.accounts.service import Accounts
from lumio.authority.subjects import Subject
from lumio.crypto import opaque
from lumio.crypto.hashing import Fingerprint, Peppers
from lumio.kernel import clock, paging
from lumio.kernel.errors import Conflict, Denied, Limited, NotFound
from lumio.kernel.event import Actor
from lumio.kernel.paging import Page
from lumio.storage.outbox import Outbox
from lumio.storage.unit import Unit, Units, View
from lumio.teams import events, mails
from lumio.teams.model import (
    Accept,
    InvitationView,
    Invite,
    Joined,
    ListHere,
    MemberChoice,
    Opened,
    Withdrawn,
)
from lumio.teams.store import InvitationStore

LIFETIME = timedelta(days=7)
DAY = timedelta(days=1)
A_DAY, A_DAY_TO_ONE = 100, 5
"""How many invitations an account sends in a day: in all, and to one address."""
INVITE = "members:invite"
GONE = "This invitation is not valid any more. Ask for a new one."


class Prepared(Struct, frozen=True):
    """The subjects that an acceptance locks: the account, the inviter, and whoever joins."""

    ends: tuple[Subject, ...]


class Invitations:
    """Invitations to an account."""

    def __init__(
        self,
        store: InvitationStore,
        peppers: Peppers,
        accounts: Accounts,
        memberships: Memberships,
        outbox: Outbox,
        units: Units,
        public_url: str,
    ) -> None:
        """Work on `store`; the link of a mail leads to `public_url`."""
        self._store = store
        self._peppers = peppers
        self._accounts = accounts
        self._memberships = memberships
        self._outbox = outbox
        self._units = units
        self._public_url = public_url

    @action("invitations.list", permission=INVITE)
    async def list(self, context: Context, form: ListHere) -> Page[InvitationView]:
        """Return the invitations that are open, the newest first."""
        rows = await self._store.live(context.view, here(context, form.account_id))
        return paging.by_id([_view(row) for row in rows], form.limit, form.cursor, newest_first=True)

    @action(
        "invitations.create",
        permission=INVITE,
        event=events.INVITATION_CREATED,
        step_up=True,
        ends=this_account,
        creates=True,
    )
    async def create(self, context: Context, form: Invite) -> InvitationView:
        """Mail an invitation; an older one to the same address is withdrawn with it."""
        unit, account_id = context.unit, here(context, form.account_id)
        if Role(form.role) is Role.OWNER:
            raise Denied("An Owner is never invited: invite an Admin, and hand the ownership over then.").noted(
                reason="owner_invited"
            )
        await self._memberships.may_act_on(context, form.role)
        await self._not_a_member(unit, account_id, form.email)
        await self._not_too_many(unit, account_id, form.email)
        await self._store.withdraw(unit, account_id, email_key=mail_key(form.email))
        code = opaque.mint(opaque.INVITATION)
        kept = self._peppers.make(code.text)
        row = await self._store.add(unit, {
            "account_id": account_id, "email": form.email, "email_key": mail_key(form.email), "role": form.role,
            "inviter_id": context.user_id, "inviter_name": context.principal.actor.label,
            "lookup_id": code.lookup_id, "pepper_v": kept.pepper_v, "digest": kept.digest,
            "expires_at": clock.now() + LIFETIME,
        })  # fmt: skip
        account = await self._accounts.account(unit, account_id)
        link = f"{self._public_url}/invite/{code.text}"
        mail = mails.invitation(form.email, link, account.name if account else "", row.inviter_name, form.role)
        context.post(self._outbox.message(mails.MAIL, mail))
        detail = {"email": form.email, "role": form.role}
        context.record(events.INVITATION_CREATED, (events.INVITATION, row.id), detail=detail)
        return _view(row)

    async def _not_a_member(self, unit: Unit, account_id: str, email: str) -> None:
        person = await self._accounts.person(unit, email=email)
        if person and await self._memberships.of_user(unit, account_id, person.id):
            raise Conflict("This person is in the account already.")

    async def _not_too_many(self, unit: Unit, account_id: str, email: str) -> None:
        since = clock.now() - DAY
        if await self._store.sent_since(unit, account_id, since, mail_key(email)) >= A_DAY_TO_ONE:
            raise Limited(86400, "This address was invited often today. Try again tomorrow.", limit=A_DAY_TO_ONE)
        if await self._store.sent_since(unit, account_id, since) >= A_DAY:
            raise Limited(86400, f"An account sends {A_DAY} invitations a day.", limit=A_DAY)

    @action("invitations.withdraw", permission=INVITE, event=events.INVITATION_REVOKED, ends=this_account)
    async def withdraw(self, context: Context, form: MemberChoice) -> Withdrawn:
        """Close an invitation: its link leads nowhere any more."""
        account_id = here(context, form.account_id)
        row = await self._store.one(context.unit, account_id, form.id)
        if row is None:
            raise NotFound
        await self._memberships.may_act_on(context, row.role)
        await self._store.withdraw(context.unit, account_id, id=row.id)
        context.record(events.INVITATION_REVOKED, (events.INVITATION, row.id), detail={"email": row.email})
        return Withdrawn(row.id, row.email)

    async def opened(self, code: str) -> Opened:
        """Return what the page of an invitation shows. Raises NotFound for a code that is not good."""
        return await self._units.read(lambda view: self._opened(view, code))

    async def _opened(self, view: View, code: str) -> Opened:
        row = await self.look(view, code)
        account = await self._accounts.account(view, row.account_id)
        if account is None:
            raise NotFound(GONE)
        person = await self._accounts.person(view, email=row.email)
        known = person is not None and person.verified
        return Opened(account.name, row.role, row.email, row.inviter_name, row.expires_at, known)

    async def look(self, view: View, text: str) -> Any:
        """Return the row of an invitation without using it.

        Raises:
            NotFound: unknown, used, withdrawn or outlived; all look the same.
        """
        code = opaque.parse(text, opaque.INVITATION)
        row = await self._store.by_lookup(view, code.lookup_id) if code else None
        if row is None or not self._peppers.matches(text, Fingerprint(row.pepper_v, row.digest)):
            raise NotFound(GONE, internal="invitation refused")
        return row

    def locks(self, row: Any, user_id: str | None) -> Iterable[Subject]:
        """Yield what an acceptance locks: nobody loses a right to invite while it is being used."""
        yield Subject("account", row.account_id)
        yield Subject("user", row.inviter_id)
        if user_id is not None:
            yield Subject("role", f"{row.account_id},{user_id}")

    async def _prepared(self, asker: Asker, form: Accept) -> Prepared:
        row = await self._units.read(lambda view: self.look(view, form.code))
        return Prepared(tuple(self.locks(row, asker.principal.user_id)))

    @action("invitations.accept", event=events.INVITATION_ACCEPTED, signed_in=True, prepare=_prepared)
    async def accept(self, context: Context, form: Accept) -> Joined:
        """Join the account; the session stays where it is until it is switched."""
        if context.principal.kind is not Kind.SESSION:
            raise Denied("Only a signed-in person can accept an invitation.")
        row = await self.look(context.unit, form.code)
        person = await self._accounts.person(context.unit, user_id=context.user_id)
        if person is None or mail_key(person.email) != row.email_key:
            sentence = "This invitation is for another mail address. Sign in with the address that it was sent to."
            raise Denied(sentence).noted(
                account_id=row.account_id,
                reason="other_address",
                target_type=events.INVITATION,
                target_id=row.id,
            )
        joined = await self.enter(context, row, person.id, context.principal.actor)
        subject = Subject("role", f"{row.account_id},{person.id}")
        await context.end(subject, reason="joined", effect="changed")
        return joined

    async def enter(self, context: Context, row: Any, user_id: str, actor: Actor) -> Joined:
        """Use an invitation for a person whose address is proven; the caller locked, and writes the feed.

        Raises:
            Denied: whoever invited may not do that any more.
            Conflict: the person is in the account already.
            NotFound: the invitation was used in the meantime, or the account is closed.
        """
        unit, account_id = context.unit, row.account_id
        about = {"account_id": account_id, "target_type": events.INVITATION, "target_id": row.id}
        account = await self._accounts.account(unit, account_id)
        if account is None:
            raise NotFound(GONE)
        inviter = await self._memberships.of_user(unit, account_id, row.inviter_id)
        if inviter is None or inviter.suspended or inviter.withheld or not _may_invite(inviter.role, row.role):
            sentence = "Whoever invited you may not invite any more. Ask an Owner or an Admin for a new invitation."
            raise Denied(sentence).noted(**about, reason="inviter_lacks_right")
        if await self._memberships.of_user(unit, account_id, user_id):
            raise Conflict("You are in this account already.").noted(**about)
        if not await self._store.accept(unit, row.id):
            raise NotFound(GONE)
        member_id = await self._accounts.join(unit, account_id, user_id, row.role)
        detail = {"role": row.role, "inviter_id": row.inviter_id}
        target = (events.INVITATION, row.id)
        context.record(events.INVITATION_ACCEPTED, target, detail=detail, account_id=account_id, actor=actor)
        context.record(
            events.MEMBER_JOINED, ("member", member_id), detail={"role": row.role}, account_id=account_id, actor=actor
        )
        return Joined(account_id, account.name, member_id, row.role)


def _may_invite(inviter_role: str, role: str) -> bool:
    return INVITE in ROLES[Role(inviter_role)] and not_above(role, inviter_role)


def _view(row: Any) -> InvitationView:
    return InvitationView(row.id, row.email, row.role, row.inviter_name, row.created_at, row.expires_at)
