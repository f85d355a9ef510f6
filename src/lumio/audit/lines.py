"""The lines of an export: the seed's five fields, everything that a leaf is made of, and what proves its place.

Promise: a line says all that its leaf holds, byte for byte, and does nothing to whatever shows it: control
characters, direction overrides and formulas are written out, in a way that can be undone.
"""

import csv
import io
import json
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from lumio.crypto.chain import FIELDS
from lumio.kernel import clock

Row = Mapping[str, Any]
FIRST = ("timestamp", "event", "actor", "ip", "result")
PROOF = ("salt", "commitments", "position", "leaf", "account_prev", "chain")
COLUMNS = (*FIRST, *(name for name in FIELDS if name not in FIRST), *PROOF)
FORMULA = "=+-@\t\r'"
"""What a spreadsheet takes for more than text at a cell's beginning, and the sign that takes it back."""

_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_NAMED = {"\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_ESCAPED = re.compile(r"\\(x[0-9a-f]{2}|u[0-9a-f]{4}|U[0-9a-f]{8}|[nrte\\])")
_SHAPES = ((0xFF, "\\x{:02x}"), (0xFFFF, "\\u{:04x}"), (0x10FFFF, "\\U{:08x}"))
_MEANT = {"n": "\n", "r": "\r", "t": "\t", "e": "", "\\": "\\"}


def record(row: Row) -> dict[str, Any]:
    """Return an event by the names of the columns; bytes as hexadecimal digits."""
    found = {**row, "timestamp": clock.rfc3339(clock.from_micros(row["ts"])), "actor": row["actor_label"]}
    return {name: _plain(found.get(name)) for name in COLUMNS}


def as_ndjson(rows: Iterable[Row]) -> bytes:
    """Return one JSON object a line, in ASCII."""
    return b"".join(json_line(record(row)) for row in rows)


def json_line(value: Mapping[str, Any]) -> bytes:
    """Return one line of JSON in ASCII without control characters."""
    return json.dumps(value, separators=(",", ":")).replace("\x7f", "\\u007f").encode() + b"\n"


def as_csv(rows: Iterable[Row]) -> bytes:
    r"""Return the same as CSV (RFC 4180); an absent value is an empty cell, an empty text is `\e`."""
    return csv_lines([_cell(value) for value in record(row).values()] for row in rows)


def csv_lines(rows: Iterable[Iterable[str]]) -> bytes:
    """Return cells as lines."""
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()


WRITERS: Mapping[str, Callable[[Iterable[Row]], bytes]] = {"ndjson": as_ndjson, "csv": as_csv}
OPENINGS = {"ndjson": b"", "csv": csv_lines([COLUMNS])}
MARKS = {"ndjson": b"", "csv": b"#"}
"""What stands before the signed statement, the last line."""


def text_of(cell: str) -> str | None:
    """Return what a cell of a CSV export stands for."""
    if cell == "":
        return None
    return _ESCAPED.sub(_meant, cell[1:] if cell[0] == "'" else cell)


def _plain(value: Any) -> Any:
    return bytes(value).hex() if isinstance(value, bytes | memoryview) else value


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        return str(value)
    shown = "".join(_shown(sign) for sign in value) if value else "\\e"
    return f"'{shown}" if value[:1] and value[0] in FORMULA else shown


def _shown(sign: str) -> str:
    if sign in _NAMED:
        return _NAMED[sign]
    if unicodedata.category(sign) not in _UNSEEN:
        return sign
    point = ord(sign)
    return next(shape.format(point) for last, shape in _SHAPES if point <= last)


def _meant(found: re.Match[str]) -> str:
    code = found.group(1)
    return _MEANT[code] if len(code) == 1 else chr(int(code[1:], 16))
