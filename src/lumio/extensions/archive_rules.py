"""The limits of an archive, and how a broken one is refused: with a rule for machines and a sentence for people.

The promise: a sentence shows no more of a hostile name than is safe on a terminal.
"""

import unicodedata
from dataclasses import dataclass
from typing import NoReturn

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class ArchiveLimits:
    """Sizes in bytes; `ratio` is unpacked over packed, looked at from `ratio_from` unpacked bytes on.

    `foreign` is the number of characters in all names with any outside ASCII: folding those is slow.
    """

    packed: int = 50 * MIB
    unpacked: int = 500 * MIB
    entries: int = 20_000
    ratio: int = 200
    ratio_from: int = 16 * MIB
    name: int = 1024
    part: int = 255
    depth: int = 32
    foreign: int = 2 * MIB
    metadata: int = 64 * 1024
    padding: int = 1 * MIB

    @property
    def stream(self) -> int:
        """Bytes of the whole tar: the files, 4 KiB of headers for each entry, the padding at the end."""
        return self.unpacked + 4096 * self.entries + self.padding


DEFAULT = ArchiveLimits()


class Refusal(Exception):
    """Carries rule and sentence up to the one place that knows the field."""

    def __init__(self, rule: str, message: str) -> None:
        self.rule, self.message = rule, message


def refuse(rule: str, message: str) -> NoReturn:
    """End the reading."""
    raise Refusal(rule, message)


def shown(name: str | bytes, longest: int = 80) -> str:
    """A name fit for a sentence: cut, quoted, nothing in it that could move a cursor or turn the text."""
    text = name[: 4 * longest].decode("utf-8", "backslashreplace") if isinstance(name, bytes) else name
    cut = text if len(text) <= longest else text[:longest] + "…"
    return '"' + "".join(map(_plain, cut)) + '"'


def _plain(char: str) -> str:
    if char == '"' or not char.isprintable() or unicodedata.combining(char):
        return f"\\u{ord(char):04x}"
    return char
