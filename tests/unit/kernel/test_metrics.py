"""Figures: counted exactly, bounded whatever comes, added up over processes, and never older than they look."""

import json
import re
from pathlib import Path

import pytest

from lumio.access.kinds import Kind
from lumio.kernel import clock
from lumio.kernel.board import SILENT_SECONDS, Board
from lumio.kernel.metrics import (
    BATCHES,
    COMMIT_BOUNDS,
    FAMILIES,
    FRESH,
    OUTBOX,
    REQUESTS,
    REST,
    SERIES_MAX,
    UNAVAILABLE,
    Figures,
    Metrics,
)
from tests.house.tree import ROOT


def counted(metrics: Metrics, name: str) -> dict[tuple[str, ...], int]:
    return metrics.figures().counts[name]


def test_what_is_counted_is_told_by_its_labels() -> None:
    metrics = Metrics()
    for status in ("2xx", "2xx", "4xx"):
        metrics.count(REQUESTS, "rest", status, "api_key")
    metrics.count(BATCHES)
    metrics.count(BATCHES, by=4)
    assert counted(metrics, REQUESTS) == {("rest", "2xx", "api_key"): 2, ("rest", "4xx", "api_key"): 1}
    assert counted(metrics, BATCHES) == {(): 5}


def test_a_member_of_an_enumeration_and_its_text_are_one_label() -> None:
    metrics = Metrics()
    for verdict in (Kind.API_KEY, "api_key", Kind.API_KEY):
        metrics.count(UNAVAILABLE, verdict)
    assert counted(metrics, UNAVAILABLE) == {("api_key",): 3}
    assert type(next(iter(counted(metrics, UNAVAILABLE)))[0]) is str


def test_a_family_is_bounded_and_loses_no_count() -> None:
    metrics = Metrics()
    for number in range(3 * SERIES_MAX):
        metrics.count(UNAVAILABLE, f"reason-{number}")
    found = counted(metrics, UNAVAILABLE)
    assert len(found) == SERIES_MAX + 1
    assert found[REST,] == 2 * SERIES_MAX
    assert sum(found.values()) == 3 * SERIES_MAX


@pytest.mark.parametrize(("seconds", "place"), [(0.0, 0), (0.0005, 0), (0.00051, 1), (5.0, 12), (5.1, 13)])
def test_a_span_is_within_the_first_bound_that_it_does_not_pass(seconds: float, place: int) -> None:
    metrics = Metrics()
    metrics.took(seconds)
    spans = metrics.figures().spans
    assert [number for number, count in enumerate(spans.counts) if count] == [place]
    assert spans.up_to() == [0] * place + [1] * (len(COMMIT_BOUNDS) + 1 - place)


def test_a_gauge_that_is_not_known_is_left_out_and_one_of_the_host_is_none_of_a_process() -> None:
    metrics = Metrics()
    metrics.gauge(FRESH, lambda: None)
    assert metrics.figures().gauges == {}
    metrics.gauge(FRESH, lambda: True)
    assert metrics.figures().gauges == {FRESH: 1.0}
    with pytest.raises(ValueError, match="no gauge of a single process"):
        metrics.gauge(OUTBOX, lambda: 1.0)


def some(many: int) -> Metrics:
    metrics = Metrics()
    metrics.count(REQUESTS, "rest", "2xx", "session", by=many)
    metrics.took(0.01 * many)
    metrics.gauge(FRESH, lambda: 1.0)
    return metrics


def test_what_is_read_from_the_board_is_what_was_posted(tmp_path: Path) -> None:
    mine, other = Board(tmp_path, "worker-1"), Board(tmp_path, "worker-2")
    figures = some(3).figures()
    other.post(figures)
    (post,) = mine.others()
    assert (post.process, post.recent, post.figures) == ("worker-2", True, figures)
    assert list(other.others()) == []


def test_a_successor_counts_on_so_that_no_counter_goes_back(tmp_path: Path) -> None:
    Board(tmp_path, "worker-1").post(some(5).figures())
    before, successor = Board(tmp_path, "worker-1").mine(), some(2)
    assert before is not None
    successor.go_on_from(before)
    figures = successor.figures()
    assert figures.counts[REQUESTS] == {("rest", "2xx", "session"): 7}
    assert sum(figures.spans.counts) == 2
    assert figures.spans.total == pytest.approx(0.07)


def test_whoever_fell_silent_is_no_longer_recent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Board(tmp_path, "worker-2").post(some(1).figures())
    now = clock.boottime()
    monkeypatch.setattr(clock, "boottime", lambda: now + SILENT_SECONDS + 0.5)
    (post,) = Board(tmp_path, "worker-1").others()
    assert not post.recent


GOOD = {"pid": 1, "at": 0.0, **some(1).figures().plain()}
TORN = [b"", b"{", b"[]", b"\xff", b"null", json.dumps({**GOOD, "spans": [[1], 2]}).encode()]
TORN += [json.dumps({**GOOD, "counts": [["x"]]}).encode(), json.dumps({"at": 1}).encode()]


@pytest.mark.parametrize("content", TORN)
def test_what_is_torn_on_the_board_is_passed_over(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "worker-2.figures").write_bytes(content)
    Board(tmp_path, "worker-3").post(some(1).figures())
    assert [post.process for post in Board(tmp_path, "worker-1").others()] == ["worker-3"]


def test_a_board_without_a_place_is_no_error(tmp_path: Path) -> None:
    Board(tmp_path / "gone", "worker-1").post(Figures())
    alone = Board(None, "worker-1")
    alone.post(Figures())
    assert (alone.mine(), list(alone.others())) == (None, [])


def test_the_page_about_metrics_names_every_family_and_its_labels() -> None:
    page = (ROOT / "docs" / "how-to" / "metrics.md").read_text("utf-8")
    rows = re.findall(r"^\| `(lumio_\w+)` \| (\w+) \|([^|]*)\|", page, re.MULTILINE)
    told = {name: (form, tuple(re.findall(r"`(\w+)`", labels))) for name, form, labels in rows}
    assert told == {one.name: (one.form, one.labels) for one in FAMILIES.values()}
    assert set(re.findall(r"lumio_\w+", page)) - {f"{one}_bucket" for one in FAMILIES} == set(FAMILIES)
