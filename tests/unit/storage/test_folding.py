"""Folding: what comes out counts for exactly what went in, and every column is in its place."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from lumio.kernel.event import ANONYMOUS, Actor, Event, Origin
from lumio.storage.events import NAMES
from lumio.storage.folding import SHARED, VARIOUS, Fold, Row, stem_of

NODE = "node-t"


def named(row: Row) -> dict[str, Any]:
    return dict(zip(NAMES, row, strict=True))


def test_every_column_of_an_event_comes_out_in_its_place() -> None:
    full: dict[str, Any] = {name: f"<{name}>" for name in NAMES} | {"ts": 7, "last_ts": None, "count": 3}
    fold = Fold()
    fold.add(stem_of(full), full["ts"], full["request_id"], full["id"], full["count"])
    assert [named(row) for row in fold.rows()] == [full]


def test_an_event_without_an_id_gets_one_when_its_row_is_written() -> None:
    fold = Fold()
    for name in ("a", "b"):
        fold.add((name,) * len(SHARED), 1, "r-1")
    ids = {named(row)["id"] for row in fold.rows()}
    assert len(ids) == 2
    assert None not in ids


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 50), st.integers(1, 9)), min_size=1, max_size=40))
def test_what_agrees_is_one_row_from_its_first_to_its_last_time_with_the_exact_count(
    told: list[tuple[str, int, int]],
) -> None:
    fold = Fold()
    for name, ts, count in told:
        fold.add((name,) * len(SHARED), ts, f"r-{ts}", f"id-{ts}", count)
    rows = {row["event"]: row for row in map(named, fold.rows())}
    assert len(rows) == len(fold) == len({name for name, _, _ in told})
    for name, row in rows.items():
        mine = [(ts, count) for other, ts, count in told if other == name]
        times = [ts for ts, _ in mine]
        assert (row["count"], row["ts"]) == (sum(count for _, count in mine), min(times))
        alone = len(mine) == 1
        assert row["last_ts"] == (None if alone else max(times))
        assert row["request_id"] == (f"r-{times[0]}" if alone else None)


def test_a_tally_keeps_what_its_events_agree_on_and_counts_them_all() -> None:
    fold = Fold()
    for ip, reason in (("203.0.113.7", "unknown"), ("203.0.113.7", "unknown"), ("203.0.113.8", "malformed")):
        event = Event("auth.failed", "failure", ANONYMOUS, Origin(ip, "peer", "curl/8")).failed(reason)
        fold.count("node-t/address/1", 99, event.row(NODE))
    (tally,) = fold.tallies()
    row = named(tally.row)
    assert (tally.name, tally.until, row["count"], len(fold)) == ("node-t/address/1", 99, 3, 1)
    assert (row["ip"], row["ip_source"], row["user_agent"], row["detail"]) == (None, "peer", "curl/8", VARIOUS)


def test_another_actor_address_or_node_is_another_row() -> None:
    fold, actor = Fold(), Actor("api_key", "k-1", "ci")
    for who, ip, node in ((actor, "::1", NODE), (actor._replace(id="k-2"), "::1", NODE), (actor, "::2", NODE)):
        row = Event("auth.succeeded", "success", who, Origin(ip)).row(node)
        fold.add(stem_of(row), row["ts"], None)
    fold.add(stem_of(Event("auth.succeeded", "success", actor, Origin("::1")).row("other")), 1, None)
    assert len(fold) == 4
