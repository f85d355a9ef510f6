"""Proofs: "this secret belongs to that stored hash", found by Argon2id once and remembered (spec: credentials, 3).

Promise: a proof is a fact that can never become false, so it needs no invalidation; whether the key still
lives is always asked elsewhere. Nothing that is remembered could be used to present the secret.
"""

import asyncio
import hmac
import secrets
from collections import OrderedDict

from lumio.crypto.hashing import Fingerprint, Peppers, StretchPool

PROOFS_MAX = 4096
REFUTATIONS_MAX = 1024


class Facts:
    """A bounded memory of pairs, secret and stored hash; the pair that was used longest ago is forgotten first."""

    def __init__(self, size: int) -> None:
        """Remember `size` pairs."""
        self._size = size
        self._pairs: OrderedDict[bytes, str] = OrderedDict()

    def holds(self, name: bytes, encoded: str) -> bool:
        """Tell whether this very pair is remembered."""
        known = self._pairs.get(name)
        if known is None or not hmac.compare_digest(known, encoded):
            return False
        self._pairs.move_to_end(name)
        return True

    def add(self, name: bytes, encoded: str) -> None:
        """Remember a pair."""
        self._pairs[name] = encoded
        self._pairs.move_to_end(name)
        if len(self._pairs) > self._size:
            self._pairs.popitem(last=False)


class Proofs:
    """Makes and checks Argon2id hashes of peppered keys: once per key and process, one flight per pair.

    What was refuted is remembered apart and for itself: a secret that passes the tag by luck costs Argon2id
    once, not each time it is sent, and can push no proof out.
    """

    def __init__(self, peppers: Peppers, pool: StretchPool) -> None:
        """Pepper with `peppers`, stretch in `pool`."""
        self._peppers = peppers
        self._pool = pool
        self._key = secrets.token_bytes(32)
        self._proven = Facts(PROOFS_MAX)
        self._refuted = Facts(REFUTATIONS_MAX)
        self._flights: dict[tuple[bytes, str], asyncio.Task[bool]] = {}

    async def make(self, text: str) -> tuple[int, str]:
        """Return the number of the root and the encoded Argon2id hash for a new key.

        Raises:
            Unavailable: the pool is full.
        """
        fingerprint = self._peppers.make(text)
        return fingerprint.pepper_v, await self._pool.make(_fed(fingerprint))

    async def holds(self, text: str, pepper_v: int, encoded: str) -> bool:
        """Tell whether `text` belongs to `encoded`.

        Raises:
            Unavailable: nobody knows yet, and the pool is full.
        """
        name = hmac.digest(self._key, text.encode(), "sha256")
        if self._proven.holds(name, encoded):
            return True
        if self._refuted.holds(name, encoded):
            return False
        flight = self._flights.get((name, encoded))
        if flight is None:
            flight = asyncio.create_task(self._find_out(name, text, pepper_v, encoded))
            self._flights[name, encoded] = flight
            flight.add_done_callback(lambda done: self._landed(name, encoded, done))
        return await asyncio.shield(flight)  # whoever began it may leave; the others still wait for it

    async def _find_out(self, name: bytes, text: str, pepper_v: int, encoded: str) -> bool:
        digest = self._peppers.under(text, pepper_v)
        if digest is None:
            return False  # the root left the ring: nothing can be proven, and nothing is refuted
        same = await self._pool.matches(_fed(Fingerprint(pepper_v, digest)), encoded)
        (self._proven if same else self._refuted).add(name, encoded)
        return same

    def _landed(self, name: bytes, encoded: str, flight: asyncio.Task[bool]) -> None:
        del self._flights[name, encoded]
        if not flight.cancelled():
            flight.exception()  # everybody may have left: that is no warning


def _fed(fingerprint: Fingerprint) -> str:
    """Return what Argon2id gets: the peppered HMAC, never the key."""
    return fingerprint.digest.hex()
