"""Our own check of an export: the same promises as the customers' verifier keeps, by the house's own code.

Promise: the first event that is not what was sealed is named by its position, and nothing counts as whole without
a last line that is signed by a key of this installation.
"""

import csv
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any, NoReturn

from lumio.audit.lines import COLUMNS, text_of
from lumio.audit.verdict import Outcome, Verdict
from lumio.crypto.chain import FIELDS, PERSONAL, commitments, leaf, link, unpack
from lumio.crypto.notary import genuine_under
from lumio.kernel import clock

NUMBERS = frozenset({"ts", "last_ts", "count", "position"})
BYTES = frozenset({"salt", "commitments", "leaf", "account_prev", "chain"})
LINE_MAX = 1024 * 1024
"""Bytes of a line: none of ours comes near."""


class _Found(Exception):
    def __init__(self, outcome: Outcome, sentence: str, position: int | None = None) -> None:
        super().__init__(sentence)
        self.verdict = Verdict(outcome, sentence, position)


def check_export(path: Path, public_keys: tuple[str, ...]) -> Verdict:
    """Return what is to be said of a file.

    Args:
        path: an export, NDJSON or CSV.
        public_keys: the keys whose signature counts, 64 hexadecimal digits each.
    """
    try:
        with path.open("rb") as file:
            return _Reading(public_keys).through(iter(lambda: file.readline(LINE_MAX), b""))
    except _Found as found:
        return found.verdict
    except OSError as error:
        return Verdict(Outcome.UNREADABLE, f"{path}: {error.strerror}")


@dataclass(slots=True)
class _Reading:
    """One way through a file: what its lines add up to."""

    keys: tuple[str, ...]
    digest: Any = field(default_factory=sha256)
    count: int = 0
    sealed: int = 0
    first: int = 0
    last: int = 0
    gap: int = 0
    start: bytes = b""
    before: bytes | None = None
    ends: dict[str, bytes] = field(default_factory=dict)

    def through(self, lines: Iterator[bytes]) -> Verdict:
        """Read every line, the last one at last."""
        as_csv, said = False, None
        for line in lines:
            if said is not None:
                raise _Found(Outcome.ALTERED, "Something follows the signed last line.")
            if not line.endswith(b"\n"):
                self._cut_off()
            if line.startswith((b"#", b'{"statement"')):
                said = _decoded(line.lstrip(b"#"), "the last line")
                continue
            self.digest.update(line)
            if not self.count and line.strip() == ",".join(COLUMNS).encode():
                as_csv = True
                continue
            self.count += 1
            self._event(_row(line, self.count, as_csv=as_csv))
        if said is None:
            self._cut_off()
        self._statement(said)
        part = "" if said["complete"] else " It is a part of the log: what its filters or its reader's rights chose."
        if said.get("left_out"):
            part = f" {said['left_out']} more were not sealed yet and are not in it."
        return Verdict(Outcome.INTACT, f"{self.count} events, {self.sealed} of them sealed.{part}")

    def _cut_off(self) -> NoReturn:
        raise _Found(Outcome.INCOMPLETE, f"The signed last line is missing: cut off after {self.count} events.")

    def _event(self, row: Mapping[str, Any]) -> None:
        here = row["position"]
        where = f"Event {self.count}" if here is None else f"Position {here}"
        if row["timestamp"] != clock.rfc3339(clock.from_micros(row["ts"])) or row["actor"] != row["actor_label"]:
            raise _Found(Outcome.ALTERED, f"{where}: time or actor are shown differently from what was sealed.", here)
        if here is None:
            return
        if self.sealed != self.count - 1 or here <= self.last:
            raise _Found(Outcome.ALTERED, f"{where}: out of order.", here)
        mark = leaf(row, _committed(row))
        if mark != row["leaf"]:
            raise _Found(Outcome.ALTERED, f"{where}: the event is not the one that was sealed.", here)
        follows = self.before is not None and here == self.last + 1
        if follows and row["chain"] is not None and row["chain"] != link(self.before or b"", mark):
            raise _Found(Outcome.ALTERED, f"{where}: the chain does not hold.", here)
        self._link(row, mark)
        self.before, self.last, self.sealed = row["chain"], here, self.sealed + 1
        self.first = self.first or here

    def _link(self, row: Mapping[str, Any], mark: bytes) -> None:
        account, previous = row["account_id"], row["account_prev"]
        if account is None:
            return
        self.start = self.start or previous
        if self.ends.get(account, previous) != previous:
            self.gap = self.gap or row["position"]
        self.ends[account] = link(previous, mark)

    def _statement(self, said: Mapping[str, Any]) -> None:
        if not genuine_under(said, self.keys) or said.get("statement") != "export":
            raise _Found(Outcome.ALTERED, "The last line is not signed by a key of this installation.")
        if said["complete"] and self.gap:
            raise _Found(
                Outcome.ALTERED, f"Position {self.gap}: an event of its account before it is missing.", self.gap
            )
        told = {name: said[name] for name in ("sha256", "count", "sealed", "first", "last")}
        counts = {"count": self.count, "sealed": self.sealed, "first": self.first, "last": self.last}
        if told != {"sha256": self.digest.hexdigest(), **counts}:
            raise _Found(Outcome.ALTERED, "These are not the bytes that were signed.")
        if said["complete"] and said["account"] != "all" and self.sealed:
            ends = (self.start.hex(), self.ends.get(said["account"], b"").hex())
            if ends != (said["account_start"], said["account_end"]):
                raise _Found(Outcome.ALTERED, "The account's chain does not begin and end where it was signed to.")


def _row(line: bytes, number: int, *, as_csv: bool) -> dict[str, Any]:
    """Return one event with its numbers and bytes. Raises _Found: it is none."""
    where = f"event {number}"
    try:
        plain = _from_csv(line) if as_csv else _decoded(line, where)
        row = {name: plain[name] for name in COLUMNS}
        return row | {name: None if row[name] is None else bytes.fromhex(row[name]) for name in BYTES}
    except (ValueError, KeyError, TypeError, csv.Error):
        raise _Found(Outcome.UNREADABLE, f"{where.capitalize()} cannot be read.") from None


def _from_csv(line: bytes) -> dict[str, Any]:
    (cells,) = csv.reader([line.decode()])
    texts = dict(zip(COLUMNS, map(text_of, cells), strict=True))
    return {name: int(text) if text and name in NUMBERS else text for name, text in texts.items()}


def _decoded(line: bytes, where: str) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise _Found(Outcome.UNREADABLE, f"{where.capitalize()} cannot be read.")
    return found


def _committed(row: Mapping[str, Any]) -> Mapping[str, bytes | None]:
    """Return what the leaf holds of the personal fields. Raises _Found."""
    event = {name: row[name] for name in FIELDS}
    if row["commitments"] is None and row["salt"] is not None:
        return commitments(event, row["salt"])
    try:
        kept = unpack(row["commitments"] or b"")
    except ValueError:
        kept = {}
    if not kept or any(row[name] is not None for name in PERSONAL):
        sentence = f"Position {row['position']}: erased fields are filled, or nothing is left to prove them by."
        raise _Found(Outcome.ALTERED, sentence, row["position"])
    return kept
