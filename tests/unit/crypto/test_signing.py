"""Access tokens (threat 30): whatever is changed in one, it is refused."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import time_machine
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from lumio.crypto.roots import RootRing
from lumio.crypto.signing import AUDIENCE, LENGTH_MAX, REMEMBERED, AccessTokens, Claims

ROOT = b"r" * 32
RING = RootRing({1: ROOT})
ISSUER = "https://lumio.example"
NOW = 1_800_000_000
GENUINE = Claims("a-person", "a-session", "an-account", "an-id", NOW, NOW + 900, NOW, ("pwd",))


@pytest.fixture(autouse=True)
def clock_at() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOW, tick=False) as moved:
        yield moved


@pytest.fixture
def tokens() -> AccessTokens:
    return AccessTokens(RING, ISSUER)


def b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def unb64(text: str) -> Any:
    return json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))


def signed(header: dict[str, Any], payload: dict[str, Any], ring: RootRing = RING, version: int = 1) -> str:
    """Sign anything with our own genuine key, so that only the content can be the reason to refuse it."""
    seed = ring.derive("signing", version)
    assert seed is not None
    body = f"{b64(json.dumps(header).encode())}.{b64(json.dumps(payload).encode())}"
    return f"lm_{body}.{b64(Ed25519PrivateKey.from_private_bytes(seed).sign(body.encode()))}"


def parts(text: str) -> tuple[dict[str, Any], dict[str, Any]]:
    header, payload, _ = text.removeprefix("lm_").split(".")
    return unb64(header), unb64(payload)


def test_what_is_made_is_read_back(tokens: AccessTokens) -> None:
    assert tokens.read(tokens.make(GENUINE)) == GENUINE


def test_the_signer_of_these_tests_makes_what_is_accepted(tokens: AccessTokens) -> None:
    assert tokens.read(signed(*parts(tokens.make(GENUINE)))) == GENUINE


def test_the_header_names_the_fixed_algorithm_and_our_own_key(tokens: AccessTokens) -> None:
    assert parts(tokens.make(GENUINE))[0] == {"typ": "JWT", "alg": "Ed25519", "kid": "1"}


HEADERS: list[dict[str, Any]] = [
    {"alg": "none"}, {"alg": "None"}, {"alg": ""}, {"alg": None}, {"alg": ["Ed25519"]}, {"alg": "EdDSA"},
    {"alg": "HS256"},
    {"alg": "RS256"}, {"alg": "ES256"}, {"alg": "Ed448"}, {"alg": "ed25519"},
    {"kid": "2"}, {"kid": ""}, {"kid": None}, {"kid": 1}, {"kid": "01"}, {"kid": " 1"}, {"kid": "1\n"}, {"kid": "١"},
    {"kid": "../../etc/passwd"}, {"kid": "/dev/null"}, {"kid": "1' OR '1'='1"}, {"kid": ["1"]}, {"kid": {"1": "1"}},
    {"jku": "https://evil.example/jwks.json"}, {"x5u": "https://evil.example/cert.pem"}, {"x5c": ["AAAA"]},
    {"jwk": {"kty": "OKP", "crv": "Ed25519", "x": b64(bytes(32))}}, {"crit": ["exp"]}, {"b64": False},
    {"enc": "A256GCM"}, {"zip": "DEF"}, {"extra": 1},
]  # fmt: skip


@pytest.mark.parametrize("change", HEADERS, ids=json.dumps)
def test_every_changed_header_is_refused_even_under_our_own_signature(
    tokens: AccessTokens, change: dict[str, Any]
) -> None:
    header, payload = parts(tokens.make(GENUINE))
    assert tokens.read(signed({**header, **change}, payload)) is None


@pytest.mark.parametrize("name", ["alg", "kid", "typ"])
def test_a_header_without_one_of_its_members_is_refused(tokens: AccessTokens, name: str) -> None:
    header, payload = parts(tokens.make(GENUINE))
    del header[name]
    assert tokens.read(signed(header, payload)) is None


PAYLOADS: list[dict[str, Any]] = [
    {"iss": "https://evil.example"}, {"iss": ISSUER + "/"}, {"iss": None}, {"iss": [ISSUER]},
    {"aud": "other"}, {"aud": [AUDIENCE]}, {"aud": None},
    {"sub": None}, {"sub": 1}, {"sid": None}, {"sid": ["a-session"]}, {"acc": None}, {"acc": {}}, {"jti": None},
    {"jti": 7},
    {"iat": None}, {"iat": str(NOW)}, {"iat": float(NOW)}, {"iat": True}, {"iat": NOW + 60}, {"iat": NOW - 1},
    {"exp": None}, {"exp": str(NOW + 900)}, {"exp": NOW + 901}, {"exp": NOW + 10**9}, {"exp": NOW}, {"exp": NOW - 1},
    {"exp": 1e300}, {"auth_time": None}, {"auth_time": "0"}, {"amr": None}, {"amr": "pwd"}, {"amr": [1]},
]  # fmt: skip


@pytest.mark.parametrize("change", PAYLOADS, ids=json.dumps)
def test_every_wrong_claim_is_refused_even_under_our_own_signature(
    tokens: AccessTokens, change: dict[str, Any]
) -> None:
    header, payload = parts(tokens.make(GENUINE))
    assert tokens.read(signed(header, {**payload, **change})) is None


@pytest.mark.parametrize("name", ["iss", "aud", "sub", "sid", "acc", "jti", "iat", "exp", "auth_time", "amr"])
def test_a_token_without_one_of_its_claims_is_refused(tokens: AccessTokens, name: str) -> None:
    header, payload = parts(tokens.make(GENUINE))
    del payload[name]
    assert tokens.read(signed(header, payload)) is None


@pytest.mark.parametrize("name", ["iss", "sub", "sid", "acc", "jti", "exp", "iat", "auth_time"])
def test_a_changed_claim_under_the_old_signature_is_refused(tokens: AccessTokens, name: str) -> None:
    text = tokens.make(GENUINE)
    payload = parts(text)[1]
    payload[name] = payload[name] + 1 if isinstance(payload[name], int) else payload[name] + "x"
    first, _, last = text.split(".")
    assert tokens.read(f"{first}.{b64(json.dumps(payload).encode())}.{last}") is None


def _unsigned(text: str) -> str:
    header, payload = parts(text)
    return f"lm_{b64(json.dumps({**header, 'alg': 'none'}).encode())}.{b64(json.dumps(payload).encode())}."


def _by_public_key(text: str) -> str:
    """Use the published key as the secret of HMAC: the classic confusion of algorithms."""
    seed = RING.derive("signing", 1)
    assert seed is not None
    public = Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()
    header, payload = parts(text)
    body = f"{b64(json.dumps({**header, 'alg': 'HS256'}).encode())}.{b64(json.dumps(payload).encode())}"
    return f"lm_{body}.{b64(hmac.digest(public, body.encode(), hashlib.sha256))}"


def _by_a_stranger(text: str) -> str:
    return signed(*parts(text), RootRing({1: b"x" * 32}))


SHAPES: dict[str, Callable[[str], str]] = {
    "algorithm none": _unsigned,
    "hmac under the public key": _by_public_key,
    "a stranger's key": _by_a_stranger,
    "no prefix": lambda text: text.removeprefix("lm_"),
    "upper case": str.upper,
    "a fourth part": lambda text: text + ".",
    "a space behind": lambda text: text + " ",
    "a letter beyond ascii": lambda text: text + "é",
    "no signature part": lambda text: text.rpartition(".")[0],
    "an empty signature": lambda text: text.rpartition(".")[0] + ".",
    "an empty part": lambda text: text.replace(".", "..", 1),
    "the start alone": lambda _: "lm_eyJ",
    "three stumps": lambda _: "lm_eyJ.eyJ.x",
    "nothing": lambda _: "",
    "a header nested without end": lambda _: "lm_eyJ" + b64(b'": ' + b"[" * 500) + ".e30.x",
    "longer than any of ours": lambda text: "lm_eyJ" + "A" * LENGTH_MAX + text,
}


@pytest.mark.parametrize("shape", SHAPES)
def test_whatever_else_is_done_to_its_form_it_is_refused(tokens: AccessTokens, shape: str) -> None:
    assert tokens.read(SHAPES[shape](tokens.make(GENUINE))) is None


def test_another_installation_s_token_is_refused(tokens: AccessTokens) -> None:
    assert tokens.read(AccessTokens(RING, "https://other.example").make(GENUINE)) is None


@pytest.mark.parametrize(("seconds", "good"), [(-6, False), (-5, True), (0, True), (899, True), (900, False)])
def test_a_token_counts_from_its_making_to_its_expiry_and_not_a_second_longer(
    tokens: AccessTokens, clock_at: time_machine.Traveller, seconds: int, good: bool
) -> None:
    text = tokens.make(GENUINE)
    clock_at.move_to(NOW + seconds)
    assert (tokens.read(text) is not None) == good


def test_a_token_read_before_is_still_held_against_the_clock(
    tokens: AccessTokens, clock_at: time_machine.Traveller
) -> None:
    text = tokens.make(GENUINE)
    assert tokens.read(text) is not None
    clock_at.move_to(NOW + 900)
    assert tokens.read(text) is None


def test_refused_tokens_are_not_remembered_and_good_ones_only_so_many(
    tokens: AccessTokens, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(20):
        tokens.read(f"lm_eyJ{number}.eyJ.x")
    assert not tokens._read
    text = tokens.make(GENUINE)
    assert tokens.read(text) is not None
    tokens._read |= {bytes([number >> 8, number & 255]): GENUINE for number in range(REMEMBERED)}
    assert tokens.read(tokens.make(GENUINE)) is not None
    assert len(tokens._read) <= REMEMBERED + 1


def test_older_roots_verify_and_the_newest_signs() -> None:
    older = AccessTokens(RING, ISSUER).make(GENUINE)
    both = AccessTokens(RootRing({1: ROOT, 2: b"s" * 32}), ISSUER)
    assert both.read(older) == GENUINE
    assert parts(both.make(GENUINE))[0]["kid"] == "2"
    assert AccessTokens(RING, ISSUER).read(both.make(GENUINE)) is None


def test_a_retired_root_verifies_nothing() -> None:
    assert AccessTokens(RootRing({2: b"s" * 32}), ISSUER).read(AccessTokens(RING, ISSUER).make(GENUINE)) is None
