"""Makers of archives, honest and hostile, byte by byte: no library between a test and the trick it plays.

The promise: `HOSTILE` names every kind of archive that must be refused, with the rule that refuses it.
"""

import gzip
import io
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import repeat
from pathlib import Path

POSIX = b"ustar\x0000"
GNU = b"ustar  \0"
END = bytes(1024)
MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Hostile:
    """`rule` is what refuses it, `says` a part of the sentence, `write` puts the archive at a path."""

    rule: str
    says: str
    write: Callable[[Path], None]


def header(
    name: bytes | str,
    size: int | bytes = 0,
    kind: bytes = b"0",
    *,
    prefix: bytes = b"",
    magic: bytes = POSIX,
    checksum: bytes | None = None,
) -> bytes:
    """One tar header of 512 bytes; `size` as bytes goes in as it is, and so does `checksum`."""
    raw = name.encode() if isinstance(name, str) else name
    octal = size if isinstance(size, bytes) else b"%011o\0" % size
    start = raw.ljust(100, b"\0") + b"0000644\0" + bytes(16) + octal.ljust(12, b"\0") + bytes(12)
    rest = kind + bytes(100) + magic + bytes(80) + prefix.ljust(155, b"\0") + bytes(12)
    total = sum(start) + sum(rest) + 8 * 32
    return start + (checksum or b"%06o\0 " % total) + rest


def padded(content: bytes) -> bytes:
    """Content filled up with zeros to whole blocks."""
    return content + bytes(-len(content) % 512)


def entry(name: bytes | str, content: bytes = b"x", kind: bytes = b"0", **fields: bytes) -> bytes:
    """A header and its content."""
    return header(name, len(content), kind, **fields) + padded(content)


def record(key: bytes, value: bytes) -> bytes:
    """One pax record; its length counts its own digits."""
    body = b" " + key + b"=" + value + b"\n"
    length = len(body)
    while len(b"%d" % length) + len(body) != length:
        length = len(b"%d" % length) + len(body)
    return b"%d" % length + body


def pax(key: bytes, value: bytes, kind: bytes = b"x") -> bytes:
    """An extra header with one record."""
    return entry("PaxHeader", record(key, value), kind)


def long_name(name: bytes, kind: bytes = b"L") -> bytes:
    """A GNU long name, or a long link target with kind K."""
    return entry("././@LongLink", name + b"\0", kind, magic=GNU)


