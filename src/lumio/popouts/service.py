"""Making, listing, changing and revoking popout tokens.

Promise: the secret leaves in one answer only, nobody puts into a popout token what they do not hold at that
moment, and a revocation is final.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from msgspec import UNSET

from lumio.access import guard, permission
from lumio.access.action import action
from lumio.access.context import Context
from lumio.access.fields import clean_label, in_future
from lumio.access.guard import Reach
from lumio.access.kinds import Kind
from lumio.access.policy import not_above
from lumio.access.principal import Principal
from lumio.accounts.model import Member, Standing
from lumio.accounts.service import Accounts
from lumio.authority.subjects import Subject
from lumio.crypto import opaque
from lumio.crypto.hashing import Peppers
from lumio.kernel import clock, paging
from lumio.kernel.errors import Denied, FieldError, Invalid, NotFound, StepUpRequired
from lumio.kernel.paging import Page
from lumio.popouts import events
from lumio.popouts.model import (
    Choices,
    CreatedPopout,
    CreatePopout,
    ListPopouts,
    Party,
    PopoutChoice,
    PopoutSelf,
    PopoutView,
    RevokedPopout,
    UpdatePopout,
)
from lumio.popouts.rights import givable
from lumio.popouts.store import PopoutStore
from lumio.storage.unit import Units, View
from lumio.storage.uses import Uses

PREFIX = opaque.POPOUT_TOKEN


def _this_popout(_principal: Principal, form: PopoutChoice | UpdatePopout) -> list[Subject]:
    return [Subject("popout", form.id)]


class Popouts:
    """Popout tokens of an account."""

    def __init__(self, store: PopoutStore, peppers: Peppers, accounts: Accounts, admits: frozenset[str]) -> None:
        """Work on `store`; names and roles of members come from `accounts`; `admits` is what one may carry here."""
        self.admits = admits
        self._store = store
        self._peppers = peppers
        self._accounts = accounts
        self._uses = Uses[tuple[datetime, str | None]]()

    @action("popout_tokens.list", permission="tokens:read")
    async def list(self, context: Context, form: ListPopouts) -> Page[PopoutView]:
        """Return the popout tokens that are not revoked, the newest first; a Member sees their own."""
        after = None
        if form.cursor is not None:
            micros, popout_id = paging.decode_moment(form.cursor)
            after = (clock.from_micros(micros), popout_id)
        rows = await self._store.live(context.view, context.account_id, _only(context), form.limit + 1, after)
        members = await self._accounts.members_of(context.view, context.account_id)
        views = [_view(row, members) for row in rows[: form.limit]]
        if len(rows) <= form.limit:
            return Page(views)
        return Page(views, paging.encode(clock.to_micros(views[-1].created_at), views[-1].id))

    @action("popout_tokens.show", permission="tokens:read")
    async def show(self, context: Context, form: PopoutChoice) -> PopoutView:
        """Return one popout token."""
        row = await self._find(context, form.id)
        return _view(row, await self._accounts.members_of(context.view, context.account_id))

    @action("popout_tokens.me", signed_in=True)
    async def me(self, context: Context, _form: None) -> PopoutSelf:
        """Tell a popout token what it is and what it may do at this moment."""
        principal = context.principal
        if principal.kind is not Kind.POPOUT_TOKEN or principal.actor.id is None:
            raise Denied("This address is for popout tokens.")
        row = await self._store.one(context.view, context.account_id, principal.actor.id)
        account = await self._accounts.account(context.view, context.account_id)
        if row is None or account is None:
            raise NotFound
        members = await self._accounts.members_of(context.view, context.account_id)
        return PopoutSelf(
            id=row.id,
            label=row.label,
            permissions=sorted(guard.effective(principal, context.held)),
            account=Party(account.id, account.name),
            member=_member(row, members),
            created_at=row.created_at,
            expires_at=row.expires_at,
        )

    @action("popout_tokens.choices", permission="tokens:create")
    async def choices(self, context: Context, _form: None) -> Choices:
        """Return what whoever asks may put into a popout token of their own, and whom they may bind one to."""
        members = await self._accounts.members_of(context.view, context.account_id)
        me = _own_standing(context, members)
        bindable = (
            [me] if context.reach is Reach.OWN else [one for one in members.values() if not_above(one.role, me.role)]
        )
        names = givable(guard.effective(context.principal, context.held), own=True) & self.admits
        parties = [Party(one.member_id, one.name) for one in bindable]
        return Choices(sorted(names), sorted(parties, key=lambda one: (one.id != me.member_id, one.name.casefold())))

    @action(
        "popout_tokens.create",
        permission="tokens:create",
        event=events.CREATED,
        step_up=True,
        creates=True,
        reveals=True,
    )
    async def create(self, context: Context, form: CreatePopout) -> CreatedPopout:
        """Make a popout token; only this answer carries it."""
        label = clean_label(form.label)
        in_future("expires_at", form.expires_at)
        member = await self._bound(context, form.member_id)
        names = _known(form.permissions)
        self._give(context, names, member.member_id)
        secret = opaque.mint(PREFIX)
        kept = self._peppers.make(secret.text)
        row = await self._store.add(context.unit, {
            "account_id": context.account_id, "member_id": member.member_id, "maker_id": context.user_id,
            "maker_name": context.principal.actor.label, "label": label, "permissions": sorted(names),
            "lookup_id": secret.lookup_id, "pepper_v": kept.pepper_v, "digest": kept.digest,
            "expires_at": form.expires_at,
        })  # fmt: skip
        detail = {"label": label, "permissions": row.permissions, "member_id": member.member_id}
        context.record(events.CREATED, ("popout_token", row.id), detail=detail)
        bound_to = Party(member.member_id, member.name)
        return CreatedPopout(
            row.id, label, secret.text, row.permissions, PREFIX, secret.lookup_id, bound_to, row.created_at,
            row.expires_at,
        )  # fmt: skip

    @action("popout_tokens.update", permission="tokens:edit", event=events.UPDATED, ends=_this_popout)
    async def update(self, context: Context, form: UpdatePopout) -> PopoutView:
        """Change the label or the rights. To add a right is to make a credential: it asks for a fresh proof."""
        row = await self._find(context, form.id)
        if form.label is UNSET and form.permissions is UNSET:
            raise Invalid([FieldError("", "required", "Name a label or permissions to change.")])
        before = frozenset(row.permissions)
        label = row.label if form.label is UNSET else clean_label(form.label)
        names = before if form.permissions is UNSET else _known(form.permissions)
        if names - before:
            if not guard.proven_lately(context.principal):
                raise StepUpRequired
            self._give(context, names - before, row.member_id)
        members = await self._accounts.members_of(context.view, context.account_id)
        changed = await self._store.change(context.unit, row.id, {"label": label, "permissions": sorted(names)})
        if changed is None:
            raise NotFound
        detail = {"label": label, "added": sorted(names - before), "removed": sorted(before - names)}
        context.record(events.UPDATED, ("popout_token", row.id), detail=detail)
        if names != before:
            await context.end(Subject("popout", row.id), reason="permissions", effect="changed")
        return _view(changed, members)

    @action("popout_tokens.delete", permission="tokens:delete", event=events.REVOKED, ends=_this_popout)
    async def delete(self, context: Context, form: PopoutChoice) -> RevokedPopout:
        """End a popout token, for good."""
        row = await self._find(context, form.id)
        moment = clock.now()
        if await self._store.change(context.unit, row.id, {"revoked_at": moment}) is None:
            raise NotFound
        context.record(events.REVOKED, ("popout_token", row.id), detail={"label": row.label})
        receipt = await context.end(Subject("popout", row.id), reason="revoked")
        return RevokedPopout(row.id, moment, receipt.seq, receipt.effective)

    async def left_by(self, view: View, account_id: str, member: Member) -> Sequence[PopoutView]:
        """Return the live popout tokens that are bound to a member or that the person made."""
        rows = await self._store.left_by(view, account_id, member.id, member.user.id if member.user else None)
        members = await self._accounts.members_of(view, account_id)
        return [_view(row, members) for row in rows]

    async def end(self, context: Context, doomed: Iterable[PopoutView], reason: str) -> Sequence[Subject]:
        """End popout tokens inside the unit of a higher action, with an event each; the caller writes the feed."""
        ended = []
        for popout in doomed:
            if await self._store.change(context.unit, popout.id, {"revoked_at": clock.now()}) is not None:
                detail = {"label": popout.label, "reason": reason}
                context.record(events.REVOKED, ("popout_token", popout.id), detail=detail)
                ended.append(Subject("popout", popout.id))
        return ended

    def used(self, popout_id: str, ip: str | None) -> None:
        """Note in memory that a popout token was accepted now."""
        self._uses.note(popout_id, (clock.now(), ip))

    async def flush(self, units: Units) -> None:
        """Write the last uses collected so far."""
        await self._uses.flush(units, self._store.used)

    async def _find(self, context: Context, popout_id: str) -> Any:
        row = await self._store.one(context.view, context.account_id, popout_id)
        mine = _only(context)
        if row is None or (mine is not None and row.member_id != mine):
            raise NotFound
        return row

    async def _bound(self, context: Context, member_id: str | None) -> Standing:
        """Return the member whose role a new popout token uses: the one that was named, or the maker."""
        members = await self._accounts.members_of(context.view, context.account_id)
        me = _own_standing(context, members)
        if member_id is None or member_id == me.member_id:
            return me
        if context.reach is Reach.OWN:
            raise Denied("You can bind a popout token to yourself only.")
        if member_id not in members:
            raise Invalid([FieldError("member_id", "unknown", "There is no such member.")])
        if not not_above(members[member_id].role, me.role):
            raise Denied("You cannot bind a popout token to a role above your own.")
        return members[member_id]

    def _give(self, context: Context, names: frozenset[str], member_id: str) -> None:
        """Refuse rights that the asker does not hold now, and rights that no popout token may have.

        Raises:
            Denied: not held.
            Invalid: held, but not for this kind.
        """
        held = guard.effective(context.principal, context.held)
        lacking = sorted(names - givable(held, own=member_id == context.principal.member_id))
        if lacking:
            raise Denied(f"You can give only what you hold yourself now; you do not hold {', '.join(lacking)}.")
        foreign = sorted(names - self.admits)
        if foreign:
            allowed = ", ".join(sorted(self.admits))
            message = f"A popout token cannot have {', '.join(foreign)}; it may have {allowed}."
            raise Invalid([FieldError("permissions", "admitted", message)])


def _only(context: Context) -> str | None:
    """Return the only member whose popout tokens the asker may touch, or None for all of the account."""
    return context.principal.member_id if context.reach is Reach.OWN else None


def _own_standing(context: Context, members: dict[str, Standing]) -> Standing:
    found = members.get(context.principal.member_id or "")
    if found is None:
        raise Denied("Only a member of the account can do this.")
    return found


def _known(names: Iterable[str]) -> frozenset[str]:
    """Return the names without repetition. Raises Invalid when there is none, or one that is no permission."""
    chosen = frozenset(names)
    if not chosen:
        raise Invalid([FieldError("permissions", "required", "Choose at least one.")])
    strange = sorted(chosen - permission.ALL)
    if strange:
        raise Invalid([FieldError("permissions", "unknown", f"There is no permission {strange[0]}.")])
    return chosen


def _member(row: Any, members: dict[str, Standing]) -> Party:
    found = members.get(row.member_id)
    return Party(row.member_id, found.name if found else "former member")


def _view(row: Any, members: dict[str, Standing]) -> PopoutView:
    maker = next((one.name for one in members.values() if one.user_id == row.maker_id), row.maker_name)
    return PopoutView(
        id=row.id,
        label=row.label,
        permissions=row.permissions,
        prefix=PREFIX,
        lookup_id=row.lookup_id,
        member=_member(row, members),
        maker=Party(row.maker_id, maker),
        created_at=row.created_at,
        expires_at=row.expires_at,
        last_used_at=row.last_used_at,
        last_used_ip=row.last_used_ip,
    )
