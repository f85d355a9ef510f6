"""Signed statements about the audit log: heads, checkpoints, last lines of exports (Ed25519, RFC 8032).

A statement is a flat JSON object of texts, whole numbers and booleans. What is signed is the word `lumio-audit-1`, a
line feed, and the statement without its signature as JSON with sorted keys, no spaces and ASCII alone.
Promise: only keys derived from the installation's root secret count, whatever key a statement names.
"""

import json
from collections.abc import Mapping
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from lumio.crypto.roots import RootRing

CONTEXT = b"lumio-audit-1\n"


def to_be_signed(statement: Mapping[str, Any]) -> bytes:
    """Return the bytes under a statement's signature."""
    said = {name: value for name, value in statement.items() if name != "signature"}
    return CONTEXT + json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()


def genuine_under(statement: Mapping[str, Any], public_keys: tuple[str, ...]) -> bool:
    """Tell whether a statement is signed by one of the keys (64 hexadecimal digits each) and names that key."""
    key, signature = statement.get("key"), statement.get("signature")
    if key not in public_keys or not isinstance(signature, str):
        return False
    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(key)).verify(
            bytes.fromhex(signature), to_be_signed(statement)
        )
    except (InvalidSignature, ValueError):
        return False
    return True


class Notary:
    """Signs with the newest root, and knows the public key of every root."""

    def __init__(self, ring: RootRing) -> None:
        """Derive one signing key per root."""
        self._signing = Ed25519PrivateKey.from_private_bytes(ring.newest_key("audit"))
        seeds = [ring.derive("audit", version) for version in ring.versions]
        self.public_keys = tuple(_public(Ed25519PrivateKey.from_private_bytes(seed)) for seed in seeds if seed)

    def sign(self, statement: Mapping[str, Any]) -> dict[str, Any]:
        """Return the statement with `key` and `signature`, in hexadecimal digits."""
        said = {**statement, "key": _public(self._signing)}
        return {**said, "signature": self._signing.sign(to_be_signed(said)).hex()}

    def genuine(self, statement: Mapping[str, Any]) -> bool:
        """Tell whether this installation signed the statement."""
        return genuine_under(statement, self.public_keys)


def _public(key: Ed25519PrivateKey) -> str:
    return key.public_key().public_bytes_raw().hex()
