"""The check that every uploaded archive passes before anything of it is kept.

The promise: a gzip'd tar is read once, front to back, in bounded memory; whatever two later readers could
understand differently ends the reading with `Invalid`, and nothing is ever unpacked.

Decided here: one gzip member and nothing after it; two zero blocks end the tar and only zeros follow them;
every name is UTF-8; one GNU long name or pax header of bounded size may stand before an entry; whatever is
neither file nor folder is refused. Archives inside the archive stay closed.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from lumio.extensions.archive_rules import DEFAULT, ArchiveLimits, Refusal, refuse, shown
from lumio.extensions.entry_names import Names
from lumio.extensions.gzip_member import GzipMember
from lumio.extensions.tar_headers import padded, read_entries
from lumio.kernel.errors import FieldError, Invalid

__all__ = ["DEFAULT", "ArchiveLimits", "ArchiveSummary", "check_archive"]


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
    except Refusal as refusal:
        raise Invalid([FieldError(field, refusal.rule, refusal.message)]) from None


def _check(packed: BinaryIO, limits: ArchiveLimits) -> ArchiveSummary:
    if os.fstat(packed.fileno()).st_size > limits.packed:
        refuse("packed", f"The archive is larger than {limits.packed} bytes.")
    stream = GzipMember(packed, limits)
    names = Names(limits)
    entries = files = unpacked = 0
    for path, folder, size in read_entries(stream, limits):
        entries += 1
        if entries > limits.entries:
            refuse("entries", f"The archive has more than {limits.entries} entries.")
        names.add(path, folder=folder)
        files += not folder
        unpacked += size
        if unpacked > limits.unpacked:
            refuse("unpacked", f"With {shown(path)} the files exceed {limits.unpacked} bytes.")
        if not stream.skip(padded(size)):
            refuse("size", f"{shown(path)} claims {size} bytes: the archive has fewer.")
    stream.finish()
    if not files:
        refuse("empty", "The archive holds no file.")
    return ArchiveSummary(entries, unpacked)
