"""The headers of a tar: ustar and pax (POSIX.1-2017, pax), GNU long names.

The promise: an entry is one that every reader understands alike; links, devices, sparse files and extra
headers that move a name or a size are refused.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from lumio.extensions.archive_rules import ArchiveLimits, refuse, shown
from lumio.extensions.entry_names import checked_path
from lumio.extensions.gzip_member import GzipMember

_BLOCK = 512


def padded(size: int) -> int:
    """Return the bytes that content of `size` bytes takes: whole blocks."""
    return -(-size // _BLOCK) * _BLOCK


@dataclass(frozen=True, slots=True)
class _Header:
    kind: bytes
    name: bytes
    size: int


_FILE, _FOLDER = (b"0", b"\0"), b"5"
_LONG, _PAX, _GLOBAL = b"L", b"x", b"g"
_LINKS, _DEVICES = (b"1", b"2", b"K"), (b"3", b"4", b"6")
_RULES = dict.fromkeys(_LINKS, "link") | dict.fromkeys(_DEVICES, "device") | {b"S": "sparse"}


def read_entries(stream: GzipMember, limits: ArchiveLimits) -> Iterator[tuple[str, bool, int]]:
    """Path, whether it is a folder, and size of each entry; the caller skips the content in between."""
    first = True
    extra: dict[bytes, bytes] | None = None  # what the header before an entry says about it
    while (header := _next_header(stream)) is not None:
        if header.kind == _GLOBAL and first:
            _records(_metadata(stream, header, limits), _GLOBAL_KEYS)
        elif header.kind == _LONG and extra is None:
            extra = {b"path": _metadata(stream, header, limits).removesuffix(b"\0")}
        elif header.kind == _PAX and extra is None:
            extra = _records(_metadata(stream, header, limits), _LOCAL_KEYS)
        elif header.kind in (_GLOBAL, _LONG, _PAX):
            refuse("metadata", f"The extra header {shown(header.name)} is one too many.")
        else:
            yield _entry(header, extra or {}, limits)
            extra = None
        first = False
    if extra is not None:
        refuse("metadata", "The last extra header belongs to no entry.")


def _entry(header: _Header, extra: dict[bytes, bytes], limits: ArchiveLimits) -> tuple[str, bool, int]:
    name = extra.get(b"path", header.name)
    folder = header.kind == _FOLDER
    if not folder and header.kind not in _FILE:
        rule = _RULES.get(header.kind, "type")
        refuse(rule, f"{shown(name)} is neither a file nor a folder, but of type {shown(header.kind)}.")
    size = b"%d" % header.size
    if extra.get(b"size", size) != size or (folder and header.size):
        refuse("size", f"{shown(name)} claims a size that it cannot have.")
    return checked_path(name, limits, folder=folder), folder, header.size


_NUMBER = re.compile(rb" *[0-7]{1,12}[ \0]*")


def _next_header(stream: GzipMember) -> _Header | None:
    block = stream.take(_BLOCK)
    if block == bytes(_BLOCK):
        if stream.take(_BLOCK) == block:
            return None
        refuse("truncated", "The end mark of the archive is incomplete.")
    if len(block) < _BLOCK:
        refuse("truncated", "The archive ends without its end mark.")
    gnu = block[257:265] == b"ustar  \0"
    if not gnu and block[257:263] != b"ustar\0":
        refuse("header", "The content is not a tar archive (ustar, pax or GNU).")
    name = _text(block[:100])
    prefix = block[345:500]
    if gnu:
        # GNU keeps times and sparse maps there, and readers differ on whether it is part of the name.
        if prefix.strip(b"\0"):
            refuse("header", f"{shown(name)} has a header with unknown fields.")
    elif folder_name := _text(prefix if prefix[130] else prefix[:131]):  # star keeps times from 131 on
        name = folder_name + b"/" + name
    sums = block[148:156]
    if not _NUMBER.fullmatch(sums) or int(sums.strip(b" \0"), 8) != sum(block) - sum(sums) + 8 * 32:
        refuse("header", f"The header of {shown(name)} does not match its checksum.")
    if not _NUMBER.fullmatch(block[124:136]):
        refuse("size", f"{shown(name)} has a size that is not an octal number.")
    return _Header(block[156:157], name, int(block[124:136].strip(b" \0"), 8))


def _text(field: bytes) -> bytes:
    text, _, rest = field.partition(b"\0")
    if rest.strip(b"\0"):
        refuse("name", f"The name {shown(field.rstrip(bytes(1)))} holds a NUL.")
    return text


def _metadata(stream: GzipMember, header: _Header, limits: ArchiveLimits) -> bytes:
    if header.size > limits.metadata:
        refuse("metadata", f"The extra header {shown(header.name)} is larger than {limits.metadata} bytes.")
    content = stream.take(padded(header.size))
    if len(content) < header.size:
        refuse("size", f"The extra header {shown(header.name)} is shorter than it claims.")
    return content[: header.size]


# What moves a name, a size or a link elsewhere is missing on purpose: GNU.sparse.*, linkpath, hdrcharset.
_GLOBAL_KEYS = re.compile(rb"comment")
_LOCAL_KEYS = re.compile(
    rb"path|size|[amc]time|[ug]id|[ug]name|comment|SCHILY\.(dev|ino|nlink|fflags|(xattr|acl)\..+)"
    rb"|(LIBARCHIVE|NODETAR)\..+",
    re.DOTALL,
)
_LENGTH = re.compile(rb"([1-9][0-9]{0,6}) ")


def _records(content: bytes, allowed: re.Pattern[bytes]) -> dict[bytes, bytes]:
    """Read the records of "pax Extended Header": length, blank, key, equals sign, value, line end."""
    records: dict[bytes, bytes] = {}
    at = 0
    while at < len(content):
        length = _LENGTH.match(content, at)
        end = at + int(length[1]) if length else 0
        if not length or end <= length.end() or content[end - 1 : end] != b"\n":
            refuse("metadata", "An extra header has a record of a wrong length.")
        key, equals, value = content[length.end() : end - 1].partition(b"=")
        if not equals or key in records or not allowed.fullmatch(key):
            refuse("metadata", f"An extra header has the record {shown(key)}, which is not accepted there.")
        records[key] = value
        at = end
    return records
