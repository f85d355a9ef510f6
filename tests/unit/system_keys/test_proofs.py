"""Proofs and tags: Argon2id once per key and process, for secrets whose tag fits, in a pool that can be full."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from lumio.crypto import opaque, proofs, roots
from lumio.crypto.hashing import KEY_COST, Cost, Peppers, StretchPool, Tags
from lumio.crypto.proofs import Facts, Proofs
from lumio.crypto.roots import RootRing
from lumio.kernel.errors import Unavailable


class CountingPool(StretchPool):
    """A real pool that knows how often it was asked."""

    asked = 0

    async def matches(self, text: str, encoded: str | None) -> bool:
        """Count, then ask Argon2id."""
        self.asked += 1
        return await super().matches(text, encoded)


@pytest.fixture
def ring(tmp_path: Path) -> RootRing:
    return roots.load(tmp_path / "root.secret")


@pytest.fixture
def pool() -> Iterator[CountingPool]:
    made = CountingPool(Cost(8 * 1024, 1), threads=1, queue=2)
    yield made
    made.close()


def key() -> str:
    return opaque.mint(opaque.SYSTEM_KEY).text


def test_the_cost_is_the_one_that_was_decided() -> None:
    assert (KEY_COST.memory_kib, KEY_COST.passes, KEY_COST.lanes) == (19 * 1024, 2, 1)


async def test_a_proof_is_found_once_and_remembered(ring: RootRing, pool: CountingPool) -> None:
    found, text = Proofs(Peppers(ring), pool), key()
    pepper_v, encoded = await found.make(text)
    for _ in range(3):
        assert await found.holds(text, pepper_v, encoded)
    assert pool.asked == 1


async def test_another_secret_is_refuted_once_and_remembered_apart(ring: RootRing, pool: CountingPool) -> None:
    found, text = Proofs(Peppers(ring), pool), key()
    pepper_v, encoded = await found.make(text)
    other = key()
    for _ in range(3):
        assert not await found.holds(other, pepper_v, encoded)
    assert pool.asked == 1
    assert await found.holds(text, pepper_v, encoded)


async def test_a_proof_holds_for_its_own_hash_only(ring: RootRing, pool: CountingPool) -> None:
    found, text = Proofs(Peppers(ring), pool), key()
    pepper_v, encoded = await found.make(text)
    assert await found.holds(text, pepper_v, encoded)
    _, other = await found.make(key())
    assert not await found.holds(text, pepper_v, other)
    _, anew = await found.make(text)
    assert await found.holds(text, pepper_v, anew)
    assert pool.asked == 3


async def test_many_who_ask_at_once_share_one_flight(ring: RootRing, pool: CountingPool) -> None:
    found, text = Proofs(Peppers(ring), pool), key()
    pepper_v, encoded = await found.make(text)
    answers = await asyncio.gather(*(found.holds(text, pepper_v, encoded) for _ in range(50)))
    assert answers == [True] * 50
    assert pool.asked == 1


async def test_who_leaves_takes_nobody_along(ring: RootRing, pool: CountingPool) -> None:
    found, text = Proofs(Peppers(ring), pool), key()
    pepper_v, encoded = await found.make(text)
    first = asyncio.create_task(found.holds(text, pepper_v, encoded))
    await asyncio.sleep(0)
    second = asyncio.create_task(found.holds(text, pepper_v, encoded))
    await asyncio.sleep(0)
    first.cancel()
    assert await second
    assert pool.asked == 1


async def test_a_full_pool_says_so_and_never_piles_up(ring: RootRing, pool: CountingPool) -> None:
    found = Proofs(Peppers(ring), pool)
    made = [(text, *await found.make(text)) for text in (key() for _ in range(8))]
    answers = await asyncio.gather(*(found.holds(*one) for one in made), return_exceptions=True)
    refused = [one for one in answers if isinstance(one, Unavailable)]
    assert len(refused) == 8 - 3  # one thread, two places in the queue
    assert [one for one in answers if not isinstance(one, Unavailable)] == [True] * 3
    assert await found.holds(*made[-1])


async def test_a_root_that_left_the_ring_proves_nothing(ring: RootRing, pool: CountingPool) -> None:
    text = key()
    _, encoded = await Proofs(Peppers(ring), pool).make(text)
    assert not await Proofs(Peppers(ring), pool).holds(text, 7, encoded)
    assert pool.asked == 0
    assert not Tags(ring).matches(text, 7, Tags(ring).make(text))


async def test_the_memory_is_bounded_and_holds_no_secret(
    ring: RootRing, pool: CountingPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proofs, "PROOFS_MAX", 3)
    found, texts = Proofs(Peppers(ring), pool), [key() for _ in range(6)]
    for text in texts:
        assert await found.holds(text, *await found.make(text))
    assert len(found._proven._pairs) == 3
    assert not found._flights
    assert all(text.encode() not in name for text in texts for name in found._proven._pairs)


def test_what_was_used_longest_ago_is_forgotten_first() -> None:
    facts = Facts(2)
    facts.add(b"one", "h1")
    facts.add(b"two", "h2")
    assert facts.holds(b"one", "h1")
    facts.add(b"three", "h3")
    assert facts.holds(b"one", "h1")
    assert not facts.holds(b"two", "h2")


def test_a_tag_has_16_bits_and_lets_about_one_wrong_secret_in_65536_pass(ring: RootRing) -> None:
    tags, text = Tags(ring), key()
    tag = tags.make(text)
    assert 0 <= tag < 65_536
    assert tags.matches(text, ring.newest, tag)
    assert not tags.matches(text, ring.newest, tag ^ 1)
    passed = sum(tags.matches(key(), ring.newest, tag) for _ in range(2000))
    assert passed <= 3


def test_the_tag_is_no_part_of_what_argon2id_is_fed(ring: RootRing) -> None:
    text = key()
    fed = Peppers(ring).make(text).digest
    assert int.from_bytes(fed[:2]) != Tags(ring).make(text) or key() != text
    assert Peppers(ring, "tag").make(text).digest != fed
