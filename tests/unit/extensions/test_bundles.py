"""What is kept is whole and stored once; what ends early leaves nothing."""

import asyncio
import hashlib
import os
import stat
import threading
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from lumio.extensions.bundles import BundleStore, Received
from lumio.kernel import clock
from lumio.kernel.errors import NotFound, TooLarge

MIB = 1024 * 1024


async def _chunks(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        await asyncio.sleep(0)
        yield part


async def _endless(started: asyncio.Event) -> AsyncIterator[bytes]:
    yield bytes(MIB)
    started.set()
    await asyncio.Event().wait()


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


async def _stored(store: BundleStore, content: bytes) -> Received:
    received = await store.receive(_chunks(content), MIB)
    await store.keep(received)
    return received


@pytest.fixture
def store(tmp_path: Path) -> BundleStore:
    return BundleStore(tmp_path / "bundles")


@pytest.mark.parametrize("size", [0, 1, 256 * 1024, 256 * 1024 + 1, MIB])
async def test_what_was_sent_is_what_is_read_back(store: BundleStore, size: int) -> None:
    content = os.urandom(size)
    parts = [content[at : at + 100_000] for at in range(0, size, 100_000)]
    received = await store.receive(_chunks(*parts), MIB)
    assert (received.size, received.sha256) == (size, hashlib.sha256(content).hexdigest())
    await store.keep(received)
    assert store.open(received.sha256).read_bytes() == content


async def test_a_file_stands_under_its_digest_and_only_its_owner_reads_it(store: BundleStore, tmp_path: Path) -> None:
    received = await store.receive(_chunks(b"one"), 3)
    assert received.path.parent == tmp_path / "bundles" / "staging"
    assert stat.S_IMODE(received.path.stat().st_mode) == 0o600
    await store.keep(received)
    place = store.open(received.sha256)
    assert place == tmp_path / "bundles" / received.sha256[:2] / received.sha256
    assert stat.S_IMODE(place.stat().st_mode) == 0o600
    assert stat.S_IMODE(place.parent.stat().st_mode) == 0o700


async def test_nothing_can_be_opened_before_it_is_kept(store: BundleStore) -> None:
    received = await store.receive(_chunks(b"one"), 3)
    with pytest.raises(NotFound):
        store.open(received.sha256)


async def test_the_same_content_is_stored_once(store: BundleStore, tmp_path: Path) -> None:
    first = await _stored(store, b"same")
    inode = store.open(first.sha256).stat().st_ino
    second = await _stored(store, b"same")
    assert second.sha256 == first.sha256
    assert _files(tmp_path) == [store.open(first.sha256)]
    assert store.open(first.sha256).stat().st_ino == inode


async def test_keeping_twice_changes_nothing(store: BundleStore, tmp_path: Path) -> None:
    received = await _stored(store, b"same")
    await store.keep(received)
    assert _files(tmp_path) == [store.open(received.sha256)]


async def test_a_file_of_another_length_is_damaged_and_replaced(store: BundleStore) -> None:
    received = await _stored(store, b"whole")
    store.open(received.sha256).write_bytes(b"who")
    await _stored(store, b"whole")
    assert store.open(received.sha256).read_bytes() == b"whole"


async def test_concurrent_uploads_of_the_same_content_all_succeed(store: BundleStore, tmp_path: Path) -> None:
    content = os.urandom(MIB)
    received = await asyncio.gather(*(_stored(store, content) for _ in range(8)))
    assert len({each.path for each in received}) == 8
    (kept,) = _files(tmp_path)
    assert kept == store.open(received[0].sha256)
    assert kept.read_bytes() == content


async def test_one_byte_past_the_limit_is_too_large_and_leaves_nothing(store: BundleStore, tmp_path: Path) -> None:
    assert (await store.receive(_chunks(b"12", b"34"), 4)).size == 4
    for path in _files(tmp_path):
        path.unlink()
    with pytest.raises(TooLarge):
        await store.receive(_chunks(b"12", b"345"), 4)
    with pytest.raises(TooLarge):
        await store.receive(_chunks(*[bytes(MIB)] * 3), 2 * MIB)
    assert not _files(tmp_path)


async def test_nothing_is_read_past_the_limit(store: BundleStore) -> None:
    read = 0

    async def counted() -> AsyncIterator[bytes]:
        nonlocal read
        for _ in range(100):
            read += 1
            yield b"x" * 10

    with pytest.raises(TooLarge):
        await store.receive(counted(), 25)
    assert read == 3


async def test_an_interrupted_upload_leaves_nothing(store: BundleStore, tmp_path: Path) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield bytes(MIB)
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        await store.receive(broken(), 2 * MIB)
    assert not _files(tmp_path)


async def test_a_cancelled_upload_leaves_nothing(store: BundleStore, tmp_path: Path) -> None:
    started = asyncio.Event()
    upload = asyncio.create_task(store.receive(_endless(started), 2 * MIB))
    await started.wait()
    assert [path.stat().st_size for path in _files(tmp_path)] == [MIB]
    upload.cancel()
    with pytest.raises(asyncio.CancelledError):
        await upload
    assert not _files(tmp_path)


@pytest.mark.parametrize("call", ["open", "write", "fsync"])
async def test_a_cancellation_in_the_middle_of_file_work_leaves_nothing(
    store: BundleStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    entered, go_on = threading.Event(), threading.Event()
    closed: list[int] = []
    real, close = getattr(os, call), os.close

    def slow(*args: object) -> object:
        entered.set()
        assert go_on.wait(10)
        assert not closed, "the file was closed under the thread that works on it"
        return real(*args)

    def noted(file: int) -> None:
        closed.append(file)
        close(file)

    monkeypatch.setattr(os, call, slow)
    monkeypatch.setattr(os, "close", noted)
    upload = asyncio.create_task(store.receive(_chunks(bytes(MIB)), 2 * MIB))
    await asyncio.to_thread(entered.wait, 10)
    upload.cancel()
    await asyncio.sleep(0.05)
    upload.cancel()
    await asyncio.sleep(0.05)
    assert not upload.done()
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await upload
    assert closed
    assert not _files(tmp_path)


async def test_a_full_disk_leaves_nothing(
    store: BundleStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*args: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(OSError, match="No space"):
        await store.receive(_chunks(b"one"), 3)
    assert not _files(tmp_path)


async def test_a_write_that_the_disk_takes_in_parts_is_whole(
    store: BundleStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = os.write
    monkeypatch.setattr(os, "write", lambda file, part: write(file, part[:3]))
    received = await _stored(store, b"in several parts")
    assert store.open(received.sha256).read_bytes() == b"in several parts"


async def test_content_and_folders_are_durable_before_keep_returns(
    store: BundleStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[str] = []
    fsync = os.fsync

    def noted(file: int) -> None:
        synced.append(Path(f"/proc/self/fd/{file}").readlink().name)
        fsync(file)

    monkeypatch.setattr(os, "fsync", noted)
    received = await store.receive(_chunks(b"one"), 3)
    assert synced == [received.path.name]
    await store.keep(received)
    assert synced[1:] == [received.sha256[:2], "bundles"]


async def test_discarding_removes_what_was_not_kept_and_nothing_else(store: BundleStore, tmp_path: Path) -> None:
    kept = await _stored(store, b"kept")
    dropped = await store.receive(_chunks(b"dropped"), 9)
    for _ in range(2):
        await store.discard(kept)
        await store.discard(dropped)
    assert _files(tmp_path) == [store.open(kept.sha256)]


@pytest.mark.parametrize(
    "wrong",
    ["", "../staging", "0" * 63, "0" * 65, "A" * 64, "0" * 64 + "\n", "/" * 64, "\u0660" * 64, "0" * 64],
)
async def test_whatever_is_no_digest_of_ours_is_not_found(store: BundleStore, wrong: str) -> None:
    await _stored(store, b"one")
    with pytest.raises(NotFound):
        store.open(wrong)


async def test_no_file_beside_the_kept_ones_can_be_opened(store: BundleStore, tmp_path: Path) -> None:
    kept = await _stored(store, b"one")
    beside = store.open(kept.sha256).with_suffix(".txt")
    outside = tmp_path / "outside"
    for path in (beside, outside):
        path.write_bytes(b"secret")
    for wrong in (beside.name, str(beside), str(outside), str(store.open(kept.sha256))):
        with pytest.raises(NotFound):
            store.open(wrong)


async def test_sweeping_takes_old_leftovers_and_leaves_the_rest(store: BundleStore, tmp_path: Path) -> None:
    now = clock.now()
    assert await store.sweep(now) == 0
    kept = await _stored(store, b"kept")
    old = await store.receive(_chunks(b"old"), 9)
    new = await store.receive(_chunks(b"new"), 9)
    two_hours_ago = (now - timedelta(hours=2)).timestamp()
    for path in (old.path, store.open(kept.sha256)):
        os.utime(path, (two_hours_ago, two_hours_ago))
    assert await store.sweep(now - timedelta(hours=1)) == 1
    assert sorted(_files(tmp_path)) == sorted([store.open(kept.sha256), new.path])
