"""The check that every uploaded archive passes before anything of it is kept.

The promise: a gzip'd tar is read once, front to back, in bounded memory; whatever two later readers could
understand differently ends the reading with `Invalid`, and nothing is ever unpacked.

Decided here: one gzip member and nothing after it; two zero blocks end the tar and only zeros follow them;
every name is UTF-8; one GNU long name or pax header of bounded size may stand before an entry; whatever is
neither file nor folder is refused. Archives inside the archive stay closed.
"""

import os
import re
import unicodedata
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import BinaryIO, NoReturn

from lumio.kernel.errors import FieldError, Invalid

_MIB = 1024 * 1024
_BLOCK = 512
_FEED = 64 * 1024
_PIECE = 256 * 1024


@dataclass(frozen=True, slots=True)
class ArchiveLimits:
    """Sizes in bytes; `ratio` is unpacked over packed, looked at from `ratio_from` unpacked bytes on.

    `foreign` is the number of characters in all names with any outside ASCII: folding those is slow.
    """

    packed: int = 50 * _MIB
    unpacked: int = 500 * _MIB
    entries: int = 20_000
    ratio: int = 200
    ratio_from: int = 16 * _MIB
    name: int = 1024
    part: int = 255
    depth: int = 32
    foreign: int = 2 * _MIB
    metadata: int = 64 * 1024
    padding: int = 1 * _MIB

    @property
    def stream(self) -> int:
        """Bytes of the whole tar: the files, 4 KiB of headers for each entry, the padding at the end."""
        return self.unpacked + 4096 * self.entries + self.padding


DEFAULT = ArchiveLimits()


@dataclass(frozen=True, slots=True)
class ArchiveSummary:
    """`entries` counts files and folders as listed; `unpacked` is the bytes of all files together."""

    entries: int
    unpacked: int


def check_archive(path: Path, limits: ArchiveLimits = DEFAULT, field: str = "bundle") -> ArchiveSummary:
    """Read the archive at `path` to its end; blocking, so call it in a thread.

    Raises `Invalid` with one error for `field` at the first broken rule. Formats: gzip (RFC 1952), ustar and
    pax (POSIX.1-2017, pax, "ustar Interchange Format" and "pax Extended Header"), GNU long names.
    """
    try:
        with path.open("rb") as packed:
            return _check(packed, limits)
    except _Refusal as refusal:
        raise Invalid([FieldError(field, refusal.rule, refusal.message)]) from None


def _check(packed: BinaryIO, limits: ArchiveLimits) -> ArchiveSummary:
    if os.fstat(packed.fileno()).st_size > limits.packed:
        _refuse("packed", f"The archive is larger than {limits.packed} bytes.")
    stream = _Unpacked(packed, limits)
    names = _Names(limits)
    entries = files = unpacked = 0
    for path, folder, size in _entries(stream, limits):
        entries += 1
        if entries > limits.entries:
            _refuse("entries", f"The archive has more than {limits.entries} entries.")
        names.add(path, folder=folder)
        files += not folder
        unpacked += size
        if unpacked > limits.unpacked:
            _refuse("unpacked", f"With {_shown(path)} the files exceed {limits.unpacked} bytes.")
        if not stream.skip(_padded(size)):
            _refuse("size", f"{_shown(path)} claims {size} bytes: the archive has fewer.")
    stream.finish()
    if not files:
        _refuse("empty", "The archive holds no file.")
    return ArchiveSummary(entries, unpacked)


class _Refusal(Exception):
    """Carries rule and sentence up to the one place that knows the field."""

    def __init__(self, rule: str, message: str) -> None:
        self.rule, self.message = rule, message


def _refuse(rule: str, message: str) -> NoReturn:
    raise _Refusal(rule, message)


def _shown(name: str | bytes, longest: int = 80) -> str:
    """A name fit for a sentence: cut, quoted, nothing in it that could move a cursor or turn the text."""
    text = name[: 4 * longest].decode("utf-8", "backslashreplace") if isinstance(name, bytes) else name
    cut = text if len(text) <= longest else text[:longest] + "…"
    return '"' + "".join(map(_plain, cut)) + '"'


def _plain(char: str) -> str:
    if char == '"' or not char.isprintable() or unicodedata.combining(char):
        return f"\\u{ord(char):04x}"
    return char


