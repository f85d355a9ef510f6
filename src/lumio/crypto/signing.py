"""Access tokens: JWTs (RFC 7519) signed with Ed25519 (RFC 8037, RFC 9864), prefixed `lm_`.

Promise: the algorithm is fixed by the key, never by the header; no key is ever fetched or taken from the
message; `kid` selects one of our own keys and does nothing else (RFC 8725, sections 3.1 and 3.10).
"""

import base64
import binascii
import hashlib
import json
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

from lumio.crypto.roots import RootRing
from lumio.kernel import clock

ALGORITHM = "Ed25519"
PREFIX = "lm_"
AUDIENCE = "lumio"
LIFETIME_SECONDS = 900
LENGTH_MAX = 2048
REMEMBERED = 4096
CLOCK_SLACK_SECONDS = 5
_TEXTS = ("sub", "jti", "sid", "acc")


@dataclass(frozen=True, slots=True)
class Claims:
    """What an access token says; times are Unix seconds, `acc` the active account."""

    sub: str
    sid: str
    acc: str
    jti: str
    iat: int
    exp: int
    auth_time: int
    amr: tuple[str, ...]


class AccessTokens:
    """Make and read access tokens of one issuer."""

    def __init__(self, ring: RootRing, issuer: str) -> None:
        """Derive one signing key per root; `issuer` is the public address of the installation."""
        self._ring = ring
        self._issuer = issuer
        self._keys: dict[int, OKPKey] = {}
        self._read: OrderedDict[bytes, Claims] = OrderedDict()

    def make(self, claims: Claims) -> str:
        """Return the signed access token, prefix included."""
        version = self._ring.newest
        payload = {
            "iss": self._issuer, "aud": AUDIENCE, "sub": claims.sub, "sid": claims.sid, "acc": claims.acc,
            "jti": claims.jti, "iat": claims.iat, "exp": claims.exp, "auth_time": claims.auth_time,
            "amr": list(claims.amr),
        }  # fmt: skip
        header = {"alg": ALGORITHM, "kid": str(version)}
        return PREFIX + jwt.encode(header, payload, self._key(version), algorithms=[ALGORITHM])

    def read(self, text: str) -> Claims | None:
        """Return the claims of a genuine access token that has not expired, or None.

        A signature once checked is remembered by digest: that it is genuine can never become false. Whether
        it still *counts* is asked of the clock here and of the authority elsewhere, each time.
        """
        if not text.startswith(PREFIX + "eyJ") or len(text) > LENGTH_MAX or not text.isascii():
            return None
        name = hashlib.sha256(text.encode()).digest()
        claims = self._read.get(name)
        if claims is None:
            claims = self._verify(text[len(PREFIX) :])
            if claims is None:
                return None
            self._read[name] = claims
            if len(self._read) > REMEMBERED:
                self._read.popitem(last=False)
        seconds = clock.now().timestamp()
        return claims if claims.iat - CLOCK_SLACK_SECONDS <= seconds < claims.exp else None

    def _verify(self, compact: str) -> Claims | None:
        header = _header(compact)
        if header is None or set(header) != {"alg", "kid", "typ"} or header["alg"] != ALGORITHM:
            return None
        kid = header["kid"]
        if kid not in {str(version) for version in self._ring.versions}:
            return None
        try:
            payload = jwt.decode(compact, self._key(int(kid)), algorithms=[ALGORITHM]).claims
        except (JoseError, ValueError):
            return None
        if payload.get("iss") != self._issuer or payload.get("aud") != AUDIENCE:
            return None
        return _claims(payload)

    def _key(self, version: int) -> OKPKey:
        found = self._keys.get(version)
        if found is None:
            seed = self._ring.derive("signing", version)
            if seed is None:
                raise KeyError(version)
            public = Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()
            found = OKPKey.import_key({
                "kty": "OKP", "crv": "Ed25519", "d": _base64(seed), "x": _base64(public),
            })  # fmt: skip
            self._keys[version] = found
        return found


def _base64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _header(compact: str) -> Mapping[str, Any] | None:
    first = compact.partition(".")[0]
    try:
        header = json.loads(base64.urlsafe_b64decode(first + "=" * (-len(first) % 4)))
    except (binascii.Error, ValueError, RecursionError):
        return None
    if not isinstance(header, dict) or not isinstance(header.get("kid"), str):
        return None
    return header


def _claims(payload: Mapping[str, Any]) -> Claims | None:
    """Return the payload as claims, or None when one is missing, of another type, or lives too long."""
    texts = [payload.get(name) for name in _TEXTS]
    times = [payload.get(name) for name in ("iat", "exp", "auth_time")]
    amr = payload.get("amr")
    if not all(isinstance(text, str) for text in texts) or not all(type(time) is int for time in times):
        return None
    if not isinstance(amr, list) or not all(isinstance(method, str) for method in amr):
        return None
    sub, jti, sid, acc = (str(text) for text in texts)
    iat, exp, auth_time = (int(str(time)) for time in times)
    if exp - iat > LIFETIME_SECONDS:
        return None
    return Claims(sub, sid, acc, jti, iat, exp, auth_time, tuple(amr))
