"""One run's record: as lines for the terminal, as Markdown, as JSON, and as a picture beside them.

Promise: what was not measured, or on a machine that was not quiet, says so where it is read.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path

from bench.figures import Row
from bench.plot import drawing

SMALL = 0.1
COLUMNS = ("what", "unit", "min", "median", "max", "limit", "verdict", "note")


@dataclass(slots=True)
class Record:
    """What a run came to. `warnings` say why its figures are not final; none of them means that they are."""

    date: str
    facts: Mapping[str, str]
    rows: list[Row] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def summary(self) -> str:
        """Return how many limits were kept, missed and not measured."""
        verdicts = [row.verdict for row in self.rows]
        parts = [f"{verdicts.count(one)} × {one}" for one in ("pass", "fail", "not measured")]
        return f"{', '.join(parts)}; {len(verdicts)} rows"

    def markdown(self) -> str:
        """Return the whole record."""
        warned = [f"> **Not final:** {warning}" for warning in self.warnings]
        known = [f"* {name}: {value}" for name, value in self.facts.items()]
        limited = [row for row in self.rows if row.limit is not None or row.spread is None]
        lines = [f"# Bench, {self.date}", "", *_spaced(warned), self.summary(), "", f"![limits]({self.date}.svg)", ""]
        lines += [*known, "", "## Limits", "", *_table(limited)]
        for part, rows in groupby(self.rows, key=lambda row: row.part):
            lines += ["", f"## {part}", "", *_table(list(rows))]
        return "\n".join([*lines, ""])

    def write(self, folder: Path) -> Path:
        """Write the record as three files named by the date; return the one to read."""
        folder.mkdir(parents=True, exist_ok=True)
        known = {"date": self.date, "warnings": self.warnings, "facts": dict(self.facts)}
        plain = known | {"rows": [row.plain() for row in self.rows]}
        (folder / f"{self.date}.json").write_text(json.dumps(plain, indent=1, ensure_ascii=False) + "\n")
        (folder / f"{self.date}.svg").write_text(drawing(self.rows, f"Bench, {self.date}", self.warnings))
        readable = folder / f"{self.date}.md"
        readable.write_text(self.markdown())
        return readable


def line(row: Row) -> str:
    """Return a row for the terminal."""
    figure = "not measured" if row.spread is None else " / ".join(map(shown, _figures(row)))
    unit = "" if row.unit in {"", "ratio"} else f" {row.unit}"
    limit = "" if row.limit is None else f"  {row.limit}  {row.verdict.upper()}"
    note = f"  ({row.note})" if row.note else ""
    return f"  {row.name}: {figure}{unit}{limit}{note}"


def shown(figure: float) -> str:
    """Return a figure with the digits that count; a count has none behind the point."""
    if figure == int(figure):
        return f"{figure:,.0f}"
    before = len(str(int(abs(figure))))
    return f"{figure:,.{3 if abs(figure) < SMALL else max(0, 3 - before)}f}"


def _figures(row: Row) -> Sequence[float]:
    return () if row.spread is None else (row.spread.low, row.spread.middle, row.spread.high)


def _table(rows: Sequence[Row]) -> Iterator[str]:
    yield f"| {' | '.join(COLUMNS)} |"
    yield f"|{'|'.join('---:' if name in {'min', 'median', 'max'} else '---' for name in COLUMNS)}|"
    for row in rows:
        figures = [shown(one) for one in _figures(row)] or ["", "", ""]
        limit = "" if row.limit is None else str(row.limit)
        cells = [row.name, row.unit, *figures, limit, row.verdict, row.note]
        yield f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |"


def _spaced(lines: Sequence[str]) -> Sequence[str]:
    return [part for line in lines for part in (line, "")]