def _padded(size: int) -> int:
    return -(-size // _BLOCK) * _BLOCK


class _Unpacked:
    """The stream inside one gzip member, pulled in pieces of bounded size and cost."""

    def __init__(self, packed: BinaryIO, limits: ArchiveLimits) -> None:
        self._packed = packed
        self._limits = limits
        self._inflate = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
        self._piece = b""
        self._at = 0
        self._fed = 0
        self._made = 0

    def take(self, size: int) -> bytes:
        """The next `size` bytes, fewer only at the end of the member; `size` is small."""
        taken = b""
        while len(taken) < size and (self._at < len(self._piece) or self._pull()):
            part = self._piece[self._at : self._at + size - len(taken)]
            self._at += len(part)
            taken += part
        return taken

    def skip(self, size: int) -> bool:
        """Pass over `size` bytes; false when the member ends before that."""
        while size > len(self._piece) - self._at:
            size -= len(self._piece) - self._at
            if not self._pull():
                return False
        self._at += size
        return True

    def finish(self) -> None:
        """Make sure that nothing but zeros is left, that the checksum holds, and that the file ends here."""
        padding = 0
        more = True
        while more:
            rest = self._piece[self._at :]
            padding += len(rest)
            if rest.strip(b"\0") or padding > self._limits.padding:
                _refuse("trailing", "Something follows the end mark of the archive.")
            more = self._pull()
        if self._inflate.unused_data or self._packed.read(1):
            _refuse("trailing", "Something follows the gzip stream: send one member and no more.")

    def _pull(self) -> bool:
        self._piece, self._at = b"", 0
        while not self._piece and not self._inflate.eof:
            # An empty feed is no end yet: the inflater may still hold output that did not fit the last piece.
            feed = self._inflate.unconsumed_tail or self._read()
            try:
                self._piece = self._inflate.decompress(feed, _PIECE)
            except zlib.error:
                _refuse("gzip", "The archive is not a gzip file, or it is damaged.")
            if not (feed or self._piece or self._inflate.eof):
                _refuse("truncated", "The gzip stream ends too early.")
            self._count()
        return bool(self._piece)

    def _read(self) -> bytes:
        feed = self._packed.read(_FEED)
        self._fed += len(feed)
        return feed

    def _count(self) -> None:
        limits = self._limits
        self._made += len(self._piece)
        if self._made > limits.stream:
            _refuse("unpacked", f"The archive unpacks to more than {limits.unpacked} bytes.")
        used = self._fed - len(self._inflate.unconsumed_tail)
        if self._made > limits.ratio_from and self._made > limits.ratio * used:
            _refuse("ratio", f"The archive unpacks to more than {limits.ratio} times its packed size.")
        # Blocks that cost time and hold nothing: honest gzip never grows its content by more than a trace.
        if used > self._made + self._made // 8 + _MIB:
            _refuse("ratio", "The gzip stream holds much less than it takes.")


@dataclass(frozen=True, slots=True)
class _Header:
    kind: bytes
    name: bytes
    size: int


_FILE, _FOLDER = (b"0", b"\0"), b"5"
_LONG, _PAX, _GLOBAL = b"L", b"x", b"g"
_LINKS, _DEVICES = (b"1", b"2", b"K"), (b"3", b"4", b"6")
_RULES = dict.fromkeys(_LINKS, "link") | dict.fromkeys(_DEVICES, "device") | {b"S": "sparse"}


def _entries(stream: _Unpacked, limits: ArchiveLimits) -> Iterator[tuple[str, bool, int]]:
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
            _refuse("metadata", f"The extra header {_shown(header.name)} is one too many.")
        else:
            yield _entry(header, extra or {}, limits)
            extra = None
        first = False
    if extra is not None:
        _refuse("metadata", "The last extra header belongs to no entry.")


def _entry(header: _Header, extra: dict[bytes, bytes], limits: ArchiveLimits) -> tuple[str, bool, int]:
    name = extra.get(b"path", header.name)
    folder = header.kind == _FOLDER
    if not folder and header.kind not in _FILE:
        rule = _RULES.get(header.kind, "type")
        _refuse(rule, f"{_shown(name)} is neither a file nor a folder, but of type {_shown(header.kind)}.")
    size = b"%d" % header.size
    if extra.get(b"size", size) != size or (folder and header.size):
        _refuse("size", f"{_shown(name)} claims a size that it cannot have.")
    return _checked_path(name, limits, folder=folder), folder, header.size


_NUMBER = re.compile(rb" *[0-7]{1,12}[ \0]*")


def _next_header(stream: _Unpacked) -> _Header | None:
    block = stream.take(_BLOCK)
    if block == bytes(_BLOCK):
        if stream.take(_BLOCK) == block:
            return None
        _refuse("truncated", "The end mark of the archive is incomplete.")
    if len(block) < _BLOCK:
        _refuse("truncated", "The archive ends without its end mark.")
    gnu = block[257:265] == b"ustar  \0"
    if not gnu and block[257:263] != b"ustar\0":
        _refuse("header", "The content is not a tar archive (ustar, pax or GNU).")
    name = _text(block[:100])
    prefix = block[345:500]
    if gnu:
        # GNU keeps times and sparse maps there, and readers differ on whether it is part of the name.
        if prefix.strip(b"\0"):
            _refuse("header", f"{_shown(name)} has a header with unknown fields.")
    elif folder_name := _text(prefix if prefix[130] else prefix[:131]):  # star keeps times from 131 on
        name = folder_name + b"/" + name
    sums = block[148:156]
    if not _NUMBER.fullmatch(sums) or int(sums.strip(b" \0"), 8) != sum(block) - sum(sums) + 8 * 32:
        _refuse("header", f"The header of {_shown(name)} does not match its checksum.")
    if not _NUMBER.fullmatch(block[124:136]):
        _refuse("size", f"{_shown(name)} has a size that is not an octal number.")
    return _Header(block[156:157], name, int(block[124:136].strip(b" \0"), 8))


def _text(field: bytes) -> bytes:
    text, _, rest = field.partition(b"\0")
    if rest.strip(b"\0"):
        _refuse("name", f"The name {_shown(field.rstrip(bytes(1)))} holds a NUL.")
    return text


def _metadata(stream: _Unpacked, header: _Header, limits: ArchiveLimits) -> bytes:
    if header.size > limits.metadata:
        _refuse("metadata", f"The extra header {_shown(header.name)} is larger than {limits.metadata} bytes.")
    content = stream.take(_padded(header.size))
    if len(content) < header.size:
        _refuse("size", f"The extra header {_shown(header.name)} is shorter than it claims.")
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
            _refuse("metadata", "An extra header has a record of a wrong length.")
        key, equals, value = content[length.end() : end - 1].partition(b"=")
        if not equals or key in records or not allowed.fullmatch(key):
            _refuse("metadata", f"An extra header has the record {_shown(key)}, which is not accepted there.")
        records[key] = value
        at = end
    return records


# Control characters, line and paragraph separators, and what turns or hides text (Unicode UAX #9, section 2).
_UNSEEN = re.compile("[\0-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]")
_DRIVE = re.compile("[A-Za-z]:")


def _checked_path(raw: bytes, limits: ArchiveLimits, *, folder: bool) -> str:
    """The path below the root of the archive, without a leading `./`; the root itself is `.`."""
    try:
        name = raw.decode("utf-8")
    except UnicodeDecodeError:
        _refuse("name", f"The name {_shown(raw)} is not UTF-8.")
    if not name or _UNSEEN.search(name):
        _refuse("name", f"The name {_shown(raw)} is empty or holds a control character.")
    path = name.removeprefix("./")
    if name.startswith("/") or "\\" in name or _DRIVE.match(path):
        _refuse("path", f"{_shown(raw)} is not a relative path with forward slashes.")
    if folder and name in (".", "./"):
        return "."
    path = path.removesuffix("/") if folder else path
    parts = path.split("/")
    if any(part in ("", ".", "..") for part in parts):
        _refuse("path", f'{_shown(raw)} has an empty, "." or ".." part.')
    if len(raw) > limits.name or any(len(part.encode()) > limits.part for part in parts):
        _refuse("name", f"The name {_shown(raw)} exceeds {limits.name} bytes, or a part of it {limits.part}.")
    if len(parts) > limits.depth:
        _refuse("depth", f"{_shown(raw)} has more than {limits.depth} parts.")
    return path


@dataclass(slots=True)
class _Names:
    """Every place taken so far, as digests of the name folded by case and Unicode form.

    Digests keep the memory small whatever the length of the names. The folders on the way to an entry take
    their places too, at most as many as there may be entries.
    """

    limits: ArchiveLimits
    _taken: dict[bytes, bytes] = field(default_factory=dict)
    _implied: int = 0
    _foreign: int = 0

    def add(self, path: str, *, folder: bool) -> None:
        """Take the place of an entry; a folder may be listed after what lies in it."""
        new = self._take(path, b"d" if folder else b"f")
        while new and (path := path.rpartition("/")[0]):
            new = self._take(path, b"i")

    def _take(self, path: str, kind: bytes) -> bool:
        """Mark a file, a directory or an implied directory; false when it and all above it are known."""
        self._foreign += 0 if path.isascii() else len(path)
        if self._foreign > self.limits.foreign:
            _refuse("name", f"With {_shown(path)} the names outside ASCII are too long taken together.")
        key, spelling = _places(path)
        known = self._taken.get(key, kind + spelling)
        if known[1:] != spelling:
            _refuse("collision", f"{_shown(path)} differs from another entry in case or Unicode form only.")
        new = key not in self._taken
        if not new and known[:1] + kind not in (b"id", b"ii", b"di"):
            _refuse("duplicate", f"{_shown(path)} is there twice, or as a file and as a folder.")
        self._implied += new and kind == b"i"
        if self._implied > self.limits.entries:
            _refuse("entries", f"The archive needs more than {self.limits.entries} unlisted folders.")
        self._taken[key] = (known[:1] if kind == b"i" else kind) + spelling
        return new


def _places(path: str) -> tuple[bytes, bytes]:
    """The place of a name however it is spelled (Unicode 15, section 3.13, D145), and of this spelling."""
    folded = path.lower()
    if not path.isascii():
        folded = unicodedata.normalize("NFC", unicodedata.normalize("NFD", path).casefold())
    return _digest(folded), _digest(path)


def _digest(text: str) -> bytes:
    return blake2b(text.encode("utf-8"), digest_size=16).digest()
