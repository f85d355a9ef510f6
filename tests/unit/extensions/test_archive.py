"""An archive is accepted as it is or refused with the rule it breaks, in bounded time and memory."""

import io
import json
import subprocess
import sys
import tarfile
import unicodedata
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import lumio
from lumio.extensions.archive import DEFAULT, ArchiveLimits, ArchiveSummary, check_archive
from lumio.kernel.errors import Invalid
from tests.support.archives import END, GNU, HOSTILE, MIB, entry, header, long_name, pax, write_gzip

pytestmark = pytest.mark.xdist_group("hostile-archives")  # each is packed once

_LETTERS = st.characters(codec="utf-8", categories=["L", "N", "S"])
_PARTS = st.text(_LETTERS, min_size=1, max_size=20)
_PATHS = st.lists(_PARTS, min_size=1, max_size=6).map("/".join)
_TREES = st.dictionaries(_PATHS, st.binary(max_size=2000), min_size=1, max_size=12)


def _fold(name: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", name).casefold())


def _without_collisions(tree: dict[str, bytes]) -> dict[str, bytes]:
    """Drop what folds onto another name, or lies where a file is: what stays could be any honest build."""
    spellings: dict[str, str] = {}
    files: set[str] = set()
    kept = {}
    for name, content in tree.items():
        ups = [name[:at] for at, letter in enumerate(name) if letter == "/"]
        clear = all(spellings.get(_fold(up), up) == up and up not in files for up in ups)
        if clear and _fold(name) not in spellings:
            spellings |= {_fold(place): place for place in (*ups, name)}
            files.add(name)
            kept[name] = content
    return kept


def _refusal(path: Path, limits: ArchiveLimits = DEFAULT) -> tuple[str, str, str]:
    with pytest.raises(Invalid) as caught:
        check_archive(path, limits)
    (error,) = caught.value.fields
    return error.field, error.rule, error.message


@settings(max_examples=120, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    tree=_TREES.map(_without_collisions),
    form=st.sampled_from([tarfile.PAX_FORMAT, tarfile.GNU_FORMAT]),
    dotted=st.booleans(),
    folders=st.booleans(),
)
def test_every_honest_tree_is_accepted_and_counted_exactly(
    tmp_path: Path, tree: dict[str, bytes], form: int, dotted: bool, folders: bool
) -> None:
    listed = {up for name in tree for up in _above(name)} if folders else set()
    lead = "./" if dotted else ""
    with tarfile.open(tmp_path / "a.tgz", "w:gz", format=form) as archive:
        for place in sorted(listed):
            folder = tarfile.TarInfo(lead + place)
            folder.type = tarfile.DIRTYPE
            archive.addfile(folder)
        for name, content in tree.items():
            file = tarfile.TarInfo(lead + name)
            file.size = len(content)
            archive.addfile(file, io.BytesIO(content))
    expected = ArchiveSummary(len(tree) + len(listed), sum(map(len, tree.values())))
    assert check_archive(tmp_path / "a.tgz") == expected


def _above(name: str) -> list[str]:
    return [name[:at] for at, letter in enumerate(name) if letter == "/"]


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_archive_is_refused_with_its_rule_and_the_entry_named(tmp_path: Path, kind: str) -> None:
    hostile = HOSTILE[kind]
    hostile.write(tmp_path / "a.tgz")
    field, rule, message = _refusal(tmp_path / "a.tgz")
    assert (field, rule) == ("bundle", hostile.rule), message
    assert hostile.says in message
    assert message.isprintable()
    assert len(message) < 1000


def test_hostile_archives_cost_at_most_two_seconds_and_32_mib_each(tmp_path: Path) -> None:
    if not Path("/proc/self/status").exists():
        pytest.skip("the peak of resident memory is read from /proc")
    for number, hostile in enumerate(HOSTILE.values()):
        hostile.write(tmp_path / f"{number}.tgz")
    ran = subprocess.run(
        [sys.executable, "-c", _MEASURE, str(tmp_path)],
        env={"PYTHONPATH": str(Path(lumio.__file__).parents[1])},
        capture_output=True,
        text=True,
        check=True,
        timeout=100,
    )
    measured = json.loads(ran.stdout)
    assert measured["refused"] == len(HOSTILE)
    assert measured["longest"] < 2.0, measured
    assert measured["grown_kib"] < 32 * 1024, measured


_MEASURE = """
import json, sys, time
from pathlib import Path
from lumio.extensions.archive import check_archive
from lumio.kernel.errors import Invalid

def peak():
    return int(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0])

before, refused, longest = peak(), 0, [0.0, ""]
for path in sorted(Path(sys.argv[1]).glob("*.tgz")):
    start = time.perf_counter()
    try:
        check_archive(path)
    except Invalid:
        refused += 1
    longest = max(longest, [time.perf_counter() - start, path.name])
print(json.dumps({"refused": refused, "longest": longest[0], "at": longest[1], "grown_kib": peak() - before}))
"""


def test_the_caller_names_the_field(tmp_path: Path) -> None:
    HOSTILE["symbolic link"].write(tmp_path / "a.tgz")
    with pytest.raises(Invalid) as caught:
        check_archive(tmp_path / "a.tgz", field="source")
    assert [error.field for error in caught.value.fields] == ["source"]


def test_a_long_name_is_cut_in_the_sentence(tmp_path: Path) -> None:
    write_gzip(tmp_path / "a.tgz", [long_name(b"n" * 60_000), entry("n", magic=GNU), END])
    _, rule, message = _refusal(tmp_path / "a.tgz")
    assert rule == "name"
    assert len(message) < 200


@pytest.mark.parametrize("extra", [b"", pax(b"comment", b"a commit", b"g")])
@pytest.mark.parametrize("end", [END, bytes(10_240), bytes(MIB)])
def test_what_common_writers_add_is_accepted(tmp_path: Path, extra: bytes, end: bytes) -> None:
    parts = [
        extra,
        entry("./", b"", b"5"),
        pax(b"LIBARCHIVE.xattr.note", b"\0\1") + entry("./a.js", b"abc", b"\0"),
        pax(b"size", b"3") + entry("./b.js", b"abc"),
        entry("c.js", b"abc", prefix=(b"dist".ljust(131, b"\0") + b"14712345670 ")),
        entry("dist", b"", b"5"),
    ]
    write_gzip(tmp_path / "a.tgz", [*parts, end])
    assert check_archive(tmp_path / "a.tgz") == ArchiveSummary(entries=5, unpacked=9)


def test_exactly_the_limits_pass_and_one_more_does_not(tmp_path: Path) -> None:
    limits = ArchiveLimits(entries=3, unpacked=30, depth=2, name=5)
    three = [entry("a/1", b"x" * 10), entry("b/2", b"x" * 10), entry("c/345", b"x" * 10)]
    write_gzip(tmp_path / "a.tgz", [*three, END])
    assert check_archive(tmp_path / "a.tgz", limits) == ArchiveSummary(3, 30)
    over: dict[str, list[bytes]] = {
        "entries": [*three, entry("d", b"")],
        "unpacked": [*three[:2], entry("d", b"x" * 11)],
        "depth": [entry("a/b/c")],
        "name": [entry("a/3456")],
    }
    for rule, parts in over.items():
        write_gzip(tmp_path / "a.tgz", [*parts, END])
        assert _refusal(tmp_path / "a.tgz", limits)[1] == rule


def test_the_stream_is_bounded_even_when_no_file_is_large(tmp_path: Path) -> None:
    limits = ArchiveLimits(unpacked=MIB, entries=100, ratio=10_000)
    pieces = (pax(b"comment", b"x" * 60_000) + entry(str(number)) for number in range(100))
    write_gzip(tmp_path / "a.tgz", [*pieces, END])
    assert _refusal(tmp_path / "a.tgz", limits)[1] == "unpacked"


def test_the_packed_size_may_be_the_limit_but_not_more(tmp_path: Path) -> None:
    write_gzip(tmp_path / "a.tgz", [entry("a"), END])
    size = (tmp_path / "a.tgz").stat().st_size
    assert check_archive(tmp_path / "a.tgz", ArchiveLimits(packed=size)).entries == 1
    assert _refusal(tmp_path / "a.tgz", ArchiveLimits(packed=size - 1))[1] == "packed"


@pytest.mark.parametrize("kind", ["w:gz", "w"])
def test_a_real_writer_with_a_link_is_refused(tmp_path: Path, kind: Literal["w:gz", "w"]) -> None:
    (tmp_path / "link").symlink_to("/etc/passwd")
    with tarfile.open(tmp_path / "a.tgz", kind) as archive:
        archive.add(tmp_path / "link", "link")
    assert _refusal(tmp_path / "a.tgz")[1] == ("link" if kind == "w:gz" else "gzip")


def test_checking_writes_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "deeper"
    folder.mkdir(parents=True)
    for number, hostile in enumerate(HOSTILE.values()):
        if number % 7 == 0:
            hostile.write(folder / "a.tgz")
            with pytest.raises(Invalid):
                check_archive(folder / "a.tgz")
    assert sorted(tmp_path.rglob("*")) == [tmp_path / "deep", folder, folder / "a.tgz"]


def test_a_header_of_the_makers_is_what_the_standard_library_reads() -> None:
    assert tarfile.TarInfo.frombuf(header("a/b", 7), "utf-8", "strict").size == 7
