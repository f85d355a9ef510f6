"""What happens to system keys: made with a profile's permissions, listed, ended.

Promise: a system key never says more than its list, nobody gives a list that they do not hold themselves, and
a revoked key leaves nothing behind that could verify a secret.
"""

from collections.abc import Callable
from datetime import datetime

from lumio.access.action import action
from lumio.access.context import Context
from lumio.access.fields import clean_label
from lumio.access.kinds import Kind
from lumio.access.principal import Asker, Principal
from lumio.admin.service import Admin
from lumio.authority.subjects import Subject
from lumio.crypto import opaque
from lumio.crypto.hashing import Tags
from lumio.crypto.proofs import Proofs
from lumio.kernel import clock, paging
from lumio.kernel.errors import NotFound
from lumio.kernel.event import NOWHERE, SYSTEM, Event
from lumio.kernel.paging import Page
from lumio.storage.hot import HotReader
from lumio.storage.unit import Unit, Units, View
from lumio.storage.uses import Uses
from lumio.system_keys import events
from lumio.system_keys.model import (
    CreatedSystemKey,
    CreateSystemKey,
    Drawn,
    ListSystemKeys,
    Profile,
    RevokedSystemKey,
    SystemKeyChoice,
    SystemKeyView,
)
from lumio.system_keys.profiles import Profiles
from lumio.system_keys.store import SystemKeyStore

NOTHING: frozenset[str] = frozenset()
IN_USE = "Another key has this label. The audit log tells keys apart by their id, people by their label."

Note = Callable[[str, tuple[str, str], dict[str, object]], None]


def _this_key(_principal: Principal, form: SystemKeyChoice) -> list[Subject]:
    return [Subject("key", form.id)]


async def _draw(service: "SystemKeys", _asker: Asker, form: CreateSystemKey) -> Drawn:
    return await service.draw(form)


class SystemKeys:
    """System keys of the installation."""

    def __init__(
        self, store: SystemKeyStore, profiles: Profiles, admin: Admin, tags: Tags, proofs: Proofs, hot: HotReader
    ) -> None:
        """Work on `store`; `admin` knows what an operator may hand on; read rights for reads by `hot`."""
        self._hot = hot
        self._store = store
        self._profiles = profiles
        self._admin = admin
        self._tags = tags
        self._proofs = proofs
        self._uses = Uses[tuple[datetime, str | None]]()

    async def held(self, view: View, principal: Principal) -> frozenset[str]:
        """Return the list of a system key as it is now; nothing for any other kind, or when the row is gone."""
        if principal.kind is not Kind.SYSTEM_KEY or principal.actor.id is None:
            return frozenset()
        return await self._store.permissions_of(view, principal.actor.id)

    def known(self, principal: Principal) -> frozenset[str] | None:
        """Return nothing for whatever is no system key."""
        return None if principal.kind is Kind.SYSTEM_KEY else NOTHING

    async def held_now(self, principal: Principal) -> frozenset[str]:
        """Return the same as `held` by the hot path."""
        if principal.actor.id is None:
            return NOTHING
        return await self._store.permissions_now(self._hot, principal.actor.id)

    @action("system_keys.list", permission="system-keys:read")
    async def list(self, context: Context, form: ListSystemKeys) -> Page[SystemKeyView]:
        """Return the keys, the newest first."""
        after = None
        if form.cursor is not None:
            micros, key_id = paging.decode_moment(form.cursor)
            after = (clock.from_micros(micros), key_id)
        found = await self._store.page(context.view, form.limit + 1, after)
        if len(found) <= form.limit:
            return Page(found)
        last = found[form.limit - 1]
        return Page(found[: form.limit], paging.encode(clock.to_micros(last.created_at), last.id))

    @action("system_keys.profiles", permission="system-keys:read")
    async def profiles(self, _context: Context, _form: None) -> Page[Profile]:
        """Return the profiles that a key can be made with."""
        return Page(self._profiles.all())

    @action(
        "system_keys.create",
        permission="system-keys:create",
        event=events.CREATED,
        step_up=True,
        creates=True,
        reveals=True,
        prepare=_draw,
    )
    async def create(self, context: Context, _form: CreateSystemKey) -> CreatedSystemKey:
        """Make a key with the permissions of a profile; only this answer carries it."""
        drawn: Drawn = context.prepared
        await self._admin.require(context, permissions=frozenset(drawn.permissions))

        def note(event: str, target: tuple[str, str], detail: dict[str, object]) -> None:
            context.record(event, target, detail=detail)

        return await self._mint(context.unit, drawn, context.user_id, note)

    @action("system_keys.revoke", permission="system-keys:delete", event=events.REVOKED, ends=_this_key)
    async def revoke(self, context: Context, form: SystemKeyChoice) -> RevokedSystemKey:
        """End a key by deleting its row, for good."""
        moment = clock.now()
        label = await self._store.remove(context.unit, form.id)
        if label is None:
            raise NotFound
        context.record(events.REVOKED, (events.TARGET, form.id), detail={"label": label})
        receipt = await context.end(Subject("key", form.id), reason="revoked")
        return RevokedSystemKey(form.id, moment, receipt.seq, receipt.effective)

    async def provision(self, units: Units, form: CreateSystemKey) -> CreatedSystemKey:
        """Make a key for whoever operates the machine; they own the database, so no right is asked.

        Raises:
            Invalid: no such profile, or no visible label.
        """
        drawn = await self.draw(form)

        async def step(unit: Unit) -> CreatedSystemKey:
            def note(event: str, target: tuple[str, str], detail: dict[str, object]) -> None:
                kind, key_id = target
                unit.record(
                    Event(event, "success", SYSTEM, NOWHERE, target_type=kind, target_id=key_id, detail=detail)
                )

            return await self._mint(unit, drawn, None, note)

        return await units.run(step)

    async def draw(self, form: CreateSystemKey) -> Drawn:
        """Draw a key and stretch it: the slow part, done outside any unit.

        Raises:
            Invalid: no such profile, or no visible label.
            Unavailable: the pool is full.
        """
        label = clean_label(form.label)
        permissions = self._profiles.permissions(form.profile)
        secret = opaque.mint(opaque.SYSTEM_KEY)
        pepper_v, encoded = await self._proofs.make(secret.text)
        tag = self._tags.make(secret.text)
        return Drawn(label, form.profile, permissions, secret.text, secret.lookup_id, pepper_v, tag, encoded)

    def used(self, key_id: str, ip: str | None) -> None:
        """Note in memory that a key was accepted now."""
        self._uses.note(key_id, (clock.now(), ip))

    async def flush(self, units: Units) -> None:
        """Write the last uses collected so far."""
        await self._uses.flush(units, self._store.used)

    async def _mint(self, unit: Unit, drawn: Drawn, created_by: str | None, note: Note) -> CreatedSystemKey:
        warnings = [IN_USE] if await self._store.label_taken(unit, drawn.label) else []
        key = await self._store.add(unit, drawn, created_by)
        note(
            events.CREATED,
            (events.TARGET, key.id),
            {"label": key.label, "profile": drawn.profile, "permissions": key.permissions},
        )
        return CreatedSystemKey(key.id, key.label, key.permissions, drawn.text, key.created_at, warnings)
