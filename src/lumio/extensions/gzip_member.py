"""One gzip member (RFC 1952), unpacked in pieces of bounded size, memory and cost.

The promise: a stream that unpacks to too much, or takes much to say little, ends before it costs anything.
"""

import zlib
from typing import BinaryIO

from lumio.extensions.archive_rules import MIB, ArchiveLimits, refuse

_FEED = 64 * 1024
_PIECE = 256 * 1024


class GzipMember:
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
                refuse("trailing", "Something follows the end mark of the archive.")
            more = self._pull()
        if self._inflate.unused_data or self._packed.read(1):
            refuse("trailing", "Something follows the gzip stream: send one member and no more.")

    def _pull(self) -> bool:
        self._piece, self._at = b"", 0
        while not self._piece and not self._inflate.eof:
            # An empty feed is no end yet: the inflater may still hold output that did not fit the last piece.
            feed = self._inflate.unconsumed_tail or self._read()
            try:
                self._piece = self._inflate.decompress(feed, _PIECE)
            except zlib.error:
                refuse("gzip", "The archive is not a gzip file, or it is damaged.")
            if not (feed or self._piece or self._inflate.eof):
                refuse("truncated", "The gzip stream ends too early.")
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
            refuse("unpacked", f"The archive unpacks to more than {limits.unpacked} bytes.")
        used = self._fed - len(self._inflate.unconsumed_tail)
        if self._made > limits.ratio_from and self._made > limits.ratio * used:
            refuse("ratio", f"The archive unpacks to more than {limits.ratio} times its packed size.")
        # Blocks that cost time and hold nothing: honest gzip never grows its content by more than a trace.
        if used > self._made + self._made // 8 + MIB:
            refuse("ratio", "The gzip stream holds much less than it takes.")
