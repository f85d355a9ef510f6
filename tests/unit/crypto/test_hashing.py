"""Fingerprints and stretched passwords: constant-time, bounded, and no answer without a right secret."""

import asyncio
import hmac
import secrets
import threading
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from hypothesis import given
from hypothesis import strategies as st

from lumio.crypto.hashing import Cost, Fingerprint, Peppers, StretchPool
from lumio.crypto.roots import RootRing
from lumio.kernel.errors import Unavailable

CHEAP = Cost(8 * 1024, 1)
PEPPERS = Peppers(RootRing({1: b"r" * 32}))


@pytest_asyncio.fixture
async def pool() -> AsyncIterator[StretchPool]:
    made = StretchPool(CHEAP, threads=1, queue=2)
    yield made
    made.close()


@given(st.text(alphabet=st.characters(codec="utf-8")), st.text(alphabet=st.characters(codec="utf-8")))
def test_a_fingerprint_matches_its_own_text_only(one: str, other: str) -> None:
    assert PEPPERS.matches(other, PEPPERS.make(one)) == (one == other)


def test_a_fingerprint_is_32_bytes_and_differs_by_purpose() -> None:
    ring = RootRing({1: b"r" * 32})
    one, other = Peppers(ring).make("a text"), Peppers(ring, "guesses").make("a text")
    assert len(one.digest) == 32
    assert one.digest != other.digest


@pytest.mark.parametrize("stored", [Fingerprint(1, b""), Fingerprint(0, b"x" * 32), Fingerprint(7, b"x" * 32)])
def test_every_comparison_goes_through_the_constant_time_one(
    stored: Fingerprint, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared: list[bytes] = []
    compare = hmac.compare_digest

    def counted(one: bytes, other: bytes) -> bool:
        compared.append(one)
        return compare(one, other)

    monkeypatch.setattr(hmac, "compare_digest", counted)
    assert not PEPPERS.matches("a text", stored)
    assert len(compared) == 1


async def test_a_stretched_password_is_found_again_and_no_other(pool: StretchPool) -> None:
    encoded = await pool.make("violet otter")
    assert await pool.matches("violet otter", encoded)
    assert not await pool.matches("violet otten", encoded)


async def test_the_same_password_is_stretched_differently_each_time(pool: StretchPool) -> None:
    assert await pool.make("violet otter") != await pool.make("violet otter")


async def test_nobody_costs_as_much_as_somebody_and_is_never_right(
    pool: StretchPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    stretched: list[str] = []
    verify = pool._verify

    def counted(encoded: str, text: str) -> bool:
        stretched.append(encoded)
        return verify(encoded, text)

    monkeypatch.setattr(pool, "_verify", counted)
    assert not await pool.matches("violet otter", None)
    own = await pool.make("violet otter")
    assert await pool.matches("violet otter", own)
    assert [encoded.rsplit("$", 2)[0] for encoded in stretched] == [own.rsplit("$", 2)[0]] * 2


@pytest.mark.parametrize("encoded", ["", "nonsense", "$2b$12$" + "a" * 53])
async def test_a_broken_hash_is_wrong_and_no_error(pool: StretchPool, encoded: str) -> None:
    assert not await pool.matches("violet otter", encoded)


async def test_a_hash_that_argon2_cannot_judge_is_no_verdict(pool: StretchPool) -> None:
    with pytest.raises(Unavailable, match="argon2"):
        await pool.matches("violet otter", "$argon2id$v=19$m=8,t=1,p=1$x")


async def test_the_cost_stands_in_the_hash() -> None:
    made = StretchPool(Cost(9 * 1024, 2), threads=1)
    try:
        assert "$argon2id$v=19$m=9216,t=2,p=1$" in await made.make(secrets.token_hex(8))
    finally:
        made.close()


async def test_a_full_pool_refuses_at_once_and_recovers(pool: StretchPool) -> None:
    gate = threading.Event()
    waiting = [asyncio.ensure_future(pool._run(gate.wait)) for _ in range(3)]
    await asyncio.sleep(0)
    with pytest.raises(Unavailable, match="full"):
        await pool.make("violet otter")
    gate.set()
    await asyncio.gather(*waiting)
    assert await pool.make("violet otter")
