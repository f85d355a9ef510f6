"""Pages over days: whatever the clocks did, every row once and in the order of time (threat 41)."""

import random
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, insert, select

from lumio.audit.model import Filters
from lumio.audit.sealer import DAY
from lumio.audit.store import exporting, reading
from lumio.audit.store.days import Day, Key, parted
from lumio.audit.store.exporting import ExportStore
from lumio.audit.store.filters import Chosen
from lumio.audit.store.reading import AuditStore
from lumio.kernel import clock, ids
from lumio.storage.events import hot
from lumio.storage.sealed import log, seal, segment
from lumio.storage.unit import Unit
from tests.support.audit_log import Clocks, Log
from tests.support.ground import Ground, fact

TODAY = 20_500
RUNS = (TODAY, TODAY + 1, TODAY + 40, TODAY + 2, TODAY - 30, TODAY + 2, TODAY + 3, TODAY + 4, TODAY + 9)
"""Days of sealing, in the order of positions: the clock jumped ahead, back, and over a weekend."""
A_RUN, WAITING = 45, 20
FAR = 2**53

times = st.integers(0, 400)
spans = st.tuples(times, times).map(sorted).map(tuple)


@given(st.lists(spans, max_size=12), spans)
def test_the_parts_follow_one_another_down_and_name_every_day_that_can_have_a_row(
    days: Sequence[tuple[int, int]], wanted: tuple[int, int]
) -> None:
    low, high = (wanted[0], ""), (wanted[1], "")
    able = [Day(at, *span) for at, span in enumerate(days) if span[1] >= low[0] and span[0] <= high[0]]
    parts = parted(able, low, high)
    edges = [high, *[edge for part in parts for edge in (part.high, part.low)], low]
    assert edges == sorted(edges, reverse=True)
    for one in able:
        for ts in range(max(one.first_ts, wanted[0]), min(one.last_ts + 1, wanted[1])):
            named = [part.days for part in parts if part.low <= (ts, "id") < part.high]
            assert [one.day in days for days in named if days is not None] == [True]


def test_a_page_that_the_newest_day_fills_needs_that_day_alone() -> None:
    days = [Day(at, at * 100, at * 100 + 99) for at in range(90)]
    assert [len(part.days or ()) for part in parted(days, (0, ""), (FAR, ""))][:3] == [1, 4, 16]


