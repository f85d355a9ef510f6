"""How secrets are stored and checked (spec: credentials, section 4).

Peppered HMAC for secrets with 232 random bits, Argon2id for what people choose. The pepper lives outside
the database, so a stolen database can test nothing.
"""

import asyncio
import hashlib
import hmac
import os
import secrets
import sys
import threading
from base64 import b64encode
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError, VerifyMismatchError
from argon2.low_level import ARGON2_VERSION

from lumio.crypto.roots import RootRing
from lumio.kernel.errors import Unavailable

Answer = TypeVar("Answer")


class Fingerprint(NamedTuple):
    """What a row keeps of a secret: 32 bytes, and the number of the root they were made under."""

    pepper_v: int
    digest: bytes


class Peppers:
    """HMAC-SHA-256 under a key that the database does not have (RFC 2104)."""

    def __init__(self, ring: RootRing, purpose: str = "pepper") -> None:
        """Use the keys of `purpose` in `ring`."""
        self._ring = ring
        self._purpose = purpose
        self._keyed: dict[int, _Keyed] = {}

    def make(self, text: str) -> Fingerprint:
        """Return the fingerprint of `text` under the newest pepper."""
        newest = self._ring.newest
        return Fingerprint(newest, self._of(newest).digest(text.encode()))

    def matches(self, text: str, stored: Fingerprint) -> bool:
        """Compare in constant time; a root that left the ring matches nothing, at the same cost."""
        version, known = stored.pepper_v, stored.pepper_v in self._ring.versions
        keyed = self._of(version if known else self._ring.newest)
        same = hmac.compare_digest(keyed.digest(text.encode()), stored.digest)
        return same and known

    def under(self, text: str, version: int) -> bytes | None:
        """Return the 32 bytes of `text` under the pepper of root `version`; None when it left the ring."""
        return self._of(version).digest(text.encode()) if version in self._ring.versions else None

    def _of(self, version: int) -> "_Keyed":
        """Return the pepper of a root of the ring."""
        found = self._keyed.get(version)
        if found is None:
            key = self._ring.derive(self._purpose, version)
            if key is None:
                raise KeyError(version)
            found = self._keyed[version] = _Keyed(key)
        return found


class _Keyed:
    """HMAC-SHA-256 under one key, whose two blocks are hashed once (RFC 2104, section 4)."""

    __slots__ = ("_inner", "_outer")

    def __init__(self, key: bytes) -> None:
        block = key.ljust(hashlib.sha256().block_size, b"\0")
        self._inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in block))
        self._outer = hashlib.sha256(bytes(byte ^ 0x5C for byte in block))

    def digest(self, message: bytes) -> bytes:
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(message)
        outer.update(inner.digest())
        return outer.digest()


class Tags:
    """16-bit peppered tags: a wrong secret is refused without Argon2id, but for one in 65,536.

    A tag has a key of its own, so it says nothing about what Argon2id is fed.
    """

    def __init__(self, ring: RootRing) -> None:
        """Use the tag keys of `ring`."""
        self._peppers = Peppers(ring, "tag")

    def make(self, text: str) -> int:
        """Return the tag of `text` under the newest root, 0 to 65,535."""
        return int.from_bytes(self._peppers.make(text).digest[:TAG_BYTES])

    def matches(self, text: str, version: int, stored: int) -> bool:
        """Compare in constant time; a root that left the ring matches nothing."""
        found = self._peppers.under(text, version)
        return found is not None and hmac.compare_digest(found[:TAG_BYTES], stored.to_bytes(TAG_BYTES))


@dataclass(frozen=True, slots=True)
class Cost:
    """Parameters of Argon2id (RFC 9106): memory in KiB, passes, lanes."""

    memory_kib: int
    passes: int
    lanes: int = 1


PASSWORD_COST = Cost(64 * 1024, 3)
KEY_COST = Cost(19 * 1024, 2)
"""For system keys: 22 ms once per key and process."""
TAG_BYTES = 2
NICENESS = 5
"""Of the threads that hash: a third of the weight of the others where a processor is fought over (nice(2))."""


class StretchPool:
    """Argon2id in a bounded pool of threads with a short queue: full means 503, never a pile."""

    def __init__(self, cost: Cost, threads: int, queue: int = 32) -> None:
        """Size the pool; its memory is at most `threads` times the cost's memory."""
        self._hasher = PasswordHasher(cost.passes, cost.memory_kib, cost.lanes, 32, 16, type=Type.ID)
        self._threads = threads
        self._pool: ThreadPoolExecutor | None = None
        self._places = threads + queue
        self._taken = 0
        self._decoy = _decoy(cost)

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
            raise Unavailable("the stretching pool is full", retry_after=1)
        if self._pool is None:
            self._pool = ThreadPoolExecutor(self._threads, thread_name_prefix="stretch", initializer=_give_way)
        self._taken += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, work)
        finally:
            self._taken -= 1

    def close(self) -> None:
        """End the threads; the next use starts new ones."""
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)
            self._pool = None


def _give_way() -> None:
    """Let this thread come after those that answer: hashing takes a processor for tens of milliseconds at a time.

    Linux has a priority for each thread; elsewhere it is the process's, which is left alone.
    """
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)


def _decoy(cost: Cost) -> str:
    """Return an encoded hash that belongs to nothing and costs the same to compare: made up, not computed."""
    salt, output = (b64encode(secrets.token_bytes(size)).decode().rstrip("=") for size in (16, 32))
    return f"$argon2id$v={ARGON2_VERSION}$m={cost.memory_kib},t={cost.passes},p={cost.lanes}${salt}${output}"


def digest(content: bytes) -> str:
    """Return the SHA-256 of `content` in hexadecimal: a name for a content, not a proof of anything."""
    return hashlib.sha256(content).hexdigest()
