"""Verify a developer key, cheap checks first (spec: credentials, section 3)."""

from collections import OrderedDict
from dataclasses import dataclass
from functools import cached_property

from lumio.access.authenticator import Refused
from lumio.access.kinds import Kind, Presented
from lumio.access.policy import ROLES, Role
from lumio.access.principal import Principal
from lumio.accounts.model import Standing
from lumio.accounts.service import Accounts, subjects_of
from lumio.authority.interface import Authority, Loaded, Status
from lumio.authority.subjects import Subject
from lumio.crypto import opaque
from lumio.crypto.hashing import Fingerprint, Peppers
from lumio.kernel import clock
from lumio.kernel.event import Actor, Origin
from lumio.keys.model import KeyRow
from lumio.keys.service import MINTS_FOR_OTHERS, Keys
from lumio.keys.store import KeyStore
from lumio.storage.hot import HOT_ROWS_MAX, HotReader


@dataclass(frozen=True)
class KeyFacts:
    """What a verdict on a key stands on; a person's key has one standing for holder and minter."""

    row: KeyRow
    holder: Standing | None
    minter: Standing | None

    @cached_property
    def fingerprint(self) -> Fingerprint:
        """What the row keeps of the secret."""
        return Fingerprint(self.row.pepper_v, self.row.digest)

    @cached_property
    def subjects(self) -> tuple[Subject, ...]:
        """All that may end under the key."""
        found = (Subject("key", self.row.id), *subjects_of(self.holder), *subjects_of(self.minter))
        return tuple(dict.fromkeys(found))

    def principal(self, holder: Standing, seq: int) -> Principal:
        """Return who the key stands for: the same until these facts, or the number that they include, are others."""
        made: Principal | None = self.__dict__.get("made")
        if made is None or made.seq != seq:
            row = self.row
            made = Principal(
                Kind.API_KEY,
                Actor("api_key", row.id, row.label, holder.user_id or holder.member_id, "api_key", row.id),
                subjects=self.subjects,
                seq=seq,
                user_id=holder.user_id,
                account_id=row.account_id,
                member_id=holder.member_id,
                role=holder.role,
                expires_at=row.expires_at,
            )
            self.__dict__["made"] = made
        return made


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
        self._last: OrderedDict[str, KeyFacts] = OrderedDict()

    def accepted(self, principal: Principal, origin: Origin) -> None:
        """Note the use of a key."""
        if principal.actor.id is not None:
            self._keys.used(principal.actor.id, origin.ip)

    async def verify(self, presented: Presented) -> Principal | Refused:
        """Return the key's principal, with its holder's standing as it is now, or why not."""
        text = presented.text
        name = text[: opaque.NAME_LENGTH]
        status: Status[KeyFacts] | None = self._authority.known(name)
        facts = self._last.get(name) if status is None else status.facts
        # What fits the fingerprint of a row was minted here: its shape and its checksum need no look.
        matched = facts is not None and self._peppers.matches(text, facts.fingerprint)
        if not matched and opaque.parse(text, opaque.DEVELOPER_KEY) is None:
            return Refused("malformed", guess=True)
        if status is None:
            status = await self._authority.status(name, lambda hot: self._load(hot, name))
            if status is None:
                return Refused("unknown", guess=True)
            if status.facts is not facts:
                matched = self._peppers.matches(text, status.facts.fingerprint)
        if not matched:
            return Refused("wrong_secret", guess=True, guessed_at=status.facts.row.id)
        facts, seq = status
        row, holder, minter = facts.row, facts.holder, facts.minter
        if row.revoked_at is not None:
            return _refused("revoked", row)
        if row.expires_at is not None and row.expires_at <= clock.now():
            return _refused("expired", row)
        if holder is None:
            return _refused("holder_gone", row)
        if minter is None or not may_mint(holder, minter):
            return _refused("minter_gone", row)
        return facts.principal(holder, seq)

    async def _load(self, hot: HotReader, name: str) -> Loaded[KeyFacts] | None:
        """Read the row, the standing of the holder, and of whoever has seen the secret."""
        row = await self._store.by_lookup(hot, name[opaque.PREFIX_LENGTH :])
        if row is None:
            return None
        holder = minter = await self._accounts.standing_of_member(hot, row.member_id)
        if holder is not None and holder.user_id is None:
            minter = await self._accounts.standing_of_user(hot, row.account_id, row.minter_id)
        facts = self._same(name, row, holder, minter)
        return Loaded(facts, facts.subjects, lasting=holder is not None and minter is not None)

    def _same(self, name: str, row: KeyRow, holder: Standing | None, minter: Standing | None) -> KeyFacts:
        """Return the facts of the last reading when this one has found the same: what follows from them is there."""
        last = self._last.get(name)
        if last is not None and last.row is row and last.holder is holder and last.minter is minter:
            return last
        facts = self._last[name] = KeyFacts(row, holder, minter)
        if len(self._last) > HOT_ROWS_MAX:
            self._last.popitem(last=False)
        return facts


def may_mint(holder: Standing, minter: Standing) -> bool:
    """Tell whether whoever has seen the secret of a sub-account's key may still make such keys."""
    return holder.user_id is not None or MINTS_FOR_OTHERS in ROLES[Role(minter.role)]


def _refused(reason: str, row: KeyRow) -> Refused:
    """Refuse a key whose secret is right: the log names it."""
    actor = Actor("api_key", row.id, row.label, auth_method="api_key", credential_id=row.id)
    return Refused(reason, actor=actor, account_id=row.account_id)
