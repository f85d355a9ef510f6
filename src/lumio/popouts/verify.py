"""Verify a popout token, cheap checks first (spec: credentials, section 3)."""

from typing import NamedTuple

from lumio.access.authenticator import Refused
from lumio.access.kinds import Kind, Presented
from lumio.access.principal import Principal
from lumio.accounts.model import Standing
from lumio.accounts.service import Accounts, subjects_of
from lumio.authority.interface import Authority, Loaded
from lumio.authority.subjects import Subject
from lumio.crypto import opaque
from lumio.crypto.hashing import Fingerprint, Peppers
from lumio.kernel import clock
from lumio.kernel.event import Actor, Origin
from lumio.popouts.model import PopoutRow
from lumio.popouts.rights import counting
from lumio.popouts.service import Popouts
from lumio.popouts.store import PopoutStore
from lumio.storage.hot import HotReader


class PopoutFacts(NamedTuple):
    """What a verdict on a popout token stands on."""

    row: PopoutRow
    member: Standing | None
    maker: Standing | None


class PopoutVerifier:
    """Shape, authority, row, secret, standing of the member and of the maker: in this order."""

    def __init__(
        self, store: PopoutStore, popouts: Popouts, accounts: Accounts, authority: Authority, peppers: Peppers
    ) -> None:
        """Read rows from `store`, standing from `accounts`, through `authority`; tell `popouts` of each use."""
        self._store = store
        self._popouts = popouts
        self._accounts = accounts
        self._authority = authority
        self._peppers = peppers

    def accepted(self, principal: Principal, origin: Origin) -> None:
        """Note the use of a popout token."""
        if principal.actor.id is not None:
            self._popouts.used(principal.actor.id, origin.ip)

    async def verify(self, presented: Presented) -> Principal | Refused:
        """Return the popout token's principal, with the rights that count now, or why not."""
        key = opaque.parse(presented.text, opaque.POPOUT_TOKEN)
        if key is None:
            return Refused("malformed", guess=True)
        status = await self._authority.status(key.name, lambda hot: self._load(hot, key.lookup_id))
        if status is None:
            return Refused("unknown", guess=True)
        row, member, maker = status.facts
        if not self._peppers.matches(presented.text, Fingerprint(row.pepper_v, row.digest)):
            return Refused("wrong_secret", guess=True, guessed_at=row.id)
        actor = _actor(row)
        if row.revoked_at is not None:
            return Refused("revoked", actor=actor, account_id=row.account_id)
        if row.expires_at is not None and row.expires_at <= clock.now():
            return Refused("expired", actor=actor, account_id=row.account_id)
        if member is None:
            return Refused("holder_gone", actor=actor, account_id=row.account_id)
        if maker is None:
            return Refused("maker_gone", actor=actor, account_id=row.account_id)
        return Principal(
            Kind.POPOUT_TOKEN,
            _actor(row, member.user_id or member.member_id),
            subjects=_subjects(status.facts),
            seq=status.seq,
            user_id=member.user_id,
            account_id=row.account_id,
            member_id=member.member_id,
            role=member.role,
            carried=counting(row.permissions, maker, member),
            expires_at=row.expires_at,
            widened=self._popouts.admits,
        )

    async def _load(self, hot: HotReader, lookup_id: str) -> Loaded[PopoutFacts] | None:
        """Read the row, the member's standing, and the maker's: whoever leaves has seen the secret."""
        row = await self._store.by_lookup(hot, lookup_id)
        if row is None:
            return None
        member = maker = await self._accounts.standing_of_member(hot, row.member_id)
        if member is None or member.user_id != row.maker_id:
            maker = await self._accounts.standing_of_user(hot, row.account_id, row.maker_id)
        facts = PopoutFacts(row, member, maker)
        return Loaded(facts, _subjects(facts), lasting=None not in facts)


def _subjects(facts: PopoutFacts) -> tuple[Subject, ...]:
    found = (Subject("popout", facts.row.id), *subjects_of(facts.member), *subjects_of(facts.maker))
    return tuple(dict.fromkeys(found))


def _actor(row: PopoutRow, on_behalf_of: str | None = None) -> Actor:
    return Actor("popout_token", row.id, row.label, on_behalf_of, "popout_token", row.id)
