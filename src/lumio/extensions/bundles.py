"""Uploaded bundles in a folder, each stored once under the SHA-256 of its content.

The promise: what stands under a digest is complete, durable and has that digest; an upload that ends early
leaves nothing behind, and a crash leaves only what `sweep` takes away.
"""

import asyncio
import contextlib
import functools
import hashlib
import os
import re
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar, TypeVarTuple

from lumio.kernel.errors import NotFound, TooLarge

_Args = TypeVarTuple("_Args")
_Result = TypeVar("_Result")
_GATHER = 256 * 1024
_SHA256 = re.compile("[0-9a-f]{64}")
Wanted = Callable[[Sequence[str]], Awaitable[set[str]]]


@dataclass(frozen=True, slots=True)
class Received:
    """A complete upload that is not kept yet: `path` in the staging folder, hex `sha256`, `size` in bytes."""

    path: Path
    sha256: str
    size: int


class BundleStore:
    """The folder: `<sha256[:2]>/<sha256>` for what is kept, `staging/` for what is arriving."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._staging = folder / "staging"

    async def receive(self, chunks: AsyncIterator[bytes], limit: int) -> Received:
        """Write an upload to a new file that only the owner can read, and make it durable.

        Raises `TooLarge` as soon as more than `limit` bytes arrive. On that, on any error of `chunks` and on
        cancellation the file is gone when this returns.
        """
        arriving = _Arriving(self._staging / secrets.token_hex(16))
        gathered = bytearray()
        try:
            await _finished(arriving.open)
            async for chunk in chunks:
                if arriving.size + len(gathered) + len(chunk) > limit:
                    raise TooLarge(f"The upload is larger than {limit} bytes.")
                gathered += chunk
                if len(gathered) >= _GATHER:
                    part, gathered = gathered, bytearray()
                    await _finished(arriving.write, part)
            return await _finished(arriving.close, gathered)
        except BaseException:
            await _finished(arriving.drop)
            raise

    async def keep(self, received: Received) -> None:
        """Move an upload to its place, durably; keeping the same content again changes nothing."""
        await _finished(self._keep, received)

    async def discard(self, received: Received) -> None:
        """Forget an upload that was not kept; nothing happens when it was."""
        await _finished(functools.partial(received.path.unlink, missing_ok=True))

    def open(self, sha256: str) -> Path:
        """The file with this content, to be opened by the caller; `NotFound` for anything else."""
        if not _SHA256.fullmatch(sha256) or not (path := self._place(sha256)).is_file():
            raise NotFound
        return path

    async def sweep(self, older_than: datetime) -> int:
        """Remove uploads that last grew before `older_than` (aware); returns how many there were."""
        return await _finished(self._sweep, older_than)

    async def sweep_orphans(self, older_than: datetime, wanted: Wanted) -> int:
        """Remove kept files that no version names: a crash between keeping and commit, or a deletion.

        A file that was kept again after `older_than` (aware) stays, since its version may be about to commit.
        `wanted` is asked which of some digests are in use. Returns how many files there were.
        """
        swept = 0
        for folder in await _finished(self._folders):
            old = await _finished(_older, folder, older_than)
            used = await wanted(old) if old else set()
            for sha256 in set(old) - used:
                swept += await _finished(self._remove, sha256, older_than)
        return swept

    def _folders(self) -> list[Path]:
        return sorted(path for path in self._folder.glob("[0-9a-f][0-9a-f]") if path.is_dir())

    def _remove(self, sha256: str, older_than: datetime) -> bool:
        """Take a file out of its place first: whoever keeps it at this moment then brings a new one."""
        place, aside = self._place(sha256), self._staging / secrets.token_hex(16)
        self._staging.mkdir(mode=0o700, exist_ok=True)
        with contextlib.suppress(FileNotFoundError):
            place.rename(aside)
            if _changed(aside) < older_than:
                aside.unlink()
                return True
            if not place.exists():
                aside.rename(place)
        return False

    def _place(self, sha256: str) -> Path:
        return self._folder / sha256[:2] / sha256

    def _keep(self, received: Received) -> None:
        place = self._place(received.sha256)
        place.parent.mkdir(mode=0o700, exist_ok=True)
        if _is_whole(place, received.size):
            received.path.unlink(missing_ok=True)
        else:
            received.path.replace(place)
        # Also when it was there already: whoever put it there may not have come this far yet.
        _sync_folder(place.parent)
        _sync_folder(self._folder)

    def _sweep(self, older_than: datetime) -> int:
        swept = 0
        for path in self._staging.glob("*"):
            with contextlib.suppress(FileNotFoundError):  # finished meanwhile
                if _changed(path) < older_than:
                    path.unlink()
                    swept += 1
        return swept


def _is_whole(place: Path, size: int) -> bool:
    """Tell whether a file of that size is there, and mark it as kept now, so that no sweep takes it."""
    try:
        os.utime(place)
        return place.is_file() and place.stat().st_size == size
    except FileNotFoundError:
        return False


def _older(folder: Path, older_than: datetime) -> list[str]:
    return [path.name for path in folder.iterdir() if _SHA256.fullmatch(path.name) and _changed(path) < older_than]


def _changed(path: Path) -> datetime:
    return datetime.fromtimestamp(path.stat().st_mtime, UTC)


class _Arriving:
    """One file on its way in; blocking, and used by one thread at a time."""

    def __init__(self, path: Path) -> None:
        self.size = 0
        self._path = path
        self._sha256 = hashlib.sha256()
        self._file = -1

    def open(self) -> None:
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._file = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)

    def write(self, part: bytes | bytearray) -> None:
        self._sha256.update(part)
        self.size += len(part)
        rest = memoryview(part)
        while rest:
            rest = rest[os.write(self._file, rest) :]

    def close(self, part: bytes | bytearray) -> Received:
        self.write(part)
        os.fsync(self._file)
        self._release()
        return Received(self._path, self._sha256.hexdigest(), self.size)

    def drop(self) -> None:
        self._release()
        self._path.unlink(missing_ok=True)

    def _release(self) -> None:
        file, self._file = self._file, -1
        if file >= 0:
            os.close(file)


async def _finished(work: Callable[[*_Args], _Result], *args: *_Args) -> _Result:
    """Run blocking work in a thread, to its end even when the waiting task is cancelled.

    A thread cannot be stopped: cleaning up beside it would close and remove a file that it still writes.
    """
    step = asyncio.ensure_future(asyncio.to_thread(work, *args))
    cancelled = None
    while not step.done():
        try:
            await asyncio.wait([step])
        except asyncio.CancelledError as stop:
            cancelled = stop
    if cancelled is not None:
        raise cancelled from step.exception()
    return step.result()


def _sync_folder(folder: Path) -> None:
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
