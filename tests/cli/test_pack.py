"""Archives that depend on nothing but the files, and hold nothing but files."""

import io
import os
import tarfile
from contextlib import closing
from pathlib import Path

import pytest
import time_machine
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lumio.cli import pack as packing
from lumio.cli.errors import CommandError
from lumio.cli.pack import Archive, pack
from tests.support.terminal import new_key


def _tree(folder: Path, files: dict[str, bytes]) -> Path:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


def _bytes(archive: Archive) -> bytes:
    with closing(archive):
        return archive.file.read()


def _members(archive: Archive) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(_bytes(archive)), mode="r:gz") as opened:
        return {each.name: opened.extractfile(each).read() for each in opened}  # type: ignore[union-attr]


def test_times_owners_and_the_order_of_making_leave_no_trace(tmp_path: Path) -> None:
    files = {"b.js": b"2", "a/z.css": b"3", "a.html": b"1"}
    first = _tree(tmp_path / "first", files)
    second = _tree(tmp_path / "second", dict(reversed(files.items())))
    for path in second.rglob("*"):
        os.utime(path, (1, 1))
        if path.is_file():
            path.chmod(0o600)
    one = pack(first)
    with time_machine.travel("2031-01-01", tick=False):
        two = pack(second)
    assert _bytes(one) == _bytes(two)
    assert one.sha256 == two.sha256


def test_another_content_or_name_is_another_archive(tmp_path: Path) -> None:
    archives = [
        pack(_tree(tmp_path / str(number), files))
        for number, files in enumerate([{"a": b"1"}, {"a": b"2"}, {"b": b"1"}, {"a": b"1", "b": b""}])
    ]
    assert len({_bytes(each) for each in archives}) == len({each.sha256 for each in archives}) == 4


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    files=st.dictionaries(
        st.text(st.characters(categories=["Ll", "Lu", "Nd"]), min_size=1, max_size=40),
        st.binary(max_size=200),
        max_size=6,
    )
)
def test_what_is_packed_is_what_was_there(tmp_path_factory: pytest.TempPathFactory, files: dict[str, bytes]) -> None:
    folder = tmp_path_factory.mktemp("tree")
    names: dict[str, bytes] = {}
    for name, content in files.items():
        (folder / name).write_bytes(content)
        names[name] = content
    archive = pack(folder)
    assert _members(archive) == names
    assert archive.entries == len(names)


def test_git_and_node_modules_stay_at_home(tmp_path: Path) -> None:
    _tree(
        tmp_path,
        {"main.js": b"", ".git/config": b"", "node_modules/x/index.js": b"", "lib/node_modules/y.js": b""},
    )
    assert list(_members(pack(tmp_path))) == ["main.js"]


def test_the_source_leaves_out_the_build_caches_and_secret_files(tmp_path: Path) -> None:
    kept = {"src/main.ts": b"", "lumio.config.json": b"{}", ".env.example": b""}
    left = [
        ".env",
        ".env.local",
        ".npmrc",
        ".lumio-dist/main.js",
        "out/main.js",
        ".venv/x",
        "__pycache__/y.pyc",
    ]
    _tree(tmp_path, kept | dict.fromkeys(left, b"x"))
    assert set(_members(pack(tmp_path, source=True, without=tmp_path / "out"))) == set(kept)


def test_a_link_in_the_build_is_refused_and_in_the_source_stepped_over(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(b"not yours")
    folder = _tree(tmp_path / "tree", {"main.js": b""})
    (folder / "link.txt").symlink_to(secret)
    (folder / "folder").symlink_to(tmp_path)
    with pytest.raises(CommandError, match="is a link"):
        pack(folder)
    archive = pack(folder, source=True)
    assert list(_members(archive)) == ["main.js"]
    assert archive.skipped_links == 2


def test_a_pipe_in_the_build_is_refused_without_waiting_for_it(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(CommandError, match="neither a file nor a folder"):
        pack(tmp_path)


@pytest.mark.parametrize("name", [b"bad-\xff", b"back\\slash", b"new\nline"])
def test_a_name_that_the_server_would_refuse_is_refused_here(tmp_path: Path, name: bytes) -> None:
    (Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name))).write_bytes(b"")
    with pytest.raises(CommandError, match="cannot be packed"):
        pack(tmp_path)


def test_a_file_with_a_key_in_it_is_not_packed_and_the_key_not_shown(tmp_path: Path) -> None:
    key = new_key()
    _tree(tmp_path, {"js/app.js": b"const key = '" + key.encode() + b"'"})
    with pytest.raises(CommandError) as caught:
        pack(tmp_path)
    assert "js/app.js" in str(caught.value)
    assert key not in str(caught.value)


def test_what_only_looks_like_a_key_is_packed(tmp_path: Path) -> None:
    key = new_key()
    wrong = key[:-1] + ("A" if key[-1] != "A" else "B")
    assert _members(pack(_tree(tmp_path, {"readme": wrong.encode()}))) == {"readme": wrong.encode()}


def test_the_limits_of_the_server_are_kept_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _tree(tmp_path, {f"{number}": os.urandom(2000) for number in range(5)})
    assert len(_members(pack(tmp_path))) == 5
    for name, limit in (("ENTRY_LIMIT", 4), ("UNPACKED_LIMIT", 9_999), ("PACKED_LIMIT", 9_999)):
        with monkeypatch.context() as patched:
            patched.setattr(packing, name, limit)
            with pytest.raises(CommandError) as caught:
                pack(tmp_path)
            assert caught.value.code == "too_large"


def test_a_program_stays_a_program(tmp_path: Path) -> None:
    _tree(tmp_path, {"run": b"", "text": b""})
    (tmp_path / "run").chmod(0o711)
    with tarfile.open(fileobj=io.BytesIO(_bytes(pack(tmp_path))), mode="r:gz") as opened:
        assert {each.name: each.mode for each in opened} == {"run": 0o755, "text": 0o644}