def random_rows(chance: random.Random) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Yield rows with their day of sealing: of that day, late ones of days before, and some from a clock ahead."""
    plain = fact().row("node-t")
    for day in RUNS:
        drift = chance.choice((0, 0, -1, -9))
        for _ in range(A_RUN):
            late = chance.choice((0,) * 12 + (1, 5, 60, -30))
            ts = (day + drift - late) * DAY + chance.randrange(6) * DAY // 6 + chance.randrange(3)
            event = chance.choice(("auth.succeeded",) * 3 + ("auth.failed", "api_key.created", "api_key.revoked"))
            yield day, plain | {
                "id": ids.uuid7(), "ts": ts, "event": event, "account_id": chance.choice(("a", "b", None)),
                "result": "failure" if event == "auth.failed" else "success",
                "actor_label": chance.choice(("robin", "sam")), "actor_id": chance.choice(("u1", "u2")),
                "ip": chance.choice(("203.0.113.1", "203.0.113.2", None)), "credential_id": chance.choice("kl"),
            }  # fmt: skip


async def laid(ground: Ground, seed: int) -> list[Mapping[str, Any]]:
    """Lay sealed rows with true runs, and some that wait, in the place of all others; return all of them."""
    rows = list(random_rows(random.Random(seed)))
    sealed, waiting = rows[:-WAITING], rows[-WAITING:]

    async def step(unit: Unit) -> None:
        for table in (hot, segment, log, seal):
            await unit.execute(table.delete())
        for day in dict.fromkeys(RUNS):
            await unit.make_partition(day)
        placed = [{**row, "position": at, "day": day} for at, (day, row) in enumerate(sealed, 1)]
        await unit.execute(insert(log), placed)
        links = {"leaf": b"leaf", "chain": b"chain", "account_prev": None}
        places = [{"position": row["position"], "day": row["day"], "event_id": row["id"], **links} for row in placed]
        await unit.execute(insert(seal), places)
        for first in range(1, len(placed) + 1, A_RUN):
            run = placed[first - 1 : first - 1 + A_RUN]
            ts = [row["ts"] for row in run]
            named = {"first": first, "last": first + len(run) - 1, "day": run[0]["day"]}
            await unit.execute(insert(segment), {**named, "first_ts": min(ts), "last_ts": max(ts)})
        await unit.execute(insert(hot), [row for _, row in waiting])

    await ground.units.run(step)
    return [row for _, row in rows]


def fits(row: Mapping[str, Any], chosen: Chosen) -> bool:
    """Say it in Python: what the filters mean."""
    filters, event = chosen.filters, str(row["event"])
    wanted = filters.event
    names = wanted is None or (event.startswith(wanted[:-1]) if wanted.endswith("*") else event == wanted)
    since, until = [None if one is None else clock.to_micros(one) for one in (filters.since, filters.until)]
    return (
        names
        and (since is None or row["ts"] >= since)
        and (until is None or row["ts"] < until)
        and not (filters.hide_authentications and wanted is None and event == "auth.succeeded")
        and chosen.account_id in {None, row["account_id"]}
        and filters.actor in {None, row["actor_label"]}
        and filters.result in {None, row["result"]}
        and filters.ip in {None, row["ip"]}
        and filters.credential_id in {None, row["credential_id"]}
        and chosen.person_id in {None, row["actor_id"]}
    )


def at(day: int) -> Any:
    return clock.from_micros(day * DAY + 7)


CHOSEN = (
    Chosen(Filters()),
    Chosen(Filters(), "a"),
    Chosen(Filters(hide_authentications=True), "b"),
    Chosen(Filters(event="api_key.*", since=at(TODAY - 5), until=at(TODAY + 3)), "a"),
    Chosen(Filters(event="auth.succeeded", actor="robin", until=at(TODAY + 2))),
    Chosen(Filters(ip="203.0.113.1", result="failure"), "b"),
    Chosen(Filters(credential_id="k", since=at(TODAY + 1)), "a", "u1"),
    Chosen(Filters(actor="sam", event="auth.*", hide_authentications=True)),
    Chosen(Filters(actor="nobody"), "a"),
    Chosen(Filters(since=at(TODAY + 60))),
    Chosen(Filters(), "b", "u2"),
)


async def paged(ground: Ground, chosen: Chosen, limit: int) -> list[Key]:
    """Follow the cursors to the end; return the keys of all rows as they came."""
    store, found, after = AuditStore(), list[Key](), None
    while True:
        page = await ground.units.read(partial(store.page, chosen=chosen, limit=limit, after=after))
        found += [(row["ts"], row["id"]) for row in page.rows]
        assert len(page.rows) <= limit
        if page.after is None:
            return found
        assert after is None or page.after < after
        after = page.after


@pytest.mark.parametrize("seed", [1, 2])
async def test_paging_gives_every_row_once_in_the_order_of_time_whatever_day_it_was_sealed_on(
    ground: Ground, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    rows, chance = await laid(ground, seed), random.Random(seed)
    for chosen in CHOSEN:
        wanted = sorted(((row["ts"], row["id"]) for row in rows if fits(row, chosen)), reverse=True)
        monkeypatch.setattr(reading, "REACH", chance.choice((5, 40, 2000)))
        assert await paged(ground, chosen, chance.choice((3, 20, 200))) == wanted, chosen
    assert {row["ts"] // DAY for row in rows} - set(RUNS)


async def test_a_page_over_many_days_looks_at_no_more_than_its_reach(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = (await laid(ground, 4))[:-WAITING]
    looked_at = [(row["ts"], row["id"]) for row in rows if fits(row, Chosen(Filters(hide_authentications=True), "b"))]
    monkeypatch.setattr(reading, "REACH", 7)
    store, chosen, pages = AuditStore(), Chosen(Filters(result="failure"), "b"), 0
    after: Key | None = (FAR, "")
    while after is not None:
        page = await ground.units.read(partial(store.page, chosen=chosen, limit=50, after=after))
        edge = page.after or (0, "")
        assert len([key for key in looked_at if edge <= key < after]) <= 7
        after, pages = page.after, pages + 1
    assert pages > len(looked_at) // 7


async def test_exports_and_pages_mean_the_same_by_a_filter_and_a_time(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = (await laid(ground, 3))[:-WAITING]
    monkeypatch.setattr(exporting, "SLICE", 17)
    for chosen in CHOSEN:
        found, after = list[str](), 0
        while (part := await ground.units.read(partial(ExportStore().sealed, chosen=chosen, after=after))).last:
            found, after = found + [row["id"] for row in part.rows], part.last
        assert found == [row["id"] for row in rows if fits(row, chosen)], chosen


async def test_runs_say_the_true_first_and_last_time_of_their_day_of_folded_and_late_rows_too(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    clocks, kept = Clocks(monkeypatch), Log(ground)
    await kept.seal()
    for jump in (0, 1, 30, -60, 0.5):
        clocks.jump(days=jump)
        for late in (0, 3, -2):
            for _ in range(2):  # these fold into one row, whose time is that of the first
                event = fact(label=str(late))
                object.__setattr__(event, "ts", clocks.wall - timedelta(hours=late))
                ground.journal.begin(event)
                clocks.passes(seconds=1)
            await ground.journal.append(fact("thing.last"))
            await kept.seal()
    bounds = (func.min(log.c.ts), func.max(log.c.ts), func.min(log.c.day), func.max(log.c.day), func.count())
    for run in await ground.rows(select(segment)):
        (true,) = await ground.rows(select(*bounds).where(log.c.position.between(run.first, run.last)))
        assert tuple(true) == (run.first_ts, run.last_ts, run.day, run.day, run.last - run.first + 1)
