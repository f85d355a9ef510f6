"""Copies of a database file: whole, private, never in the place of something else; what is replaced is kept whole."""

import os
import sqlite3
import stat
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from lumio.storage import copies
from lumio.storage.copies import InUse
from tests.support.restores import operate_here


def made(path: Path, *names: str) -> Path:
    """Make a database of ours, as far as copies look, with rows of these names."""
    with closing(sqlite3.connect(path)) as opened:
        for table in copies.NEEDED:
            opened.execute(f"CREATE TABLE {table} (name TEXT)")
        opened.executemany("INSERT INTO revocation_counter VALUES (?)", [(name,) for name in names])
        opened.commit()
    return path


def names(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as opened:
        return [name for (name,) in opened.execute("SELECT name FROM revocation_counter")]


def write_and_die(path: Path) -> None:
    """Commit a row that is in the file's log alone, and end without tidying up."""
    child = os.fork()
    if child == 0:
        opened = sqlite3.connect(path)
        opened.execute("PRAGMA journal_mode=WAL")
        opened.execute("INSERT INTO revocation_counter VALUES ('late')")
        opened.commit()
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0


@contextmanager
def held(path: Path) -> Iterator[None]:
    """Let another process read the database until the block ends."""
    ready, go = os.pipe(), os.pipe()
    child = os.fork()
    if child == 0:
        opened = sqlite3.connect(path)
        opened.execute("BEGIN")
        opened.execute("SELECT * FROM revocation_counter").fetchall()
        os.write(ready[1], b"1")
        os.read(go[0], 1)
        os._exit(0)
    os.read(ready[0], 1)
    try:
        yield
    finally:
        os.write(go[1], b"1")
        os.waitpid(child, 0)
        for end in (*ready, *go):
            os.close(end)


def test_a_copy_holds_what_was_committed_and_is_its_owner_s_alone(tmp_path: Path) -> None:
    database, copy = made(tmp_path / "lumio.db", "first"), tmp_path / "copy.db"
    write_and_die(database)
    before = os.umask(0)
    try:
        (tmp_path / "copy.db.half").touch(0o666)
        copies.take(database, copy)
    finally:
        os.umask(before)
    assert (names(copy), stat.S_IMODE(copy.stat().st_mode)) == (["first", "late"], 0o600)
    copies.check(copy)
    assert sorted(tmp_path.glob("copy.db*")) == [copy]
    assert copy.read_bytes()[18:20] == b"\1\1", "a header that asks for a log beside it"


def test_a_copy_takes_no_file_s_place_and_of_nothing_there_is_none(tmp_path: Path) -> None:
    database, other = made(tmp_path / "lumio.db"), made(tmp_path / "other.db", "mine")
    with pytest.raises(FileExistsError, match="a file already"):
        copies.take(database, other)
    assert names(other) == ["mine"]
    with pytest.raises(FileNotFoundError, match="there is no database"):
        copies.take(tmp_path / "nothing.db", tmp_path / "copy.db")
    assert sorted(one.name for one in tmp_path.iterdir()) == ["lumio.db", "other.db"]


def test_a_copy_that_fails_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_path: Path) -> None:
        raise OSError(28, "no room")

    database, copy = made(tmp_path / "lumio.db", "now"), made(tmp_path / "copy.db", "then")
    with monkeypatch.context() as full:
        full.setattr(copies, "_sync", fail)
        with pytest.raises(OSError, match="no room"):
            copies.take(database, tmp_path / "new.db")
        with pytest.raises(OSError, match="no room"):
            copies.put_back(copy, database)
    assert not list(tmp_path.glob("*.half"))
    assert not (tmp_path / "new.db").exists()
    assert names(database) == ["now"]


def test_content_and_then_name_are_on_disk_before_anything_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[str] = []
    monkeypatch.setattr(copies, "_sync", lambda path: synced.append(path.name))
    database = made(tmp_path / "lumio.db", "now")
    copies.take(database, tmp_path / "copy.db")
    copies.put_back(tmp_path / "copy.db", database)
    assert synced == ["copy.db.half", tmp_path.name, "lumio.db.half", tmp_path.name]


def test_a_database_that_somebody_reads_is_not_replaced(tmp_path: Path) -> None:
    database, copy = made(tmp_path / "lumio.db", "now"), made(tmp_path / "copy.db", "then")
    with held(database), pytest.raises(InUse, match="stop it first"):
        copies.put_back(copy, database)
    assert names(database) == ["now"]
    assert not list(tmp_path.glob("*.replaced-*"))


def test_what_is_replaced_is_kept_with_its_log_and_that_log_is_not_read_into_the_copy(tmp_path: Path) -> None:
    database, copy = made(tmp_path / "lumio.db", "now"), made(tmp_path / "copy.db", "then")
    write_and_die(database)
    assert (tmp_path / "lumio.db-wal").stat().st_size
    kept = copies.put_back(copy, database)
    assert kept is not None
    assert (names(database), names(kept)) == (["then"], ["now", "late"])
    assert stat.S_IMODE(database.stat().st_mode) == 0o600
    assert copies.put_back(copy, tmp_path / "fresh.db") is None


def missing_root(folder: Path) -> dict[str, str]:
    return {"LUMIO_DATA_DIR": str(folder / "nothing")}


def on_postgresql(folder: Path) -> dict[str, str]:
    root = folder / "root"
    root.touch()
    address = "postgresql://nobody@localhost:1/nothing"
    return {
        "LUMIO_DATA_DIR": str(folder / "data"), "LUMIO_DATABASE_URL": address, "LUMIO_ROOT_SECRET_FILE": str(root),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("verb", "place", "said"),
    [
        ("restore", missing_root, "put it back first"),
        ("restore", on_postgresql, "which has its own tools"),
        ("backup", on_postgresql, "which has its own tools"),
    ],
)
def test_what_cannot_be_copied_or_put_back_is_said_and_touches_nothing(
    tmp_path: Path, verb: str, place: Callable[[Path], dict[str, str]], said: str
) -> None:
    copy = tmp_path / "copy.db"
    if verb == "restore":
        made(copy)
    variables = place(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    done = operate_here(variables, verb, str(copy), *(["--yes"] if verb == "restore" else []))
    assert (done.exit_code, said in done.output) == (1, True), done.output
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("words", [(), ("role:a,b", "--all"), ("key:k1",), ("role:",)], ids=" ".join)
def test_only_what_is_withheld_is_confirmed_and_only_by_name_or_all_of_it(
    tmp_path: Path, words: tuple[str, ...]
) -> None:
    done = operate_here({"LUMIO_DATA_DIR": str(tmp_path / "nothing")}, "revocations", "confirm", *words, "--yes")
    assert (done.exit_code, "error: " in done.output) == (2, True), done.output
