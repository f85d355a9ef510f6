"""Encryption at rest: AES-256-GCM (NIST SP 800-38D) with the place of the value as associated data.

Promise: a sealed value opens only in the place it was sealed for; moved to another row it is garbage.
"""

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from lumio.crypto.roots import RootRing

NONCE_BYTES = 12


class Sealer:
    """Seal and open bytes under one purpose of the root ring."""

    def __init__(self, ring: RootRing, purpose: str) -> None:
        """Use the keys of `purpose`."""
        self._ring = ring
        self._purpose = f"seal/{purpose}"

    def seal(self, plain: bytes, place: str) -> bytes:
        """Return version (1 byte), nonce (12 bytes), ciphertext with tag."""
        nonce = os.urandom(NONCE_BYTES)
        cipher = AESGCM(self._ring.newest_key(self._purpose))
        return bytes([self._ring.newest]) + nonce + cipher.encrypt(nonce, plain, place.encode())

    def open(self, sealed: bytes, place: str) -> bytes:
        """Return what was sealed for `place`.

        Raises:
            ValueError: another place, another key, or changed bytes.
        """
        key = self._ring.derive(self._purpose, sealed[0]) if sealed else None
        if key is None:
            message = "sealed under a root that is not in the ring"
            raise ValueError(message)
        nonce, body = sealed[1 : 1 + NONCE_BYTES], sealed[1 + NONCE_BYTES :]
        try:
            return AESGCM(key).decrypt(nonce, body, place.encode())
        except InvalidTag:
            message = "the sealed value does not belong here"
            raise ValueError(message) from None
