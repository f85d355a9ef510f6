"""The record of a run: what people and programs read of it."""

import json
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from bench.figures import Row, Spread, at_least, at_most, missing
from bench.plot import drawing
from bench.record import Record, line, shown

KEPT = Row("verify", "SQLite: of bare", "ratio", Spread(0.5, 0.65, 0.7), at_least(0.6))
MISSED = Row("verify", "p99 <&> against bare", "ratio", Spread(2, 4, 5), at_most(3), "a | b")
RATE = Row("verify", "bare answer: rate", "answers/s", Spread(9000, 10000, 11000))
ABSENT = missing("peers", "better-auth, memory", "there is no npm on this machine")
ROWS = [KEPT, MISSED, RATE, ABSENT]


def record(*warnings: str) -> Record:
    return Record("2026-11-25", {"Python": "3.11"}, ROWS, list(warnings))


def test_the_terminal_shows_figure_limit_and_verdict() -> None:
    assert line(KEPT) == "  SQLite: of bare: 0.50 / 0.65 / 0.70  ≥ 0.6  PASS"
    assert line(ABSENT) == "  better-auth, memory: not measured  (there is no npm on this machine)"


@pytest.mark.parametrize(
    ("figure", "text"),
    [
        (0, "0"),
        (0.6543, "0.65"),
        (0.0123, "0.012"),
        (20.0, "20"),
        (12.34, "12.3"),
        (123.4, "123"),
        (12345.6, "12,346"),
    ],
)
def test_a_figure_has_the_digits_that_count(figure: float, text: str) -> None:
    assert shown(figure) == text


def test_the_table_names_every_row_also_those_that_were_not_measured() -> None:
    text = record().markdown()
    assert "1 × pass, 1 × fail, 1 × not measured; 4 rows" in text
    assert "| SQLite: of bare | ratio | 0.50 | 0.65 | 0.70 | ≥ 0.6 | pass |  |" in text
    assert "not measured | there is no npm on this machine |" in text
    assert "a / b" in text  # a bar would end the cell
    assert "Not final" not in text


def test_figures_of_a_busy_machine_say_so_in_text_picture_and_json(tmp_path: Path) -> None:
    readable = record("others used 40%").write(tmp_path)
    assert "> **Not final:** others used 40%" in readable.read_text()
    assert "Not final: others used 40%" in readable.with_suffix(".svg").read_text()
    plain = json.loads(readable.with_suffix(".json").read_text())
    assert plain["warnings"] == ["others used 40%"]
    assert [row["verdict"] for row in plain["rows"]] == ["pass", "fail", "", "not measured"]
    assert plain["rows"][0]["figure"] == {"min": 0.5, "median": 0.65, "max": 0.7}


def test_the_picture_ends_a_missed_bar_before_the_limit_and_a_kept_one_behind_it() -> None:
    picture = ET.fromstring(drawing(ROWS, "Bench"))  # noqa: S314 - of our own making
    space = "{http://www.w3.org/2000/svg}"
    bars = list(picture.iter(f"{space}rect"))
    ends = {bar.get("class", ""): float(bar.get("x", 0)) + float(bar.get("width", 0)) for bar in bars}
    limit = next(float(one.get("x1", 0)) for one in picture.iter(f"{space}line") if one.get("class") == "limit")
    assert ends["fail"] < limit < ends["pass"]
    words = " ".join(one.text or "" for one in picture.iter(f"{space}text"))
    assert "0.65 (≥ 0.6) pass" in words
    assert "4 (≤ 3) fail" in words
    assert "p99 <&> against bare" in words


def test_the_picture_is_read_in_the_dark_and_needs_nothing_from_elsewhere() -> None:
    text = drawing(ROWS, "Bench")
    assert "prefers-color-scheme: dark" in text
    assert text.count("http") == 1  # the name of SVG's own space
