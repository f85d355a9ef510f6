"""Kept files that no version names are swept, and never one that a version names or is about to name."""

import os
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from lumio.extensions.bundles import BundleStore
from lumio.kernel import clock

DAY = timedelta(days=1)


async def _chunks(content: bytes) -> AsyncIterator[bytes]:
    yield content


async def _kept(store: BundleStore, content: bytes, *, days_ago: int = 0) -> str:
    received = await store.receive(_chunks(content), 1024)
    await store.keep(received)
    then = (clock.now() - days_ago * DAY).timestamp()
    os.utime(store.open(received.sha256), (then, then))
    return received.sha256


async def _nothing(_digests: Sequence[str]) -> set[str]:
    return set()


@pytest.fixture
def store(tmp_path: Path) -> BundleStore:
    return BundleStore(tmp_path / "bundles")


def _files(folder: Path) -> set[str]:
    return {path.name for path in folder.rglob("*") if path.is_file()}


async def test_an_old_file_that_nobody_names_goes_and_the_others_stay(store: BundleStore, tmp_path: Path) -> None:
    assert await store.sweep_orphans(clock.now(), _nothing) == 0
    orphan, used = await _kept(store, b"orphan", days_ago=2), await _kept(store, b"used", days_ago=2)
    young = await _kept(store, b"young")
    asked: list[str] = []

    async def wanted(digests: Sequence[str]) -> set[str]:
        asked.extend(digests)
        return {used}

    assert await store.sweep_orphans(clock.now() - DAY, wanted) == 1
    assert set(asked) == {orphan, used}
    assert _files(tmp_path) == {used, young}


async def test_a_file_that_is_kept_again_counts_as_young(store: BundleStore, tmp_path: Path) -> None:
    digest = await _kept(store, b"again", days_ago=2)
    received = await store.receive(_chunks(b"again"), 1024)
    await store.keep(received)
    assert await store.sweep_orphans(clock.now() - DAY, _nothing) == 0
    assert _files(tmp_path) == {digest}


@pytest.mark.parametrize("moment", ["asked", "taken"])
async def test_a_file_that_is_kept_again_during_the_sweep_is_there_afterwards(
    store: BundleStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    digest = await _kept(store, b"again", days_ago=2)
    received = await store.receive(_chunks(b"again"), 1024)

    async def wanted(_digests: Sequence[str]) -> set[str]:
        if moment == "asked":
            await store.keep(received)
        return set()

    rename = Path.rename

    def slow(self: Path, target: Path) -> Path:
        moved = rename(self, target)
        if moment == "taken" and received.path.exists() and self.name == digest:
            store._keep(received)
        return moved

    monkeypatch.setattr(Path, "rename", slow)
    await store.sweep_orphans(clock.now() - DAY, wanted)
    assert store.open(digest).read_bytes() == b"again"
    assert _files(tmp_path) == {digest}
