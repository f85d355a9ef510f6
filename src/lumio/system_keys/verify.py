"""Verify a system key, cheap checks first (spec: credentials, section 3).

Promise: Argon2id runs only for a secret whose tag fits, once per key and process; whether the key still lives
is read from its row each time.
"""

from lumio.access.authenticator import Refused
from lumio.access.kinds import Kind, Presented
from lumio.access.principal import Principal
from lumio.authority.interface import Authority, Loaded
from lumio.authority.subjects import Subject
from lumio.crypto import opaque
from lumio.crypto.hashing import Tags
from lumio.crypto.proofs import Proofs
from lumio.kernel.event import Actor, Origin
from lumio.storage.hot import HotReader
from lumio.system_keys.model import SystemKeyRow
from lumio.system_keys.service import SystemKeys
from lumio.system_keys.store import SystemKeyStore


class SystemKeyVerifier:
    """Shape, authority, row, tag, proof: in this order."""

    def __init__(
        self, store: SystemKeyStore, system_keys: SystemKeys, authority: Authority, tags: Tags, proofs: Proofs
    ) -> None:
        """Read keys from `store` through `authority`; tell `system_keys` of each use."""
        self._store = store
        self._system_keys = system_keys
        self._authority = authority
        self._tags = tags
        self._proofs = proofs

    def accepted(self, principal: Principal, origin: Origin) -> None:
        """Note the use of a key."""
        if principal.actor.id is not None:
            self._system_keys.used(principal.actor.id, origin.ip)

    async def verify(self, presented: Presented) -> Principal | Refused:
        """Return the key's principal, or why not. A deleted key is unknown: nothing of it is left to compare."""
        key = opaque.parse(presented.text, opaque.SYSTEM_KEY)
        if key is None:
            return Refused("malformed", guess=True)
        status = await self._authority.status(key.name, lambda hot: self._load(hot, key.lookup_id))
        if status is None:
            return Refused("unknown", guess=True)
        row = status.facts
        if not self._tags.matches(presented.text, row.pepper_v, row.tag):
            return Refused("wrong_secret", guess=True, guessed_at=row.id)
        actor = Actor("system_key", row.id, row.label, auth_method="system_key", credential_id=row.id)
        if not await self._proofs.holds(presented.text, row.pepper_v, row.encoded):
            return Refused("wrong_secret", actor=actor)
        return Principal(
            Kind.SYSTEM_KEY, actor, subjects=(Subject("key", row.id),), seq=status.seq, carried=row.permissions
        )

    async def _load(self, hot: HotReader, lookup_id: str) -> Loaded[SystemKeyRow] | None:
        row = await self._store.by_lookup(hot, lookup_id)
        return None if row is None else Loaded(row, (Subject("key", row.id),))
