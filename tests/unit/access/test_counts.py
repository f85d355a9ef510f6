"""Counts in a window, alone and together: the same answers, bounded memory, no count lost to a full table."""

import multiprocessing
from pathlib import Path

import pytest

from lumio.access import counts
from lumio.access.counts import Counts, OwnCounts, SharedCounts


def worker(folder: Path, number: int) -> SharedCounts:
    """The counts of one of two workers."""
    return SharedCounts(folder / str(number), [folder / str(3 - number)])


@pytest.fixture(params=["own", "shared"])
def made(request: pytest.FixtureRequest, tmp_path: Path) -> Counts:
    return OwnCounts() if request.param == "own" else worker(tmp_path, 1)


def test_a_name_counts_up_in_its_window_and_begins_anew_in_the_next(made: Counts) -> None:
    assert [made.add("192.0.2.1", 0) for _ in range(3)] == [1, 2, 3]
    assert made.add("192.0.2.2", 0) == 1
    assert [made.add("192.0.2.1", 1) for _ in range(2)] == [1, 2]
    assert made.add("192.0.2.2", 1) == 1


def test_two_workers_count_as_one_and_a_successor_goes_on(tmp_path: Path) -> None:
    one, other = worker(tmp_path, 1), worker(tmp_path, 2)
    assert [each.add("192.0.2.1", 7) for each in (one, other, one, other)] == [1, 2, 3, 4]
    one.forget()
    assert worker(tmp_path, 1).add("192.0.2.1", 7) == 5
    assert other.add("192.0.2.1", 8) == 1


def test_a_full_table_shares_counts_and_never_loses_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counts, "SLOTS", 4)
    table = worker(tmp_path, 1)
    last = [table.add(f"192.0.2.{number}", 7) for number in range(50)]
    assert max(last) > 10
    places = [counts._SLOT.unpack_from(table._own._memory, place * counts._SLOT.size) for place in range(4)]
    assert sum(count for _, _, count in places) == 50
    assert table.add("192.0.2.1", 8) == 1


def _raise(folder: Path, number: int, times: int) -> None:
    mine = worker(folder, number)
    for _ in range(times):
        mine.add("192.0.2.1", 7)


def test_what_two_processes_raise_at_the_same_instant_is_exact(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    both = [context.Process(target=_raise, args=(tmp_path, number, 5_000)) for number in (1, 2)]
    for process in both:
        process.start()
    for process in both:
        process.join()
    assert worker(tmp_path, 1).add("192.0.2.1", 7) == 10_001


def test_memory_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counts, "NAMES_MAX", 100)
    own, shared = OwnCounts(), worker(tmp_path, 1)
    for number in range(1000):
        own.add(str(number), 3)
        shared.add(str(number), 3)
    assert len(own._counts) == 100
    assert (tmp_path / "1").stat().st_size == counts.SLOTS * 16
