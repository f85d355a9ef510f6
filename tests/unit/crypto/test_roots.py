"""The root ring: private on disk, made once, the newest makes and all verify."""

import multiprocessing
import os
import secrets
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lumio.crypto import roots
from lumio.crypto.hashing import Fingerprint, Peppers
from lumio.crypto.roots import RootRing
from lumio.crypto.sealing import Sealer

purposes = st.text(min_size=1, max_size=20)


def ring(*numbers: int) -> RootRing:
    return RootRing({number: secrets.token_bytes(32) for number in numbers})


def line(number: object, digits: str | None = None) -> str:
    return f"{number} {secrets.token_hex(32) if digits is None else digits}\n"


def written(folder: Path, content: str, mode: int = 0o600) -> Path:
    path = folder / "root.secret"
    path.write_text(content)
    path.chmod(mode)
    return path


def test_the_first_start_makes_a_private_file(tmp_path: Path) -> None:
    path = tmp_path / "new" / "root.secret"
    roots.load(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [left.name for left in path.parent.iterdir()] == ["root.secret"]


def test_a_careless_umask_changes_nothing_about_that(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        roots.load(tmp_path / "root.secret")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "root.secret").stat().st_mode) == 0o600


def test_the_second_start_reads_the_same_ring(tmp_path: Path) -> None:
    path = tmp_path / "root.secret"
    assert roots.load(path).newest_key("pepper") == roots.load(path).newest_key("pepper")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o660, 0o666, 0o610, 0o601])
def test_a_file_that_others_may_touch_is_refused_with_the_way_to_mend_it(tmp_path: Path, mode: int) -> None:
    path = written(tmp_path, line(1), mode)
    with pytest.raises(ValueError, match="chmod 600"):
        roots.load(path)


def _key_of(path: Path, start: "multiprocessing.synchronize.Event") -> bytes:
    start.wait(30)
    return roots.load(path).newest_key("pepper")


def test_processes_that_start_at_once_end_with_one_ring(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    with context.Manager() as manager, context.Pool(4) as pool:
        start = manager.Event()
        paths = [tmp_path / "root.secret"] * 8
        waiting = pool.starmap_async(_key_of, [(path, start) for path in paths])
        start.set()
        assert len(set(waiting.get(30))) == 1


@pytest.mark.parametrize(
    "content",
    [
        "",
        "\n",
        line("one"),
        line(0),
        line(256),
        line(-1),
        line(1) + "\n",
        line(1) + line(1),
        line(1, "ab" * 31),
        line(1, "zz" * 32),
        secrets.token_hex(32) + "\n",
        "1" + secrets.token_hex(32) + "\n",
    ],
    ids=range(12),
)
def test_a_file_that_is_no_ring_is_refused_without_showing_what_is_in_it(tmp_path: Path, content: str) -> None:
    path = written(tmp_path, content)
    with pytest.raises(ValueError, match="ring") as caught:
        roots.load(path)
    told = str(caught.value)
    assert not any(word in told for word in content.split() if len(word) > 8)


def test_a_ring_has_roots_of_32_bytes_numbered_1_to_255() -> None:
    assert ring(1, 255).newest == 255
    for wrong in ({}, {1: b"short"}, {0: bytes(32)}, {256: bytes(32)}):
        with pytest.raises(ValueError, match="root ring"):
            RootRing(wrong)


@given(purposes, purposes)
def test_two_purposes_never_share_a_key(one: str, other: str) -> None:
    made = RootRing({1: b"r" * 32})
    assert (made.newest_key(one) == made.newest_key(other)) == (one == other)


@given(st.sets(st.integers(1, 255), min_size=2, max_size=5))
def test_the_newest_root_makes_and_every_root_verifies(numbers: set[int]) -> None:
    whole = {number: bytes([number]) * 32 for number in numbers}
    for number in numbers:
        older = Peppers(RootRing({one: root for one, root in whole.items() if one <= number}))
        kept = older.make("a text")
        assert kept.pepper_v == number
        assert Peppers(RootRing(whole)).matches("a text", kept)


def test_a_retired_root_matches_nothing() -> None:
    whole = {1: b"a" * 32, 2: b"b" * 32}
    kept = Peppers(RootRing({1: whole[1]})).make("a text")
    sealed = Sealer(RootRing({1: whole[1]}), "outbox").seal(b"a text", "here")
    assert not Peppers(RootRing({2: whole[2]})).matches("a text", kept)
    with pytest.raises(ValueError, match="not in the ring"):
        Sealer(RootRing({2: whole[2]}), "outbox").open(sealed, "here")


def test_a_number_that_left_the_ring_matches_nothing_whatever_digest_stands_beside_it() -> None:
    peppers = Peppers(ring(2))
    made = peppers.make("a text")
    assert peppers.matches("a text", made)
    assert not peppers.matches("a text", Fingerprint(1, made.digest))


def test_another_root_under_the_same_number_matches_nothing() -> None:
    kept = Peppers(ring(1)).make("a text")
    assert not Peppers(ring(1)).matches("a text", kept)
