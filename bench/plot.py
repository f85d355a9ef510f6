"""The picture of a record: how every limit was kept, and who answers how often. An SVG written by hand.

Promise: it is read in light and in dark, and without colours: a bar that misses its limit ends before the line, and
says so in words.
"""

from collections.abc import Iterator, Sequence
from html import escape

from bench.figures import Row

LINE, TOP, LABELS, BARS, WIDTH = 20, 70, 560, 360, 1180
WIDEST = 2.0
"""Bars end at twice the limit: there they have an arrow instead of an end."""
STYLE = """
  svg { font: 12px system-ui, sans-serif; background: #ffffff; }
  text { fill: #1d2330; } .quiet { fill: #5b6577; } .title { font-size: 16px; font-weight: 600; }
  .pass { fill: #2e7d4f; } .fail { fill: #c0392b; } .rate { fill: #3c6e9f; }
  .limit { stroke: #1d2330; stroke-width: 1.5; } .spread { stroke: #1d2330; stroke-width: 1; opacity: .7; }
  @media (prefers-color-scheme: dark) {
    svg { background: #14181f; } text { fill: #e6e9ef; } .quiet { fill: #9aa5b8; }
    .pass { fill: #4cb27a; } .fail { fill: #ec7063; } .rate { fill: #6ea6dc; }
    .limit, .spread { stroke: #e6e9ef; }
  }
"""


def drawing(rows: Sequence[Row], title: str, warnings: Sequence[str] = ()) -> str:
    """Return the picture as SVG."""
    limited = [row for row in rows if row.limit is not None]
    rates = [row for row in rows if row.unit == "answers/s"]
    second = TOP + LINE * (len(limited) + 3)
    height = second + LINE * (len(rates) + 1)
    subtitle = " ".join(f"Not final: {warning}" for warning in warnings) or "The line is the limit; longer is better."
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img">',
        f"<title>{escape(title)}</title>",
        f"<style>{STYLE}</style>",
        _text(16, 24, title, "title"),
        _text(16, 44, subtitle, "quiet"),
        *(part for place, row in enumerate(limited) for part in _limited(row, TOP + place * LINE)),
        _line(_at(1.0), TOP - 6, _at(1.0), TOP + LINE * len(limited), "limit") if limited else "",
        _text(16, second - LINE, "Answers a second: the smallest, the middle and the largest of the rounds", "quiet"),
        *(part for part in _rates(rates, second)),
        "</svg>",
    ]
    return "\n".join(filter(None, parts)) + "\n"


def _limited(row: Row, top: int) -> Iterator[str]:
    """Draw how a figure stands to its limit."""
    yield _text(LABELS - 8, top + 12, f"{row.part}: {row.name}", anchor="end")
    if row.spread is None or row.limit is None:
        yield _text(LABELS + 4, top + 12, "not measured", "quiet")
        return
    room = row.limit.room(row.spread.middle)
    yield _bar(top, _at(room), row.verdict)
    ends = sorted(_at(row.limit.room(one)) for one in (row.spread.low, row.spread.high))
    yield _line(ends[0], top + 8, ends[1], top + 8, "spread")
    beyond = " →" if room > WIDEST else ""
    yield _text(LABELS + BARS + 8, top + 12, f"{beyond}{row.spread.middle:.3g} ({row.limit}) {row.verdict}".strip())


def _rates(rows: Sequence[Row], top: int) -> Iterator[str]:
    """Draw rates beside each other, the highest as long as there is room."""
    highest = max((row.spread.high for row in rows if row.spread), default=0.0)
    for place, row in enumerate(rows):
        y = top + place * LINE
        yield _text(LABELS - 8, y + 12, f"{row.part}: {row.name.removesuffix(': rate')}", anchor="end")
        if row.spread is not None and highest > 0:
            low, middle, high = (
                LABELS + BARS * one / highest for one in (row.spread.low, row.spread.middle, row.spread.high)
            )
            yield _bar(y, middle, "rate")
            yield _line(low, y + 8, high, y + 8, "spread")
            yield _text(LABELS + BARS + 8, y + 12, f"{row.spread.middle:,.0f}")


def _at(room: float) -> float:
    """Return where on the picture so much room ends."""
    return LABELS + BARS * min(max(room, 0.0), WIDEST) / WIDEST


def _bar(top: int, end: float, kind: str) -> str:
    width = max(end - LABELS, 1)
    return f'<rect class="{kind}" x="{LABELS}" y="{top + 2}" width="{width:.1f}" height="{LINE - 8}" rx="2"/>'


def _line(left: float, top: float, right: float, bottom: float, kind: str) -> str:
    return f'<line class="{kind}" x1="{left:.1f}" y1="{top:.1f}" x2="{right:.1f}" y2="{bottom:.1f}"/>'


def _text(left: float, top: float, words: str, kind: str = "", anchor: str = "start") -> str:
    style = f' class="{kind}"' if kind else ""
    return f'<text{style} x="{left}" y="{top}" text-anchor="{anchor}">{escape(words)}</text>'
