"""Sealed values: they open in their own place only, and any change is seen."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lumio.crypto.roots import RootRing
from lumio.crypto.sealing import Sealer

RING = RootRing({1: b"r" * 32})
OLDER_AND_NEWER = RootRing({1: b"r" * 32, 2: b"s" * 32})
SEALER = Sealer(RING, "outbox")


@given(st.binary(max_size=200), st.text(max_size=40))
def test_what_was_sealed_for_a_place_opens_there(plain: bytes, place: str) -> None:
    assert SEALER.open(SEALER.seal(plain, place), place) == plain


@given(st.binary(max_size=50), st.text(max_size=20), st.text(max_size=20))
def test_a_value_moved_to_another_place_is_garbage(plain: bytes, place: str, other: str) -> None:
    if place != other:
        with pytest.raises(ValueError, match="does not belong here"):
            SEALER.open(SEALER.seal(plain, place), other)


@given(st.binary(max_size=50), st.integers(min_value=0), st.integers(1, 255))
def test_every_changed_byte_is_seen(plain: bytes, where: int, change: int) -> None:
    sealed = bytearray(SEALER.seal(plain, "here"))
    sealed[where % len(sealed)] ^= change
    with pytest.raises(ValueError, match="sealed"):
        SEALER.open(bytes(sealed), "here")


@given(st.binary(max_size=28))
def test_a_value_cut_short_is_refused(stump: bytes) -> None:
    with pytest.raises(ValueError, match=r"sealed|Nonce"):
        SEALER.open(b"\x01" + stump[:27], "here")


def test_nothing_at_all_is_refused() -> None:
    with pytest.raises(ValueError, match="not in the ring"):
        SEALER.open(b"", "here")


def test_a_value_sealed_for_another_purpose_does_not_open() -> None:
    with pytest.raises(ValueError, match="does not belong here"):
        Sealer(RING, "connections").open(SEALER.seal(b"plain", "here"), "here")


def test_an_older_value_opens_beside_a_newer_root_and_new_ones_are_sealed_under_that() -> None:
    newer = Sealer(OLDER_AND_NEWER, "outbox")
    assert newer.open(SEALER.seal(b"plain", "here"), "here") == b"plain"
    with pytest.raises(ValueError, match="not in the ring"):
        SEALER.open(newer.seal(b"plain", "here"), "here")


def test_the_same_value_is_sealed_differently_each_time() -> None:
    assert len({SEALER.seal(b"plain", "here") for _ in range(100)}) == 100