def _packed(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Pack pieces as they come: a bomb never stands in memory."""
    packer = zlib.compressobj(6, wbits=31)
    yield from map(packer.compress, pieces)
    yield packer.flush()


def write_gzip(path: Path, pieces: Iterable[bytes]) -> None:
    """Write pieces as one gzip."""
    with path.open("wb") as file:
        file.writelines(_packed(pieces))


def _tar(rule: str, says: str, *parts: bytes) -> Hostile:
    """An archive of these parts with a proper end."""
    return _stream(rule, says, lambda: iter((*parts, END)))


def _stream(rule: str, says: str, pieces: Callable[[], Iterable[bytes]]) -> Hostile:
    """An archive of these pieces, packed once a process: half a gigabyte is a second of work, and half a MiB then."""
    packed = cache(lambda: b"".join(_packed(pieces())))

    def write(path: Path) -> None:
        path.write_bytes(packed())

    return Hostile(rule, says, write)


def _raw(rule: str, says: str, content: Callable[[], bytes]) -> Hostile:
    def write(path: Path) -> None:
        path.write_bytes(content())

    return Hostile(rule, says, write)


def _honest() -> bytes:
    return gzip.compress(entry("index.html", bytes(range(256)) * 40) + END)


def _broken() -> bytes:
    packed = bytearray(_honest())
    packed[-6] ^= 1
    return bytes(packed)


def _zip() -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("../evil.html", "x")
    return target.getvalue()


def _zeros() -> Iterator[bytes]:
    yield header("zeros.bin", 499 * MIB)
    yield from repeat(bytes(MIB), 499)
    yield END


def _unlisted() -> Iterator[bytes]:
    for number in range(2_000):
        yield pax(b"path", "/".join(f"{number}.{level}" for level in range(16)).encode()) + entry("a")


def _slow() -> Iterator[bytes]:
    """Combining marks in the order that costs most to sort (Unicode 15, section 3.11)."""
    marks = "/".join([("\u0301" * 60 + "\u0323" * 60)] * 4)
    for number in range(20_000):
        yield pax(b"path", f"{marks}{number}".encode()) + entry("a", b"")


def _hollow() -> bytes:
    """Forty-nine MiB of empty stored blocks (RFC 1951, section 3.2.4): time for nothing."""
    return b"\x1f\x8b\x08" + bytes(7) + b"\0\0\0\xff\xff" * (49 * MIB // 5)


def _large(path: Path) -> None:
    with path.open("wb") as packed:
        packed.truncate(50 * MIB + 1)


_DEEP = "/".join(["d"] * 32) + "/f"

HOSTILE: dict[str, Hostile] = {
    "absolute path": _tar("path", '"/etc/passwd" is not a relative path', entry("/etc/passwd")),
    "absolute prefix": _tar("path", '"/etc/passwd"', entry("passwd", prefix=b"/etc")),
    "parent folder": _tar("path", '"../evil"', entry("../evil")),
    "parent folder inside": _tar("path", '"a/../../evil"', entry("a/../../evil")),
    "parent folder by pax": _tar("path", '"../evil"', pax(b"path", b"../evil"), entry("good")),
    "parent folder by long name": _tar("path", '"../evil"', long_name(b"../evil"), entry("good", magic=GNU)),
    "parent folder after a dot": _tar("path", '"./../evil"', entry("./../evil")),
    "folder that is a parent": _tar("path", '"../"', entry("../", b"", b"5")),
    "backslash": _tar("path", r'"a\..\evil"', entry("a\\..\\evil")),
    "drive letter": _tar("path", '"C:evil"', entry("C:evil")),
    "drive letter after a dot": _tar("path", '"./C:/evil"', entry("./C:/evil")),
    "empty part": _tar("path", '"a//b"', entry("a//b")),
    "file named like a folder": _tar("path", '"a/"', entry("a/")),
    "empty name": _tar("name", '""', entry("")),
    "empty name by pax": _tar("name", '""', pax(b"path", b""), entry("good")),
    "NUL in a name": _tar("name", r'"good\u0000evil"', entry(b"good\0evil")),
    "NUL in a pax name": _tar("name", r'"good\u0000evil"', pax(b"path", b"good\0evil"), entry("good")),
    "control character": _tar("name", r'"\u001b[2Jgone"', entry("\x1b[2Jgone")),
    "text that turns round": _tar("name", r"\u202e", entry("gpj.\u202eexe")),
    "not UTF-8": _tar("name", r"\xff", entry(b"\xff\xfe")),
    "name of 1025 bytes": _tar("name", "exceeds", pax(b"path", b"/".join([b"n" * 204] * 5) + b"n"), entry("n")),
    "part of 256 bytes": _tar("name", "exceeds", long_name(b"n" * 256), entry("n", magic=GNU)),
    "33 levels": _tar("depth", '"d/d/', entry(_DEEP)),
    "symbolic link": _tar("link", '"a"', entry("a", b"", b"2")),
    "hard link": _tar("link", '"a"', entry("a", b"", b"1")),
    "long link": _tar("link", "LongLink", long_name(b"../evil", b"K"), entry("a", b"", b"2")),
    "link by pax": _tar("metadata", '"linkpath"', pax(b"linkpath", b"/etc/passwd"), entry("a")),
    "character device": _tar("device", '"null"', entry("null", b"", b"3")),
    "block device": _tar("device", '"sda"', entry("sda", b"", b"4")),
    "fifo": _tar("device", '"pipe"', entry("pipe", b"", b"6")),
    "sparse file": _tar("sparse", '"holes"', entry("holes", b"", b"S", magic=GNU)),
    "sparse map by pax": _tar("metadata", "GNU.sparse", pax(b"GNU.sparse.realsize", b"9"), entry("a")),
    "sparse fields of GNU": _tar("header", '"a"', entry("a", prefix=b"7" * 80, magic=GNU)),
    "unknown type": _tar("type", '"a"', entry("a", b"", b"Z")),
    "duplicate": _tar("duplicate", '"a"', entry("a"), entry("b"), entry("a")),
    "duplicate after a dot": _tar("duplicate", '"a"', entry("a"), entry("./a")),
    "folder listed twice": _tar("duplicate", '"a"', entry("a/", b"", b"5"), entry("a", b"", b"5")),
    "file below a file": _tar("duplicate", '"a"', entry("a"), entry("a/b/c")),
    "file in place of a folder": _tar("duplicate", '"a"', entry("a/b"), entry("a")),
    "case collision": _tar("collision", '"readme"', entry("README"), entry("readme")),
    "sharp s collision": _tar("collision", '"gross"', entry("groß"), entry("gross")),
    "case collision of folders": _tar("collision", '"a"', entry("A/x"), entry("a/y")),
    "Unicode collision": _tar("collision", r'"e\u0301"', entry("\u00e9"), entry("e\u0301")),
    "order of marks collision": _tar("collision", "form", entry("\u03b1\u0345\u0301"), entry("\u03b1\u0301\u0345")),
    "lying size": _stream("size", "999999", lambda: iter((header("liar", 999_999), bytes(1024)))),
    "size past the limit": _stream("unpacked", '"huge"', lambda: iter((header("huge", 8**11 - 1), b"x"))),
    "size in another base": _tar("size", '"a"', header("a", b"\x80" + bytes(10) + b"\1") + bytes(512)),
    "size below zero": _tar("size", '"a"', header("a", b"-1\0") + bytes(512)),
    "size by pax": _tar("size", '"a"', pax(b"size", b"9999999999"), entry("a")),
    "folder with content": _tar("size", '"a"', entry("a", b"x", b"5")),
    "extra header claims a gigabyte": _stream(
        "metadata", "PaxHeader", lambda: iter((header("PaxHeader", 1024 * MIB, b"x"), END))
    ),
    "extra header of a gigabyte": _stream(
        "metadata", "@LongLink", lambda: (header("@LongLink", 1024 * MIB, b"L"), *repeat(bytes(MIB), 64))
    ),
    "extra header cut short": _stream("size", "PaxHeader", lambda: iter((header("PaxHeader", 9999, b"x"), END))),
    "extra headers without end": _stream("metadata", "PaxHeader", lambda: repeat(pax(b"comment", b"x"), 90_000)),
    "long name over pax": _tar("metadata", "one too many", pax(b"path", b"a"), long_name(b"b"), entry("c")),
    "extra header for nothing": _tar("metadata", "no entry", entry("a"), pax(b"path", b"b")),
    "name for all entries": _tar("metadata", '"path"', pax(b"path", b"a", b"g"), entry("b")),
    "global header later": _tar("metadata", "PaxHeader", entry("b"), pax(b"comment", b"x", b"g"), entry("c")),
    "other character set": _tar("metadata", "hdrcharset", pax(b"hdrcharset", b"BINARY"), entry("b")),
    "record of a wrong length": _tar("metadata", "length", entry("P", b"99 path=a\n", b"x"), entry("b")),
    "record of a huge length": _tar("metadata", "length", entry("P", b"9" * 60_000, b"x"), entry("b")),
    "record given twice": _tar("metadata", '"path"', entry("P", record(b"path", b"a") * 2, b"x"), entry("b")),
    "wrong checksum": _tar("header", '"a"', entry("a", checksum=b"000001\0 ")),
    "no tar inside": _tar("header", "not a tar", b"hello" * 200),
    "30,000 entries": _stream("entries", "20000 entries", lambda: (entry(f"{n}.js") for n in range(30_000))),
    "30,000 folders unlisted": _stream("entries", "unlisted", _unlisted),
    "20,000 names slow to fold": _stream("name", "taken together", _slow),
    "half a gigabyte of zeros": _stream("ratio", "200 times", _zeros),
    "half a gigabyte after the end": _stream("trailing", "end mark", lambda: (entry("a"), *repeat(bytes(MIB), 500))),
    "nothing but an end": _tar("empty", "no file", b""),
    "folders only": _tar("empty", "no file", entry("a/", b"", b"5")),
    "no end mark": _stream("truncated", "end mark", lambda: iter((entry("a"),))),
    "half an end mark": _stream("truncated", "incomplete", lambda: iter((entry("a"), bytes(512), entry("b"), END))),
    "entry after the end": _tar("trailing", "end mark", entry("a"), END, entry("b")),
    "empty file": _raw("truncated", "too early", lambda: b""),
    "plain text": _raw("gzip", "not a gzip", lambda: b"<!doctype html>" * 99),
    "zip": _raw("gzip", "not a gzip", _zip),
    "tar without gzip": _raw("gzip", "not a gzip", lambda: entry("a") + END),
    "half a gzip": _raw("truncated", "too early", lambda: _honest()[:60]),
    "gzip without its trailer": _raw("truncated", "too early", lambda: _honest()[:-8]),
    "gzip with a wrong checksum": _raw("gzip", "damaged", _broken),
    "bytes after the gzip": _raw("trailing", "one member", lambda: _honest() + b"\0"),
    "second gzip member": _raw("trailing", "one member", lambda: _honest() * 2),
    "blocks that hold nothing": _raw("ratio", "less than it takes", _hollow),
    "51 MiB": Hostile("packed", "larger than", _large),
}
