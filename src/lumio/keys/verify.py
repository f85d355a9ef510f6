"""Verify a developer key, cheap checks first (spec: credentials, section 3)."""

from typing import NamedTuple

from lumio.access.authenticator import Refused
from lumio.access.kinds import Kind, Presented
from lumio.access.policy import ROLES, Role
from lumio.access.principal import Principal
from lumio.accounts.model import Standing
from lumio.accounts.service import Accounts, subjects_of
from lumio.authority.interface import Authority, Loaded
from lumio.authority.subjects import Subject
from lumio.crypto import opaque
from lumio.crypto.hashing import Fingerprint, Peppers
from lumio.kernel import clock
from lumio.kernel.event import Actor, Origin
from lumio.keys.model import KeyRow
from lumio.keys.service import MINTS_FOR_OTHERS, Keys
from lumio.keys.store import KeyStore
from lumio.storage.hot import HotReader


class KeyFacts(NamedTuple):
    """What a verdict on a key stands on; a person's key has one standing for holder and minter."""

    row: KeyRow
    holder: Standing | None
    minter: Standing | None


class KeyVerifier:
    """Shape, authority, row, secret, standing of the holder and, for a sub-account, of the minter: in this order."""

    def __init__(
        self, store: KeyStore, keys: Keys, accounts: Accounts, authority: Authority, peppers: Peppers
    ) -> None:
        """Read keys from `store` and standing from `accounts`, through `authority`; tell `keys` of each use."""
        self._store = store
        self._keys = keys
        self._accounts = accounts
        self._authority = authority
        self._peppers = peppers

    def accepted(self, principal: Principal, origin: Origin) -> None:
        """Note the use of a key."""
        if principal.actor.id is not None:
            self._keys.used(principal.actor.id, origin.ip)

    async def verify(self, presented: Presented) -> Principal | Refused:
        """Return the key's principal, with its holder's standing as it is now, or why not."""
        key = opaque.parse(presented.text, opaque.DEVELOPER_KEY)
        if key is None:
            return Refused("malformed", guess=True)
        status = await self._authority.status(key.lookup_id, lambda hot: self._load(hot, key.lookup_id))
        if status is None:
            return Refused("unknown", guess=True)
        row, holder, minter = status.facts
        actor = Actor("api_key", row.id, row.label, auth_method="api_key", credential_id=row.id)
        if not self._peppers.matches(presented.text, Fingerprint(row.pepper_v, row.digest)):
            return Refused("wrong_secret", guess=True, guessed_at=row.id)
        if row.revoked_at is not None:
            return Refused("revoked", actor=actor, account_id=row.account_id)
        if row.expires_at is not None and row.expires_at <= clock.now():
            return Refused("expired", actor=actor, account_id=row.account_id)
        if holder is None:
            return Refused("holder_gone", actor=actor, account_id=row.account_id)
        if minter is None or not may_mint(holder, minter):
            return Refused("minter_gone", actor=actor, account_id=row.account_id)
        return Principal(
            Kind.API_KEY,
            Actor("api_key", row.id, row.label, holder.user_id or holder.member_id, "api_key", row.id),
            subjects=_subjects(status.facts),
            seq=status.seq,
            user_id=holder.user_id,
            account_id=row.account_id,
            member_id=holder.member_id,
            role=holder.role,
            expires_at=row.expires_at,
        )

    async def _load(self, hot: HotReader, lookup_id: str) -> Loaded[KeyFacts] | None:
        """Read the row, the standing of the holder, and of whoever has seen the secret."""
        row = await self._store.by_lookup(hot, lookup_id)
        if row is None:
            return None
        holder = minter = await self._accounts.standing_of_member(hot, row.member_id)
        if holder is not None and holder.user_id is None:
            minter = await self._accounts.standing_of_user(hot, row.account_id, row.minter_id)
        facts = KeyFacts(row, holder, minter)
        return Loaded(facts, _subjects(facts), lasting=None not in facts)


def may_mint(holder: Standing, minter: Standing) -> bool:
    """Tell whether whoever has seen the secret of a sub-account's key may still make such keys."""
    return holder.user_id is not None or MINTS_FOR_OTHERS in ROLES[Role(minter.role)]


def _subjects(facts: KeyFacts) -> tuple[Subject, ...]:
    found = (Subject("key", facts.row.id), *subjects_of(facts.holder), *subjects_of(facts.minter))
    return tuple(dict.fromkeys(found))
