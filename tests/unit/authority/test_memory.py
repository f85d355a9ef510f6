"""What a node remembers (I2, I4, I5): no status outlives the ending of anything that it stands on."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lumio.authority import memory as module
from lumio.authority.interface import Loaded
from lumio.authority.memory import Gap, Memory
from lumio.authority.subjects import EVERYTHING, Effect, Ending, Entry, Subject
from lumio.kernel import clock

KEY, ROLE, OTHER = Subject("key", "k"), Subject("role", "a,u"), Subject("key", "other")
LOADED = Loaded("facts", (KEY, ROLE))


def row(seq: int, subject: Subject = KEY, effect: Effect = "ended") -> Entry:
    return Entry(seq, Ending(subject, effect, "robin", "revoked"), clock.now())


@pytest.mark.parametrize("effect", ["ended", "changed"])
@pytest.mark.parametrize("subject", [KEY, ROLE])
def test_i4_an_ending_drops_what_stands_on_it(subject: Subject, effect: Effect) -> None:
    memory = Memory()
    assert memory.keep("k", LOADED, 0)
    memory.apply([row(1, OTHER)])
    assert memory.get("k") == ("facts", 1)
    memory.apply([row(2, subject, effect)])
    assert memory.get("k") is None


@pytest.mark.parametrize(("ticket", "kept"), [(0, False), (1, False), (2, True), (3, True)])
def test_i4_a_load_is_kept_only_when_it_includes_every_ending_of_its_subjects(ticket: int, kept: bool) -> None:
    memory = Memory()
    memory.apply([row(1, OTHER), row(2), row(3, OTHER)])
    assert memory.keep("k", LOADED, ticket) is kept
    assert (memory.get("k") is not None) is kept


def test_i4_everything_ends_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    memory = Memory()
    memory.keep("k", LOADED, 0)
    memory.apply([row(1, EVERYTHING, "all")])
    assert memory.get("k") is None
    assert not memory.keep("k", LOADED, 0)
    assert memory.changed((OTHER,), 0)
    assert memory.keep("k", LOADED, 1)


def test_i2_a_hole_in_the_feed_is_no_knowledge() -> None:
    memory = Memory()
    memory.apply([row(1)])
    with pytest.raises(Gap):
        memory.apply([row(3)])
    assert memory.cursor == 1


def test_i4_what_this_node_committed_counts_before_the_feed_brings_it() -> None:
    memory = Memory()
    memory.keep("k", LOADED, 0)
    memory.learn([row(5)])
    assert (memory.get("k"), memory.cursor) == (None, 0)
    assert not memory.keep("k", LOADED, 4)
    assert memory.keep("k", LOADED, 5)


def test_i4_what_is_forgotten_by_name_counts_for_everybody(monkeypatch: pytest.MonkeyPatch) -> None:
    moment = [1000.0]
    monkeypatch.setattr(clock, "monotonic", lambda: moment[0])
    memory = Memory()
    memory.apply([row(1)])
    moment[0] += module.TOMBSTONE_SECONDS + 1
    memory.apply([row(2, OTHER)])
    assert memory.changed((ROLE,), 0)
    assert not memory.keep("k", LOADED, 0)
    assert memory.keep("k", LOADED, 2)


def test_i3_another_database_makes_everything_known_before_worthless() -> None:
    memory = Memory()
    memory.apply([row(1, OTHER), row(2, OTHER)])
    memory.keep("k", LOADED, 2)
    memory.reset(7, clock.now())
    assert memory.get("k") is None
    assert memory.changed((KEY,), 6)
    assert not memory.changed((KEY,), 7)


def test_what_is_not_whole_is_used_once_and_never_kept() -> None:
    memory = Memory()
    assert memory.keep("k", Loaded("facts", (KEY,), lasting=False), 0)
    assert memory.get("k") is None


def test_a_status_is_read_again_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    moment = [1000.0]
    monkeypatch.setattr(clock, "monotonic", lambda: moment[0])
    memory = Memory()
    memory.keep("k", LOADED, 0)
    moment[0] += module.STATUS_SECONDS
    assert memory.get("k") is None


def test_memory_is_bounded_and_forgetting_is_harmless(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ENTRIES_MAX", 3)
    memory = Memory()
    for number in range(10):
        memory.keep(f"k{number}", Loaded(number, (Subject("key", f"k{number}"),)), 0)
    assert [number for number in range(10) if memory.get(f"k{number}") is not None] == [7, 8, 9]


@given(st.lists(st.tuples(st.integers(0, 4), st.sampled_from(["end", "load", "late load"])), max_size=40))
def test_i4_whatever_happens_no_status_is_older_than_the_last_ending_of_its_subject(
    steps: list[tuple[int, str]],
) -> None:
    memory, seq, ended = Memory(), 0, dict.fromkeys(range(5), 0)
    for number, step in steps:
        subject, name = Subject("key", str(number)), f"key-{number}"
        if step == "end":
            seq += 1
            ended[number] = seq
            memory.apply([row(seq, subject)])
        else:
            ticket = seq if step == "load" else max(0, seq - 2)
            memory.keep(name, Loaded(ticket, (subject,)), ticket)
        for one, last in ended.items():
            known = memory.get(f"key-{one}")
            assert known is None or known[0] >= last
