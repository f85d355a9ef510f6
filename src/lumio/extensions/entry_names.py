"""Names inside an archive: where they may point, and that no two of them meet on any disk.

The promise: every name stays below the root, and two names that a file system could take for one are refused.
"""

import re
import unicodedata
from dataclasses import dataclass, field
from hashlib import blake2b

from lumio.extensions.archive_rules import ArchiveLimits, refuse, shown

# Control characters, line and paragraph separators, and what turns or hides text (Unicode UAX #9, section 2).
_UNSEEN = re.compile("[\0-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]")
_DRIVE = re.compile("[A-Za-z]:")


def checked_path(raw: bytes, limits: ArchiveLimits, *, folder: bool) -> str:
    """The path below the root of the archive, without a leading `./`; the root itself is `.`."""
    try:
        name = raw.decode("utf-8")
    except UnicodeDecodeError:
        refuse("name", f"The name {shown(raw)} is not UTF-8.")
    if not name or _UNSEEN.search(name):
        refuse("name", f"The name {shown(raw)} is empty or holds a control character.")
    path = name.removeprefix("./")
    if name.startswith("/") or "\\" in name or _DRIVE.match(path):
        refuse("path", f"{shown(raw)} is not a relative path with forward slashes.")
    if folder and name in (".", "./"):
        return "."
    path = path.removesuffix("/") if folder else path
    parts = path.split("/")
    if any(part in ("", ".", "..") for part in parts):
        refuse("path", f'{shown(raw)} has an empty, "." or ".." part.')
    if len(raw) > limits.name or any(len(part.encode()) > limits.part for part in parts):
        refuse("name", f"The name {shown(raw)} exceeds {limits.name} bytes, or a part of it {limits.part}.")
    if len(parts) > limits.depth:
        refuse("depth", f"{shown(raw)} has more than {limits.depth} parts.")
    return path


@dataclass(slots=True)
class Names:
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
            refuse("name", f"With {shown(path)} the names outside ASCII are too long taken together.")
        key, spelling = _places(path)
        known = self._taken.get(key, kind + spelling)
        if known[1:] != spelling:
            refuse("collision", f"{shown(path)} differs from another entry in case or Unicode form only.")
        new = key not in self._taken
        if not new and known[:1] + kind not in (b"id", b"ii", b"di"):
            refuse("duplicate", f"{shown(path)} is there twice, or as a file and as a folder.")
        self._implied += new and kind == b"i"
        if self._implied > self.limits.entries:
            refuse("entries", f"The archive needs more than {self.limits.entries} unlisted folders.")
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
