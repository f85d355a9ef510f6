"""The journal of revocations takes what nobody waits for, goes on after any trouble, and knows a file that shrank."""

import asyncio
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from lumio.authority.ledger import Ledger
from lumio.authority.ledger_file import LedgerFile
from lumio.authority.subjects import Ending, Entry, Subject
from lumio.kernel.errors import Unavailable

THEN = datetime(2026, 11, 25, 12, tzinfo=UTC)


def row(seq: int) -> Entry:
    ending = Ending(Subject("key", f"k-{seq}"), "ended", "robin", "revoked")
    return Entry(seq, ending, THEN + timedelta(seconds=seq), 1)


def numbers(folder: Path) -> list[int]:
    return [one.seq for one in LedgerFile(folder).rows()]


async def written(folder: Path, *wanted: int) -> None:
    """Wait until the file has these rows."""
    async with asyncio.timeout(5):
        while numbers(folder) != list(wanted):  # noqa: ASYNC110 - a file tells nobody
            await asyncio.sleep(0.01)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "journal"


@pytest.fixture
def failures(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many rows each failed attempt had; the first three attempts fail."""
    append, failed = LedgerFile.append, list[int]()

    def failing(file: LedgerFile, rows: list[Entry]) -> None:
        if len(failed) < 3:
            failed.append(len(rows))
            raise OSError(28, "no room")
        append(file, rows)

    monkeypatch.setattr(LedgerFile, "append", failing)
    monkeypatch.setattr("lumio.authority.ledger.RETRY_SECONDS", 0.01)
    return failed


async def test_what_nobody_waits_for_is_written_all_the_same(folder: Path) -> None:
    ledger = Ledger(LedgerFile(folder))
    await ledger.open()
    ledger.take([row(1)])
    await written(folder, 1)
    ledger.take([row(2)])
    await written(folder, 1, 2)
    await ledger.close()


@pytest.mark.parametrize("waits", [True, False])
async def test_trouble_that_lasts_is_outlasted(folder: Path, failures: list[int], *, waits: bool) -> None:
    ledger = Ledger(LedgerFile(folder))
    await ledger.open()
    if waits:
        with pytest.raises(Unavailable, match="no room"):
            await ledger.keep([row(1)])
    else:
        ledger.take([row(1)])
    await written(folder, 1)
    assert failures == [1, 1, 1]
    await ledger.close()


async def test_what_waits_is_written_before_it_closes(folder: Path) -> None:
    ledger = Ledger(LedgerFile(folder))
    await ledger.open()
    ledger.take([row(1)])
    await ledger.close()
    assert numbers(folder) == [1]


def test_a_file_that_shrank_is_read_from_its_beginning(folder: Path) -> None:
    file = LedgerFile(folder)
    file.append([row(1), row(9)])
    file.read_on()
    first, _, _ = file.path.read_bytes().partition(b"\n")
    os.truncate(file.path, len(first) + 1)
    file.read_on()
    assert file.newest == row(1)
    file.append([row(9)])
    assert numbers(folder) == [1, 9]


def test_the_name_of_a_new_file_is_on_disk_before_its_first_row_counts(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[str] = []
    fsync = os.fsync

    def noted(opened: int) -> None:
        synced.append(Path(f"/proc/self/fd/{opened}").readlink().name)
        fsync(opened)

    monkeypatch.setattr(os, "fsync", noted)
    file = LedgerFile(folder)
    file.append([row(1)])
    file.append([row(2)])
    assert synced == [folder.name, file.path.name, file.path.name]


async def test_what_lies_there_after_it_was_closed_is_another_file(folder: Path) -> None:
    ledger = Ledger(LedgerFile(folder))
    await ledger.open()
    await ledger.keep([row(5)])
    ledger.file.read_on()
    known = [ledger.file.newest]
    await ledger.close()
    await ledger.open()
    assert [*known, ledger.file.newest] == [row(5), None]
    await ledger.close()
