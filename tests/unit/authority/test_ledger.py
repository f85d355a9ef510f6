"""The journal of revocations: no row is lost, none counts twice, and a crash in the middle of a line is no harm."""

import asyncio
import fcntl
import os
import signal
import stat
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from lumio.authority import ledger_file
from lumio.authority.ledger import Ledger
from lumio.authority.ledger_file import LedgerFile
from lumio.authority.subjects import Ending, Entry, Subject
from lumio.kernel.errors import Unavailable

THEN = datetime(2026, 11, 25, 12, 0, 0, 1, tzinfo=UTC)


def row(seq: int, epoch: int = 1, reason: str = "revoked") -> Entry:
    ending = Ending(Subject("key", f"k-{seq}"), "ended", "robin", reason)
    return Entry(seq, ending, THEN + timedelta(seconds=seq), epoch)


def numbers(folder: Path) -> list[int]:
    return [one.seq for one in LedgerFile(folder).rows()]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "journal"


def in_the_way(folder: Path) -> None:
    folder.write_text("a file where a folder belongs")


def out_of_the_way(folder: Path) -> None:
    folder.unlink()


def in_a_child(work: Callable[[], None]) -> int:
    """Run `work` in a fork that ends there; return how it ended."""
    child = os.fork()
    if child == 0:
        work()
        os._exit(0)
    return os.waitpid(child, 0)[1]


def test_what_is_read_is_what_was_written(folder: Path) -> None:
    rows = [row(1), row(2, epoch=3, reason='a "quoted"\nreason\r\u2028of two lines')]
    LedgerFile(folder).append(rows)
    assert list(LedgerFile(folder).rows()) == rows


def test_folder_and_file_are_their_owner_s_alone(folder: Path) -> None:
    LedgerFile(folder).append([row(1)])
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / ledger_file.NAME).stat().st_mode) == 0o600


def test_the_newest_has_the_highest_epoch_and_then_the_highest_number(folder: Path) -> None:
    file = LedgerFile(folder)
    file.append([row(7), row(3, epoch=2), row(2, epoch=2), row(9)])
    file.read_on()
    assert file.newest == row(3, epoch=2)


@pytest.mark.parametrize("torn", [b'{"epoch":1,"seq":2,"kind":"k', b"\0" * 5000, b"x" * 3_000_000], ids=len)
def test_a_line_that_a_crash_cut_off_is_taken_away_and_harms_nothing(folder: Path, torn: bytes) -> None:
    file = LedgerFile(folder)
    file.append([row(1)])
    with file.path.open("ab") as opened:
        opened.write(torn)
    file.read_on()
    assert (file.newest, file.damaged, numbers(folder)) == (row(1), 0, [1])
    file.append([row(2)])
    assert (numbers(folder), LedgerFile(folder).damaged) == ([1, 2], 0)


def test_a_file_of_nothing_but_a_torn_line_is_empty(folder: Path) -> None:
    file = LedgerFile(folder)
    folder.mkdir()
    file.path.write_bytes(b'{"epo')
    file.append([row(1)])
    assert numbers(folder) == [1]


def test_a_writer_that_is_killed_in_the_middle_of_a_line_loses_only_that(folder: Path) -> None:
    def die() -> None:
        file = LedgerFile(folder)
        file.append([row(1)])
        write = os.write

        def half(opened: int, content: bytes) -> int:
            write(opened, bytes(content)[:20])
            os.kill(os.getpid(), signal.SIGKILL)
            return 0

        os.write = half  # type: ignore[assignment]
        file.append([row(2)])

    assert os.WTERMSIG(in_a_child(die)) == signal.SIGKILL
    LedgerFile(folder).append([row(2), row(3)])
    assert numbers(folder) == [1, 2, 3]


def test_a_line_that_is_none_is_counted_and_passed_over(folder: Path) -> None:
    file = LedgerFile(folder)
    file.append([row(1)])
    with file.path.open("ab") as opened:
        opened.write(b'{"epoch":1}\n\xff\xfe\n')
    file.append([row(2)])
    file.read_on()
    assert (file.damaged, numbers(folder)) == (2, [1, 2])


def test_several_processes_lose_no_row_and_write_none_twice(folder: Path) -> None:
    def write(first: int) -> None:
        file = LedgerFile(folder)
        for seq in range(first, first + 120, 3):  # the rows of three writers overlap
            file.append([row(seq), row(seq + 1), row(seq + 60)])

    children = []
    for first in (0, 1, 60):
        child = os.fork()
        if child == 0:
            write(first)
            os._exit(0)
        children.append(child)
    assert [os.waitpid(child, 0)[1] for child in children] == [0, 0, 0]
    wanted = {seq + more for first in (0, 1, 60) for seq in range(first, first + 120, 3) for more in (0, 1, 60)}
    assert sorted(numbers(folder)) == sorted(wanted)


def test_a_row_that_was_not_safely_written_is_written_again(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = LedgerFile(folder)
    file.append([row(1)])

    def fail(_opened: int) -> None:
        raise OSError(5, "no such luck")

    with monkeypatch.context() as broken:
        broken.setattr(os, "fsync", fail)
        with pytest.raises(OSError, match="no such luck"):
            file.append([row(2)])
    assert numbers(folder) == [1]
    file.append([row(2)])
    assert numbers(folder) == [1, 2]


def test_a_row_of_a_lost_timeline_is_another_one_though_it_has_the_same_number(folder: Path) -> None:
    other = Entry(1, Ending(Subject("key", "other"), "ended", "robin", "revoked"), THEN, 1)
    LedgerFile(folder).append([row(1), other])
    assert list(LedgerFile(folder).rows()) == [row(1), other]


def test_a_file_that_was_replaced_is_read_from_its_beginning(folder: Path) -> None:
    file = LedgerFile(folder)
    file.append([row(1), row(9)])
    file.read_on()
    file.path.unlink()
    LedgerFile(folder).append([row(2)])
    file.read_on()
    assert file.newest == row(2)
    file.append([row(1)])
    assert numbers(folder) == [2, 1]


async def test_a_row_that_cannot_be_written_is_unavailable_and_written_as_soon_as_it_can(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lumio.authority.ledger.RETRY_SECONDS", 0.02)
    in_the_way(folder)
    ledger = Ledger(LedgerFile(folder))
    await ledger.open()
    with pytest.raises(Unavailable, match="journal of revocations"):
        await ledger.keep([row(1)])
    ledger.take([row(2)])
    out_of_the_way(folder)
    async with asyncio.timeout(5):
        while numbers(folder) != [1, 2]:  # noqa: ASYNC110 - a file tells nobody
            await asyncio.sleep(0.01)
    await ledger.close()


async def test_a_process_that_sits_on_the_file_makes_the_others_unavailable_and_never_hang(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger_file, "LOCK_SECONDS", 0.1)
    ledger = Ledger(LedgerFile(folder))
    await ledger.keep([row(1)])
    with ledger.file.path.open("rb") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(Unavailable, match="locked"):
            await ledger.keep([row(2)])
    await ledger.keep([row(3)])
    assert numbers(folder) == [1, 2, 3]


async def test_many_at_once_are_all_on_disk_when_each_is_told_so(folder: Path) -> None:
    ledger = Ledger(LedgerFile(folder))

    async def one(seq: int) -> None:
        await ledger.keep([row(seq)])
        assert seq in numbers(folder)

    await asyncio.gather(*[one(seq) for seq in range(40)])
    assert sorted(numbers(folder)) == list(range(40))
