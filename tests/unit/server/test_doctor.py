"""What the doctor says of the journal of revocations: whether a revocation could be noted there now."""

import asyncio
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lumio.app.doctor import Finding, examine
from lumio.authority.ledger_file import NAME, LedgerFile
from lumio.authority.subjects import Ending, Entry, Subject
from lumio.kernel import clock
from lumio.settings import load

NOBODY = 65_534


@pytest.fixture
def folder() -> Iterator[Path]:
    """Where the journal is to be, seen by somebody whom the modes of files bind, as they do not bind root."""
    root = os.geteuid() == 0
    with tempfile.TemporaryDirectory() as made:  # pytest's own folder is hidden from everybody else
        if root:
            os.chown(made, NOBODY, -1)
            os.seteuid(NOBODY)
        try:
            yield Path(made) / "journal"
        finally:
            if root:
                os.seteuid(0)
            for one in (Path(made), Path(made) / "journal"):
                if one.is_dir():
                    one.chmod(0o700)


def journal(folder: Path) -> Finding:
    """Return the doctor's finding about the journal in `folder`."""
    settings = load({"LUMIO_DATA_DIR": str(folder.parent / "nothing"), "LUMIO_JOURNAL_DIR": str(folder)})

    async def look() -> Finding:
        return await anext(finding async for finding in examine(settings) if finding.about == "journal")

    return asyncio.run(look())


def note(folder: Path) -> None:
    """Note a revocation, as the authority does."""
    ending = Ending(Subject("key", "k1"), "ended", "robin", "revoked")
    LedgerFile(folder).append([Entry(7, ending, clock.now(), 1)])


def file_for_folder(folder: Path) -> Path:
    folder.write_text("")
    return folder


def folder_for_file(folder: Path) -> Path:
    (folder / NAME).mkdir(parents=True)
    return folder / NAME


def read_only_file(folder: Path) -> Path:
    folder.mkdir()
    (folder / NAME).touch(0o444)
    return folder / NAME


def read_only_folder(folder: Path) -> Path:
    folder.mkdir(0o555)
    return folder


def missing_in_read_only(folder: Path) -> Path:
    folder.parent.chmod(0o555)
    return folder.parent


def out_of_sight(folder: Path) -> Path:
    folder.mkdir(0o700)
    note(folder)
    folder.chmod(0)
    return folder


@pytest.mark.parametrize(
    "broken", [file_for_folder, folder_for_file, read_only_file, read_only_folder, missing_in_read_only, out_of_sight]
)
def test_the_doctor_finds_a_journal_that_cannot_be_written(folder: Path, broken: Callable[[Path], Path]) -> None:
    place = broken(folder)
    found = journal(folder)
    with pytest.raises(OSError, match=r"Errno"):
        note(folder)
    assert (found.level, found.sentence) == (
        "error", f"{place} cannot be written, so revocations answer 503; see LUMIO_JOURNAL_DIR"
    )  # fmt: skip


def test_the_doctor_finds_no_fault_with_a_journal_that_is_yet_to_be_made_and_makes_none(folder: Path) -> None:
    found = journal(folder)
    assert (found.level, "no revocation yet" in found.sentence) == ("ok", True)
    assert not folder.exists()


def test_the_doctor_reads_the_journal_and_counts_what_is_damaged(folder: Path) -> None:
    note(folder)
    assert journal(folder).sentence.startswith("newest revocation: 7;")
    with (folder / NAME).open("a") as file:
        file.write("{}\n")
    found = journal(folder)
    assert (found.level, found.sentence) == ("error", f"1 line(s) of {folder / NAME} cannot be read")


def test_the_doctor_finds_a_journal_that_cannot_be_read(folder: Path) -> None:
    folder.mkdir()
    (folder / NAME).touch()
    (folder / NAME).chmod(0o222)
    found = journal(folder)
    assert (found.level, found.sentence.startswith("It cannot be read: ")) == ("error", True)
