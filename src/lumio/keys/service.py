"""Making, rotating, listing and revoking developer keys.

Promise: the key leaves in one answer only, the row keeps a fingerprint, and a revocation is final.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from msgspec.structs import replace

from lumio.access.action import action
from lumio.access.context import Context
from lumio.access.fields import clean_label, in_future
from lumio.access.guard import Reach
from lumio.access.policy import not_above
from lumio.access.principal import Principal
from lumio.accounts.model import Member, Standing
from lumio.accounts.service import Accounts
from lumio.authority.subjects import Subject
from lumio.crypto import opaque
from lumio.crypto.hashing import Peppers
from lumio.kernel import clock, paging
from lumio.kernel.errors import Denied, FieldError, Invalid, NotFound
from lumio.kernel.paging import Page
from lumio.keys import events
from lumio.keys.model import CreatedKey, CreateKey, KeyChoice, KeyView, ListKeys, Party, RevokedKey
from lumio.keys.store import KeyStore
from lumio.storage.unit import Units, View
from lumio.storage.uses import Uses

PREFIX = opaque.DEVELOPER_KEY
MINTS_FOR_OTHERS = "members:invite"
"""Whoever makes a key for a sub-account must hold this, then and as long as the key lives."""


def _this_key(_principal: Principal, form: KeyChoice) -> list[Subject]:
    return [Subject("key", form.id)]


class Keys:
    """Developer keys of an account."""

    def __init__(self, store: KeyStore, peppers: Peppers, accounts: Accounts) -> None:
        """Work on `store`; names of people come from `accounts`."""
        self._store = store
        self._peppers = peppers
        self._accounts = accounts
        self._uses = Uses[tuple[datetime, str | None]]()

    @action("api_keys.list", permission="api-keys:read")
    async def list(self, context: Context, form: ListKeys) -> Page[KeyView]:
        """Return the keys that are not revoked, the newest first; a Member sees their own."""
        after = None
        if form.cursor is not None:
            micros, key_id = paging.decode_moment(form.cursor)
            after = (clock.from_micros(micros), key_id)
        rows = await self._store.live(
            context.view, context.account_id, self._restricted_to(context), form.limit + 1, after
        )
        members = await self._accounts.members_of(context.view, context.account_id)
        views = [_view(row, members) for row in rows[: form.limit]]
        if len(rows) <= form.limit:
            return Page(views)
        return Page(views, paging.encode(clock.to_micros(views[-1].created_at), views[-1].id))

    @action("api_keys.show", permission="api-keys:read")
    async def show(self, context: Context, form: KeyChoice) -> KeyView:
        """Return one key."""
        row = await self._find(context, form.id)
        return _view(row, await self._accounts.members_of(context.view, context.account_id))

    @action(
        "api_keys.create",
        permission="api-keys:create",
        event=events.CREATED,
        step_up=True,
        creates=True,
        reveals=True,
    )
    async def create(self, context: Context, form: CreateKey) -> CreatedKey:
        """Make a key for oneself or for a sub-account; only this answer carries it."""
        label = clean_label(form.label)
        in_future("expires_at", form.expires_at)
        member_id = context.principal.member_id
        if form.sub_account_id is not None:
            member_id = await self._sub_account(context, form.sub_account_id)
        if member_id is None:
            raise NotFound
        return await self._mint(context, label, member_id, form.expires_at, None, events.CREATED)

    @action(
        "api_keys.rotate",
        permission="api-keys:create",
        event=events.ROTATED,
        step_up=True,
        creates=True,
        reveals=True,
    )
    async def rotate(self, context: Context, form: KeyChoice) -> CreatedKey:
        """Make the successor of a key. The old one goes on working until it is revoked."""
        row = await self._find(context, form.id)
        members = await self._accounts.members_of(context.view, context.account_id)
        holder = members.get(row.holder_id)
        if holder is None or holder.user_id is not None:
            if row.holder_id != context.principal.member_id:
                raise NotFound("Only its holder can rotate this key: the successor is shown to whoever makes it.")
        else:
            await self._sub_account(context, holder.member_id)
        return await self._mint(context, row.label, row.holder_id, row.expires_at, row.id, events.ROTATED)

    @action("api_keys.revoke", permission="api-keys:delete", event=events.REVOKED, ends=_this_key)
    async def revoke(self, context: Context, form: KeyChoice) -> RevokedKey:
        """End a key, for good."""
        row = await self._find(context, form.id)
        moment = clock.now()
        if not await self._store.revoke(context.unit, row.id, moment):
            raise NotFound
        context.record(events.REVOKED, ("api_key", row.id), detail={"label": row.label})
        receipt = await context.end(Subject("key", row.id), reason="revoked")
        return RevokedKey(row.id, moment, receipt.seq, receipt.effective)

    async def left_by(self, view: View, account_id: str, member: Member) -> Sequence[KeyView]:
        """Return the live keys that a member holds, and those that the person minted for sub-accounts."""
        rows = await self._store.left_by(view, account_id, member.id, member.user.id if member.user else None)
        members = await self._accounts.members_of(view, account_id)
        return [_view(row, members) for row in rows]

    async def end(self, context: Context, doomed: Iterable[KeyView], reason: str) -> Sequence[Subject]:
        """End keys inside the unit of a higher action, with an event each; the caller writes the feed."""
        ended = []
        for key in doomed:
            if await self._store.revoke(context.unit, key.id, clock.now()):
                detail = {"label": key.label, "reason": reason}
                context.record(events.REVOKED, ("api_key", key.id), detail=detail)
                ended.append(Subject("key", key.id))
        return ended

    def used(self, key_id: str, ip: str | None) -> None:
        """Note in memory that a key was accepted now."""
        self._uses.note(key_id, (clock.now(), ip))

    async def flush(self, units: Units) -> None:
        """Write the last uses collected so far."""
        await self._uses.flush(units, self._store.used)

    async def _mint(
        self,
        context: Context,
        label: str,
        holder_id: str,
        expires_at: datetime | None,
        predecessor_id: str | None,
        event: str,
    ) -> CreatedKey:
        secret = opaque.mint(PREFIX)
        kept = self._peppers.make(secret.text)
        row = await self._store.add(context.unit, {
            "account_id": context.account_id, "holder_id": holder_id, "minter_id": context.user_id,
            "minter_name": context.principal.actor.label, "label": label, "lookup_id": secret.lookup_id,
            "pepper_v": kept.pepper_v, "digest": kept.digest, "expires_at": expires_at,
            "predecessor_id": predecessor_id,
        })  # fmt: skip
        detail = {"label": label} | ({"predecessor_id": predecessor_id} if predecessor_id else {})
        context.record(event, ("api_key", row.id), detail=detail)
        created = CreatedKey(row.id, label, secret.text, PREFIX, secret.lookup_id, row.created_at, expires_at)
        return replace(created, predecessor_id=predecessor_id) if predecessor_id else created

    async def _sub_account(self, context: Context, member_id: str) -> str:
        """Return the id of a sub-account that the asker may make keys for.

        Raises:
            Denied: they lack the right, or its role is above their own.
            Invalid: there is none with this id.
        """
        if MINTS_FOR_OTHERS not in context.held:
            raise Denied(f"To make keys for a sub-account needs {MINTS_FOR_OTHERS}.")
        members = await self._accounts.members_of(context.view, context.account_id)
        found, me = members.get(member_id), members.get(context.principal.member_id or "")
        if found is None or found.user_id is not None:
            raise Invalid([FieldError("sub_account_id", "unknown", "There is no such sub-account.")])
        if me is None or not not_above(found.role, me.role):
            raise Denied("You cannot make keys for a role above your own.")
        return found.member_id

    async def _find(self, context: Context, key_id: str) -> Any:
        row = await self._store.one(context.view, context.account_id, key_id)
        mine = self._restricted_to(context)
        if row is None or (mine is not None and row.holder_id != mine):
            raise NotFound
        return row

    def _restricted_to(self, context: Context) -> str | None:
        """Return the only holder whose keys the asker may touch, or None for all of the account."""
        return context.principal.member_id if context.reach is Reach.OWN else None


def _view(row: Any, members: dict[str, Standing]) -> KeyView:
    holder = members.get(row.holder_id)
    minter = next((one.name for one in members.values() if one.user_id == row.minter_id), row.minter_name)
    return KeyView(
        id=row.id,
        label=row.label,
        prefix=PREFIX,
        lookup_id=row.lookup_id,
        holder=Party(row.holder_id, holder.name if holder else "former member"),
        minter=Party(row.minter_id, minter),
        created_at=row.created_at,
        expires_at=row.expires_at,
        last_used_at=row.last_used_at,
        last_used_ip=row.last_used_ip,
        age_days=(clock.now() - row.created_at).days,
        predecessor_id=row.predecessor_id,
    )
