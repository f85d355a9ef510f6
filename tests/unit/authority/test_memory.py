"""What a node remembers: nothing that was read before an ending is used after it (I2, I3, I4, I5)."""

import pytest

from lumio.authority import memory as limits
from lumio.authority.memory import Gap, Memory
from lumio.authority.subjects import EVERYTHING, Effect, Entry, Subject
from lumio.kernel import clock
from tests.support.on_paper import ACCOUNT, KEY, entry, loaded, mark

OTHER = Subject("key", "other")


class Time:
    """The monotonic clock, moved by hand."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Time:
    time = Time()
    monkeypatch.setattr(clock, "monotonic", time)
    return time


@pytest.fixture
def memory(time: Time) -> Memory:
    """A node that has read up to number 10."""
    made = Memory()
    made.reset(*mark(10))
    return made


@pytest.mark.parametrize(("stamp", "kept"), [(10, False), (11, True), (12, True)], ids=["below", "at", "above"])
@pytest.mark.parametrize("subject", [KEY, ACCOUNT, EVERYTHING], ids=str)
def test_i4_no_resurrection_a_load_below_a_tombstone_is_not_kept(
    memory: Memory, stamp: int, kept: bool, subject: Subject
) -> None:
    memory.apply([entry(11, subject)])
    assert memory.keep("k", loaded(), stamp) is kept
    assert (memory.get("k") is not None) is kept
    assert memory.changed([KEY, ACCOUNT], stamp) is not kept


def test_i4_no_resurrection_an_ending_drops_what_stands_on_its_subject_and_nothing_else(memory: Memory) -> None:
    assert memory.keep("k", loaded(), 10)
    assert memory.keep("o", loaded(OTHER), 10)
    memory.apply([entry(11, ACCOUNT)])
    assert memory.get("k") is None
    assert memory.get("o") == ("facts", 11)


@pytest.mark.parametrize("effect", ["ended", "changed", "all"])
def test_every_effect_drops_what_it_is_about(memory: Memory, effect: Effect) -> None:
    assert memory.keep("k", loaded(), 10)
    memory.apply([entry(11, KEY, effect)])
    assert memory.get("k") is None


def test_the_end_of_everything_drops_everything(memory: Memory) -> None:
    memory.keep("k", loaded(), 10)
    memory.keep("o", loaded(OTHER), 10)
    memory.apply([entry(11, Subject("all", "*"), "all")])
    assert memory.get("k") is None
    assert memory.get("o") is None
    assert memory.changed([OTHER], 10)
    assert not memory.changed([OTHER], 11)


def test_i4_no_resurrection_an_older_row_never_takes_a_tombstone_s_place(memory: Memory) -> None:
    memory.learn([entry(15)])
    memory.apply([entry(11)])
    assert memory.changed([KEY], 14)
    assert not memory.changed([KEY], 15)


def test_pruning_revives_nothing_what_is_forgotten_by_name_counts_for_everybody(memory: Memory, time: Time) -> None:
    memory.apply([entry(11)])
    time.now += limits.TOMBSTONE_SECONDS
    memory.apply([entry(12, OTHER)])
    assert not memory.keep("k", loaded(), 10), "the load that began before the end"
    assert not memory.keep("x", loaded(Subject("key", "x")), 10), "and any other of its age"
    assert memory.keep("k", loaded(), 11)
    assert memory.keep("x", loaded(Subject("key", "x")), 12)


def test_pruning_goes_no_further_than_the_age_of_a_tombstone(memory: Memory, time: Time) -> None:
    memory.apply([entry(11)])
    time.now += limits.TOMBSTONE_SECONDS - 0.001
    memory.apply([entry(12, OTHER)])
    assert memory.keep("x", loaded(Subject("key", "x")), 10)


def test_i2_completeness_the_cursor_is_where_everything_below_is_applied(memory: Memory) -> None:
    memory.apply([entry(9), entry(10), entry(11), entry(12, OTHER)])
    assert memory.cursor == 12
    assert memory.changed([KEY], 10)
    assert memory.changed([OTHER], 11)


@pytest.mark.parametrize(("rows", "cursor"), [([entry(12)], 10), ([entry(11), entry(13)], 11)])
def test_i2_completeness_the_cursor_stops_before_a_hole_in_the_feed(
    memory: Memory, rows: list[Entry], cursor: int
) -> None:
    with pytest.raises(Gap):
        memory.apply(rows)
    assert memory.cursor == cursor


def test_i3_monotonic_old_rows_move_nothing_back(memory: Memory) -> None:
    memory.apply([entry(11)])
    memory.apply([entry(3, OTHER), entry(10, OTHER)])
    assert memory.cursor == 11
    assert memory.newest == mark(11)


def test_i3_monotonic_a_reset_forgets_everything_and_counts_what_was_stamped_before_as_changed(
    memory: Memory,
) -> None:
    memory.keep("k", loaded(), 10)
    memory.apply([entry(11, OTHER)])
    memory.reset(*mark(40))
    assert memory.get("k") is None
    assert (memory.cursor, memory.newest) == (40, mark(40))
    assert memory.changed([KEY], 39)
    assert not memory.changed([KEY, OTHER], 40)
    assert not memory.keep("k", loaded(), 11)


def test_own_commits_are_known_before_the_feed_brings_them_and_the_cursor_stays(memory: Memory) -> None:
    memory.keep("k", loaded(), 10)
    memory.keep("o", loaded(OTHER), 10)
    memory.learn([entry(13)])
    assert memory.get("k") is None
    assert memory.changed([KEY], 12)
    assert memory.cursor == 10, "others may have committed 11 and 12"
    assert memory.newest == mark(13), "a read that begins now must come from a server that has it"
    memory.apply([entry(11, OTHER), entry(12, ACCOUNT), entry(13)])
    assert memory.get("o") is None
    assert memory.changed([OTHER], 10)
    assert memory.cursor == 13


def test_a_load_after_an_own_commit_includes_it_though_the_cursor_is_behind(memory: Memory) -> None:
    memory.learn([entry(13)])
    assert memory.keep("k", loaded(), memory.newest.seq)
    assert memory.get("k") == ("facts", 13)
    memory.apply([entry(11, OTHER), entry(12, ACCOUNT)])
    assert memory.get("k") is None, "read again, though it has seen 12: that costs a read and breaks nothing"


def test_a_status_whose_subjects_are_not_all_known_is_used_once_and_not_kept(memory: Memory) -> None:
    assert memory.keep("k", loaded(lasting=False), 10)
    assert memory.get("k") is None
    memory.apply([entry(11)])
    assert not memory.keep("k", loaded(lasting=False), 10)


def test_i5_proofs_not_verdicts_what_is_remembered_is_what_was_read_and_what_it_includes(memory: Memory) -> None:
    status = loaded()
    memory.keep("k", status, 10)
    assert memory.get("k") == (status.facts, 10)
    memory.apply([entry(11, OTHER)])
    assert memory.get("k") == (status.facts, 11)


def test_a_status_is_read_again_after_its_time(memory: Memory, time: Time) -> None:
    memory.keep("k", loaded(), 10)
    time.now += limits.STATUS_SECONDS - 0.001
    assert memory.get("k") is not None
    time.now += 0.001
    assert memory.get("k") is None


def test_a_full_memory_forgets_the_oldest_status_and_no_tombstone(
    memory: Memory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "ENTRIES_MAX", 2)
    memory.apply([entry(11)])
    for name in ("a", "b", "c"):
        memory.keep(name, loaded(Subject("key", name)), 11)
    assert [memory.get(name) is None for name in ("a", "b", "c")] == [True, False, False]
    assert not memory.keep("k", loaded(), 10)
