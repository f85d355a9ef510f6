"""The root secret: a ring of 32-byte roots in one file, and the separate keys derived from each.

The newest root makes, every root verifies, so that a fleet can distribute first and activate then.
Promise: two purposes never share a key (HKDF, RFC 5869, one `info` per purpose).
"""

import os
import re
import secrets
from functools import cached_property
from pathlib import Path

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

ROOT_BYTES = 32
PRIVATE = 0o600
NUMBER_MAX = 255
"""A sealed value names its root in one byte."""

_LINE = re.compile(r"([1-9][0-9]{0,2}) ([0-9a-f]{64})", re.ASCII)


class RootRing:
    """Roots by number; the highest number is the newest."""

    def __init__(self, roots: dict[int, bytes]) -> None:
        """Hold the roots; there must be at least one, each of 32 bytes."""
        sizes = {len(root) for root in roots.values()}
        if sizes != {ROOT_BYTES} or min(roots) < 1 or max(roots) > NUMBER_MAX:
            message = "a root ring needs at least one root, each of 32 bytes, numbered from 1 to 255"
            raise ValueError(message)
        self._roots = dict(roots)
        self._derived: dict[tuple[str, int], bytes] = {}

    @cached_property
    def newest(self) -> int:
        """The number of the root that makes new things."""
        return max(self._roots)

    @cached_property
    def versions(self) -> tuple[int, ...]:
        """Every number in the ring, the newest first."""
        return tuple(sorted(self._roots, reverse=True))

    def derive(self, purpose: str, version: int) -> bytes | None:
        """Return the 32-byte key of one purpose and root, or None when that root is not in the ring."""
        found = self._derived.get((purpose, version))
        if found is None and version in self._roots:
            found = HKDF(SHA256(), ROOT_BYTES, salt=None, info=f"lumio/{purpose}".encode()).derive(
                self._roots[version]
            )
            self._derived[purpose, version] = found
        return found

    def newest_key(self, purpose: str) -> bytes:
        """Return the key of `purpose` under the newest root."""
        key = self.derive(purpose, self.newest)
        if key is None:  # the newest root is in the ring by construction
            raise KeyError(purpose)
        return key


def load(path: Path) -> RootRing:
    """Read the ring, or make one of a single root when the file does not exist yet.

    The file has one line per root: its number, a space, 64 hexadecimal digits.

    Raises:
        ValueError: the file is unreadable as a ring, or other users may read it.
    """
    if not path.exists():
        _create(path)
    if path.stat().st_mode & 0o077:
        message = f"{path} can be read by other users; run: chmod 600 {path}"
        raise ValueError(message)
    roots: dict[int, bytes] = {}
    for line in path.read_text("ascii", "replace").splitlines():
        match = _LINE.fullmatch(line)
        if match is None or int(match.group(1)) in roots:
            message = f"{path} is no ring of roots: each line has a number of its own, a space, 64 hexadecimal digits"
            raise ValueError(message)
        roots[int(match.group(1))] = bytes.fromhex(match.group(2))
    return RootRing(roots)


def _create(path: Path) -> None:
    """Write the first root; two starting processes end with the same file, since `link` never replaces."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE), "w") as file:
        file.write(f"1 {secrets.token_hex(ROOT_BYTES)}\n")
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)  # rows written under a root that a power cut took back could never be checked again
    finally:
        os.close(folder)
