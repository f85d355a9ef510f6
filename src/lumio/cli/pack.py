"""Packs a folder into a tar.gz that depends on its files alone.

Promise: the same files give the same bytes on any machine and day; only plain files inside the folder get in.
"""

import gzip
import hashlib
import io
import os
import stat
import tarfile
import tempfile
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from lumio.cli.errors import CommandError
from lumio.crypto import opaque

PACKED_LIMIT = 50 * 1024 * 1024  # bytes (spec: api, section 2)
UNPACKED_LIMIT = 500 * 1024 * 1024  # bytes, as above
ENTRY_LIMIT = 20_000  # files, as above
_IN_MEMORY = 8 * 1024 * 1024  # bytes of an archive kept off the disk
_LEVEL = 6

ALWAYS_LEFT_OUT = frozenset({".git", ".hg", ".svn", "node_modules", ".DS_Store"})
SOURCE_LEFT_OUT = ALWAYS_LEFT_OUT | {
    ".venv",
    "__pycache__",
    ".cache",
    ".npmrc",
    ".netrc",
    ".pypirc",
    ".lumio-dist",
}
_SAMPLES = frozenset({".env.example", ".env.sample", ".env.template"})


@dataclass(frozen=True, slots=True)
class Archive:
    """A packed folder. `file` is open for reading at its start; sizes are in bytes."""

    file: IO[bytes] = field(repr=False)
    size: int
    sha256: str
    entries: int
    skipped_links: int = 0

    def close(self) -> None:
        """Give the file back."""
        self.file.close()


@dataclass(slots=True)
class _Found:
    files: list[tuple[str, Path]] = field(default_factory=list)
    links: list[str] = field(default_factory=list)


def _is_secret_file(name: str) -> bool:
    return (name == ".env" or name.startswith(".env.")) and name not in _SAMPLES


def _walk(folder: Path, left_out: Collection[str], also: Path | None, *, source: bool) -> Iterator[os.DirEntry[str]]:
    with os.scandir(folder) as listing:
        entries = sorted(listing, key=lambda entry: entry.name)
    for entry in entries:
        if entry.name in left_out or (also is not None and Path(entry.path).absolute() == also):
            continue
        if source and _is_secret_file(entry.name):
            continue
        if entry.is_dir(follow_symlinks=False):
            yield from _walk(Path(entry.path), left_out, also, source=source)
        else:
            yield entry


def _collect(folder: Path, also: Path | None, *, source: bool) -> _Found:
    found = _Found()
    for entry in _walk(folder, SOURCE_LEFT_OUT if source else ALWAYS_LEFT_OUT, also, source=source):
        name = Path(entry.path).relative_to(folder).as_posix()
        if entry.is_symlink():
            found.links.append(name)
        elif entry.is_file(follow_symlinks=False):
            found.files.append((name, Path(entry.path)))
        elif not source:
            what = f"{name} is neither a file nor a folder"
            raise CommandError(what, "an archive carries plain files only", "Remove it", code="unpackable")
    found.files.sort(key=lambda pair: pair[0].encode("utf-8", "surrogateescape"))
    return found


def _entry(name: str, status: os.stat_result) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.size = status.st_size
    member.mode = 0o755 if status.st_mode & stat.S_IXUSR else 0o644
    return member


def _check_name(name: str) -> None:
    try:
        name.encode("utf-8")
    except UnicodeEncodeError as error:
        what = f"The file name {name!r} cannot be packed"
        raise CommandError(what, "it is not UTF-8", "Rename the file", code="unpackable") from error
    if "\\" in name or not name.isprintable():
        what = f"The file name {name!r} cannot be packed"
        raise CommandError(what, "it has a backslash or a control character", "Rename the file", code="unpackable")


def _refuse_keys(name: str, content: bytes) -> None:
    """Refuse a file that has a whole, well-formed key in it: publishing would give the key to everybody."""
    for found in opaque.MASKABLE.finditer(content.decode("ascii", "replace")) if b"lm_" in content else ():
        if opaque.is_well_formed(found.group()):
            raise CommandError(
                f"{name} has a key in it ({found.group()[: opaque.PREFIX_LENGTH]}…)",
                "everything that is deployed can be read by others",
                "Take it out of the file, and revoke it if the file was ever shared",
                code="key_in_files",
            )


def _mib(size: int) -> str:
    return f"{size // 2**20} MiB"


def _limit(what: str, why: str) -> CommandError:
    return CommandError(what, why, "Leave out what the extension does not need at run time", code="too_large")


def _add(archive: tarfile.TarFile, name: str, path: Path) -> int:
    _check_name(name)
    try:
        member = _entry(name, path.stat())
        if member.size > UNPACKED_LIMIT:
            raise _limit(f"{name} is too large", f"all files unpacked: at most {_mib(UNPACKED_LIMIT)}")
        content = path.read_bytes()
    except OSError as error:
        what = f"{name} cannot be read"
        raise CommandError(what, error.strerror or "the system refused", code="unpackable") from error
    member.size = len(content)
    _refuse_keys(name, content)
    archive.addfile(member, io.BytesIO(content))
    return len(content)


def _fill(target: IO[bytes], found: _Found) -> None:
    unpacked = 0
    with (
        gzip.GzipFile(filename="", mode="wb", compresslevel=_LEVEL, fileobj=target, mtime=0) as squeezed,
        tarfile.open(fileobj=squeezed, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        for name, path in found.files:
            unpacked += _add(archive, name, path)
            if unpacked > UNPACKED_LIMIT:
                raise _limit("The folder is too large", f"unpacked: at most {_mib(UNPACKED_LIMIT)}")
            if target.tell() > PACKED_LIMIT:
                raise _limit("The archive is too large", f"packed: at most {_mib(PACKED_LIMIT)}")


def pack(folder: Path, *, source: bool = False, without: Path | None = None) -> Archive:
    """Pack every plain file below `folder`, sorted by name, without times and owners.

    `source` also leaves out caches and files that hold secrets by custom (`.env`, `.npmrc` …) and steps over
    links. A built folder with links in it is refused: something would be missing from it later. `without` is
    one more path to leave out. Raises CommandError for what cannot be packed and for the server's limits.
    """
    found = _collect(folder, None if without is None else without.absolute(), source=source)
    if found.links and not source:
        what = f"{found.links[0]} is a link"
        raise CommandError(what, "an archive carries plain files only", "Put a copy in its place", code="unpackable")
    if len(found.files) > ENTRY_LIMIT:
        raise _limit(f"The folder has {len(found.files)} files", f"at most {ENTRY_LIMIT} are accepted")
    target = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115 - the caller reads it
    try:
        _fill(target, found)
        size = target.tell()
        if size > PACKED_LIMIT:
            raise _limit("The archive is too large", f"packed: at most {_mib(PACKED_LIMIT)}")
        target.seek(0)
        digest = hashlib.file_digest(target, "sha256").hexdigest()
        target.seek(0)
    except BaseException:
        target.close()
        raise
    return Archive(target, size, digest, len(found.files), len(found.links))
