"""Whatever is done to the database by hand is found, with its kind and its place (threat 39)."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from sqlalchemy import delete, insert, select, text, update

from lumio.audit.sealer import Batch, chained
from lumio.audit.store.sealing import END, EVENT, PLACE
from lumio.audit.verdict import Outcome
from lumio.crypto import roots
from lumio.crypto.notary import Notary
from lumio.storage.events import NAMES
from lumio.storage.sealed import account_chain, chain, log, seal, segment
from lumio.storage.unit import Unit
from tests.support.audit_log import ACCOUNTS, Log
from tests.support.ground import Ground, fact


@pytest.fixture
async def kept(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> Log:
    made = Log(ground)
    await made.fill(monkeypatch)
    await made.fill(monkeypatch)
    return made


async def test_a_log_that_nobody_touched_is_intact(kept: Log) -> None:
    verdict = await kept.verify()
    assert verdict.outcome is Outcome.INTACT, verdict
    assert f"to {kept.last}" in verdict.sentence
    for account in ACCOUNTS:
        assert (await kept.verify_account(account)).outcome is Outcome.INTACT


def moved(start: int, to: int) -> list[Any]:
    """Return the statements that give an event and its place another position."""
    return [update(table).where(table.c.position == start).values(position=to) for table in (log, seal)]


def written(batch: Batch) -> list[Any]:
    """Return the statements that write events and their places."""
    return [
        insert(table).values([dict(zip(names, row, strict=True)) for row in rows])
        for table, names, rows in ((log, EVENT, batch.events), (seal, PLACE, batch.places))
    ]


async def edit_a_field(kept: Log) -> tuple[Outcome, int]:
    await kept.do(update(log).where(log.c.position == kept.last - 30).values(result="failure"))
    return Outcome.ALTERED, kept.last - 30


async def edit_a_personal_field(kept: Log) -> tuple[Outcome, int]:
    await kept.do(update(log).where(log.c.position == kept.last - 30).values(detail='{"label":"other"}'))
    return Outcome.ALTERED, kept.last - 30


async def drop_a_row(kept: Log) -> tuple[Outcome, int]:
    place = kept.last - 25
    await kept.do(*[delete(table).where(table.c.position == place) for table in (log, seal)])
    return Outcome.INCOMPLETE, place


async def drop_a_row_and_close_the_gap(kept: Log) -> tuple[Outcome, int]:
    place = kept.last - 25
    await kept.do(*[delete(table).where(table.c.position == place) for table in (log, seal)])
    for position in range(place + 1, kept.last + 1):
        down = [
            update(table).where(table.c.position == position).values(position=position - 1) for table in (log, seal)
        ]
        await kept.do(*down)
    await kept.do(update(chain).values(position=kept.last - 1))
    return Outcome.ALTERED, place


async def insert_a_row(kept: Log) -> tuple[Outcome, int]:
    forged = await kept.row(kept.last) | {"position": kept.last + 1, "id": "forged"}
    await kept.do(insert(log).values(forged))
    return Outcome.ALTERED, kept.last + 1


async def insert_a_row_with_a_seal_in_the_middle(kept: Log) -> tuple[Outcome, int]:
    place = kept.last - 20
    for position in range(kept.last, place - 1, -1):
        up = [
            update(table).where(table.c.position == position).values(position=position + 1) for table in (log, seal)
        ]
        await kept.do(*up)
    before = await kept.place(place - 1)
    source = {name: value for name, value in (await kept.row(place - 1)).items() if name in NAMES} | {"id": "forged"}
    batch = chained([source], before["day"], place - 1, before["chain"], {})
    await kept.do(*written(batch))
    return Outcome.ALTERED, place


async def reorder(kept: Log) -> tuple[Outcome, int]:
    one, other, away = kept.last - 12, kept.last - 10, 2**40
    moves = [(one, away), (other, one), (away, other)]
    for start, to in moves:
        await kept.do(*moved(start, to))
    return Outcome.ALTERED, one


async def truncate_the_tail(kept: Log) -> tuple[Outcome, int]:
    end = await kept.place(kept.last - 5)
    await kept.do(
        *[delete(table).where(table.c.position > kept.last - 5) for table in (log, seal)],
        update(chain).values(position=kept.last - 5, chain=end["chain"], head_position=0),
    )
    return Outcome.INCOMPLETE, kept.last - 4


async def swap_two_accounts_rows(kept: Log) -> tuple[Outcome, int]:
    one, other = kept.last - 11, kept.last - 10
    first, second = await kept.row(one), await kept.row(other)
    assert first["account_id"] != second["account_id"]
    await kept.do(
        update(log).where(log.c.position == one).values(account_id=second["account_id"]),
        update(log).where(log.c.position == other).values(account_id=first["account_id"]),
    )
    return Outcome.ALTERED, one


async def change_a_count(kept: Log) -> tuple[Outcome, int]:
    await kept.do(update(log).where(log.c.position == kept.last - 3).values(count=2))
    return Outcome.ALTERED, kept.last - 3


async def replace_a_head(kept: Log) -> tuple[Outcome, int]:
    lines = kept.heads.path.read_text().splitlines()
    forged = json.loads(lines[-1]) | {"chain": "00" * 32}
    kept.heads.path.write_text("\n".join([*lines[:-1], json.dumps(forged)]) + "\n")
    return Outcome.ALTERED, kept.last


async def sign_a_head_with_another_installations_key(kept: Log) -> tuple[Outcome, int]:
    stranger = Notary(roots.RootRing({1: bytes(32)}))
    lines = kept.heads.path.read_text().splitlines()
    forged = {name: value for name, value in json.loads(lines[-1]).items() if name not in {"key", "signature"}}
    kept.heads.path.write_text("\n".join([*lines[:-1], json.dumps(stranger.sign(forged))]) + "\n")
    return Outcome.ALTERED, kept.last


async def cut_the_file_of_heads(kept: Log) -> tuple[Outcome, int]:
    lines = kept.heads.path.read_text().splitlines()
    kept.heads.path.write_text("\n".join(lines[:-1]) + "\n")
    return Outcome.INCOMPLETE, json.loads(lines[-2])["position"] + 1


async def erase_without_a_trace_of_the_value(kept: Log) -> tuple[Outcome, int]:
    await kept.do(update(log).where(log.c.position == kept.last - 7).values(detail=None))
    return Outcome.ALTERED, kept.last - 7


async def rewrite_everything_after_an_edit(kept: Log) -> tuple[Outcome, int]:
    """Do what somebody does who knows the format and has the database, but not the file of heads."""
    heads = [json.loads(line)["position"] for line in kept.heads.path.read_text().splitlines()]
    start = kept.last - 8
    before = await kept.place(start - 1)
    rows = [await kept.row(position) for position in range(start, kept.last + 1)]
    rows[0]["result"] = "failure"
    known: dict[str, tuple[bytes, int]] = {}
    for account in ACCOUNTS:
        first = next(at for at, row in enumerate(rows) if row["account_id"] == account)
        known[account] = ((await kept.place(start + first))["account_prev"], 1000)
    batch = chained(rows, before["day"], start - 1, before["chain"], known)
    await kept.do(*[delete(table).where(table.c.position >= start) for table in (log, seal)])
    await kept.do(*written(batch))
    await kept.do(update(chain).values(chain=batch.end["chain"]))
    for one in [dict(zip(END, values, strict=True)) for values in batch.accounts]:
        await kept.do(update(account_chain).where(account_chain.c.account_id == one["account_id"]).values(one))
    return Outcome.ALTERED, heads[-2] + 1


async def hide_a_day_from_pages(kept: Log) -> tuple[Outcome, int]:
    (times,) = await kept.ground.rows(select(log.c.ts).where(log.c.position == kept.last))
    await kept.do(update(segment).values(first_ts=segment.c.last_ts + 1, last_ts=segment.c.last_ts + times.ts))
    return Outcome.ALTERED, 1


async def forget_the_runs(kept: Log) -> tuple[Outcome, int]:
    await kept.do(delete(segment))
    return Outcome.ALTERED, 1


async def move_an_event_to_another_day(kept: Log) -> tuple[Outcome, int]:
    day = (await kept.place(kept.last))["day"] + 3

    async def step(unit: Unit) -> None:
        await unit.make_partition(day)
        await unit.execute(update(log).where(log.c.position == kept.last - 3).values(day=day))

    await kept.ground.units.run(step)
    return Outcome.ALTERED, kept.last - 3


TAMPERINGS: list[Callable[[Log], Awaitable[tuple[Outcome, int]]]] = [
    edit_a_field, edit_a_personal_field, drop_a_row, drop_a_row_and_close_the_gap, insert_a_row,
    insert_a_row_with_a_seal_in_the_middle, reorder, truncate_the_tail, swap_two_accounts_rows, change_a_count,
    replace_a_head, sign_a_head_with_another_installations_key, cut_the_file_of_heads,
    erase_without_a_trace_of_the_value, rewrite_everything_after_an_edit, hide_a_day_from_pages, forget_the_runs,
    move_an_event_to_another_day,
]  # fmt: skip


@pytest.mark.parametrize("tampering", TAMPERINGS, ids=lambda one: one.__name__)
async def test_it_is_found_with_its_kind_and_its_place(
    kept: Log, tampering: Callable[[Log], Awaitable[tuple[Outcome, int]]]
) -> None:
    expected = await tampering(kept)
    verdict = await kept.verify()
    assert (verdict.outcome, verdict.position) == expected, verdict


async def test_yesterdays_copy_is_found_by_the_heads_outside(kept: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    saved = {table: [dict(row._mapping) for row in await kept.ground.rows(select(table))]
             for table in (log, seal, chain, account_chain)}  # fmt: skip
    yesterday = kept.last
    await kept.fill(monkeypatch)
    for table, rows in saved.items():
        await kept.do(delete(table), insert(table).values(rows))
    verdict = await kept.verify()
    assert (verdict.outcome, verdict.position) == (Outcome.INCOMPLETE, yesterday + 1)


async def test_without_a_head_outside_a_cut_tail_of_a_careful_hand_cannot_be_seen_and_the_missing_file_is_told(
    kept: Log,
) -> None:
    kept.heads.path.unlink()
    verdict = await kept.verify()
    assert (verdict.outcome, verdict.position) == (Outcome.INCOMPLETE, 1)


async def test_one_accounts_chain_shows_what_was_done_to_it(kept: Log) -> None:
    (row,) = await kept.ground.rows(select(log.c.position).where(log.c.account_id == "account-b").limit(1).offset(3))
    await kept.do(update(log).where(log.c.position == row.position).values(ip="198.51.100.1"))
    assert (await kept.verify_account("account-a")).outcome is Outcome.INTACT
    verdict = await kept.verify_account("account-b")
    assert (verdict.outcome, verdict.position) == (Outcome.ALTERED, row.position)
    await kept.do(delete(log).where(log.c.position == row.position))
    assert (await kept.verify_account("account-b")).outcome is not Outcome.INTACT
    assert (await kept.verify_account("nobody")).outcome is Outcome.INCOMPLETE


async def test_a_view_of_everything_shows_sealed_and_waiting_rows_once(kept: Log) -> None:
    await kept.ground.journal.append(fact("thing.last"))
    (found,) = await kept.ground.rows(text("SELECT count(*), count(DISTINCT id) FROM audit_event"))
    assert found[0] == found[1] == kept.last + 1
