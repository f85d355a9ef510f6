"""How secrets are stored and checked (spec: credentials, section 4).

Peppered HMAC for secrets with 232 random bits, Argon2id for what people choose. The pepper lives outside
the database, so a stolen database can test nothing.
"""

import asyncio
import hashlib
import hmac
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError, VerifyMismatchError

from lumio.crypto.roots import RootRing
from lumio.kernel.errors import Unavailable

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What a row keeps of a secret: 32 bytes, and the number of the root they were made under."""

    pepper_v: int
    digest: bytes


class Peppers:
    """HMAC-SHA-256 under a key that the database does not have (RFC 2104)."""

    def __init__(self, ring: RootRing, purpose: str = "pepper") -> None:
        """Use the keys of `purpose` in `ring`."""
        self._ring = ring
        self._purpose = purpose

    def make(self, text: str) -> Fingerprint:
        """Return the fingerprint of `text` under the newest pepper."""
        key = self._ring.newest_key(self._purpose)
        return Fingerprint(self._ring.newest, hmac.digest(key, text.encode(), "sha256"))

    def matches(self, text: str, stored: Fingerprint) -> bool:
        """Compare in constant time; a root that left the ring matches nothing, at the same cost."""
        key = self._ring.derive(self._purpose, stored.pepper_v) or self._ring.newest_key(self._purpose)
        same = hmac.compare_digest(hmac.digest(key, text.encode(), "sha256"), stored.digest)
        return same and stored.pepper_v in self._ring.versions


@dataclass(frozen=True, slots=True)
class Cost:
    """Parameters of Argon2id (RFC 9106): memory in KiB, passes, lanes."""

    memory_kib: int
    passes: int
    lanes: int = 1


PASSWORD_COST = Cost(64 * 1024, 3)


class StretchPool:
    """Argon2id in a bounded pool of threads with a short queue: full means 503, never a pile."""

    def __init__(self, cost: Cost, threads: int, queue: int = 32) -> None:
        """Size the pool; its memory is at most `threads` times the cost's memory."""
        self._hasher = PasswordHasher(cost.passes, cost.memory_kib, cost.lanes, 32, 16, type=Type.ID)
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="stretch")
        self._places = threads + queue
        self._taken = 0
        self._decoy = self._hasher.hash(secrets.token_hex(16))

    async def make(self, text: str) -> str:
        """Return the encoded Argon2id hash of `text`."""
        return await self._run(lambda: self._hasher.hash(text))

    async def matches(self, text: str, encoded: str | None) -> bool:
        """Tell whether `text` belongs to `encoded`; None costs the same and is never right."""
        same = await self._run(lambda: self._verify(encoded or self._decoy, text))
        return same and encoded is not None

    def _verify(self, encoded: str, text: str) -> bool:
        try:
            return self._hasher.verify(encoded, text)
        except (VerifyMismatchError, InvalidHashError):
            return False
        except VerificationError as error:  # no memory, or a row that was tampered with: no verdict on the text
            raise Unavailable(f"argon2: {error}") from error

    async def _run(self, work: Callable[[], Answer]) -> Answer:
        if self._taken >= self._places:
            raise Unavailable("the password pool is full", retry_after=1)
        self._taken += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, work)
        finally:
            self._taken -= 1

    def close(self) -> None:
        """End the threads."""
        self._pool.shutdown(wait=True, cancel_futures=True)


def digest(content: bytes) -> str:
    """Return the SHA-256 of `content` in hexadecimal: a name for a content, not a proof of anything."""
    return hashlib.sha256(content).hexdigest()
