"""GET /v1/audit-log/export and /v1/admin/audit-log/export."""

import csv
import json
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, insert, select

from lumio.access.policy import Role
from lumio.audit import exports
from lumio.audit.export_check import check_export
from lumio.audit.lines import COLUMNS, text_of
from lumio.audit.model import ExportPlatformLog
from lumio.audit.store import exporting
from lumio.audit.store.sealing import SealStore
from lumio.kernel import clock
from lumio.storage.sealed import held, log
from lumio.storage.sealed import seal as seals
from tests.support.audit_rows import overheard, plan
from tests.support.exports import by_house, by_script, exported, lively, public_key, seal
from tests.support.operators import operator
from tests.support.world import OPERATOR, World

ACCOUNT, ALL = "/v1/audit-log/export", "/v1/admin/audit-log/export"


def rows_of(content: bytes) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Return the events and the last line of an NDJSON export."""
    *rows, said = map(json.loads, content.splitlines())
    return rows, said


async def test_a_line_has_the_seeds_five_fields_first_and_the_order_is_that_of_the_chain(world: World) -> None:
    robin = await lively(world)
    rows, said = rows_of(await exported(robin))
    assert list(rows[0])[:5] == ["timestamp", "event", "actor", "ip", "result"]
    assert tuple(rows[0]) == COLUMNS
    places = [row["position"] for row in rows]
    sealed = [place for place in places if place is not None]
    assert sealed == sorted(sealed)
    assert places == sealed + [None] * (len(places) - len(sealed))
    assert (said["complete"], said["count"], said["sealed"]) == (True, len(rows), len(sealed))
    assert (said["first"], said["last"]) == (sealed[0], sealed[-1])
    assert {row["account_id"] for row in rows} == {said["account"]} == {await world.account_id(robin)}
    assert [row["event"] for row in rows if row["commitments"]] != []


async def test_the_operators_file_has_every_account_and_what_belongs_to_none(world: World) -> None:
    robin = await lively(world)
    await world.bearer("garbage").get("/v1/users/me")
    await seal(world)
    rows, said = rows_of(await exported(robin, ALL))
    assert (said["account"], said["complete"]) == ("all", True)
    assert [row["position"] for row in rows if row["position"]] == list(range(1, said["sealed"] + 1))
    assert len({row["account_id"] for row in rows}) == 3
    assert None in {row["account_id"] for row in rows}


async def test_both_forms_hold_the_same(world: World) -> None:
    robin = await lively(world)
    await seal(world)
    until = clock.rfc3339(clock.now())
    rows, _ = rows_of(await exported(robin, until=until))
    text = (await exported(robin, until=until, format="csv")).decode()
    header, *lines = csv.reader(text.splitlines()[:-1])
    assert tuple(header) == COLUMNS
    assert [[text_of(cell) for cell in line] for line in lines] == [
        [None if value is None else str(value) for value in row.values()] for row in rows
    ]


async def test_nothing_in_a_file_moves_a_terminal_or_starts_a_formula(world: World) -> None:
    robin = await lively(world)
    for form in ("ndjson", "csv"):
        content = await exported(robin, ALL, format=form)
        text = content.decode().replace("\r\n", "\n")
        assert all(sign == "\n" or sign.isprintable() for sign in text)
        if form == "csv":
            cells = [cell for line in csv.reader(text.splitlines()[:-1]) for cell in line]
            assert not [cell for cell in cells if cell[:1] in {"=", "+", "-", "@", "\t", "\r"} and cell]
            assert "'=HYPERLINK(1)\\r\\n\\x1b[31m\\u202e\\\\x41'1" in cells


async def test_an_export_stands_in_the_log_before_its_first_byte(world: World) -> None:
    robin = await world.sign_in()
    rows, _ = rows_of(await exported(robin, event="audit_log.exported", actor=OPERATOR))
    (told,) = rows
    filters = {"event": "audit_log.exported", "actor": OPERATOR}
    assert json.loads(told["detail"]) == {"format": "ndjson", **filters}
    (entry,) = await world.log(robin, event="audit_log.exported")
    assert (entry["id"], entry["result"]) == (told["id"], "success")


async def test_a_refused_export_is_told_too(world: World) -> None:
    robin = await world.sign_in()
    dana = await world.new_person("dana@example.com", Role.ADMIN, await world.account_id(robin))
    assert dana
    client = await world.sign_in("dana@example.com")
    assert (await client.get(ALL)).status_code == 403
    assert (await world.anonymous().get(ACCOUNT)).status_code == 401
    (told,) = await world.log(robin, event="audit_log.exported")
    assert (told["actor"], told["result"]) == ("dana@example.com", "failure")
    answer = await robin.get(ACCOUNT, params={"format": "xlsx", "colour": "red"})
    assert answer.status_code == 422
    assert {one["field"] for one in answer.json()["errors"]} == {"format", "colour"}


async def test_filters_choose_and_the_last_line_says_that_it_is_a_part(world: World, tmp_path: Path) -> None:
    robin = await lively(world)
    await seal(world)
    path, key = tmp_path / "part", await public_key(robin)
    until = clock.rfc3339(clock.now())
    for filters in (
        {"event": "api_key.*"}, {"result": "success", "ip": "203.0.113.7"}, {"hide_authentications": "true"},
        {"until": until}, {"since": clock.rfc3339(clock.now() - timedelta(hours=1)), "actor": OPERATOR},
    ):  # fmt: skip
        asked_at = clock.now()
        content = await exported(robin, **filters)
        rows, said = rows_of(content)
        shown = {one["id"] for one in await world.log(robin, **filters)}
        assert {row["id"] for row in rows} <= shown
        assert shown - {row["id"] for row in rows} <= await since(world, robin, asked_at)
        assert rows
        assert said["complete"] is False
        path.write_bytes(content)
        assert by_house(path, key) == 0


async def since(world: World, client: Any, moment: datetime) -> set[str]:
    """Return the ids of what came with the questions themselves."""
    told = await world.log(client)
    return {one["id"] for one in told if datetime.fromisoformat(one["timestamp"]) >= moment}


async def test_a_member_takes_out_their_own_rows_only(world: World) -> None:
    robin = await world.sign_in()
    await world.new_person("sam@example.com", Role.MEMBER, await world.account_id(robin))
    await world.mint_key(robin, "robins")
    sam = await world.sign_in("sam@example.com")
    rows, said = rows_of(await exported(sam))
    assert {row["actor"] for row in rows} == {"sam@example.com"}
    assert said["complete"] is False


def between_slices(monkeypatch: pytest.MonkeyPatch, work: Callable[[], Awaitable[object]]) -> None:
    """Let a file be written three entries a time, and do something before its second slice is read."""
    sealed, asked = exporting.ExportStore.sealed, 0

    async def watched(self: exporting.ExportStore, view: Any, chosen: Any, after: int) -> Any:
        nonlocal asked
        asked += 1
        if asked == 2:
            await work()
        return await sealed(self, view, chosen, after)

    monkeypatch.setattr(exporting, "SLICE", 3)
    monkeypatch.setattr(exporting.ExportStore, "sealed", watched)


async def test_what_is_sealed_while_a_file_is_written_is_in_it_once(
    world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    robin = await lively(world)
    before = {one["id"] for one in await world.log(robin)}
    between_slices(monkeypatch, lambda: seal(world))
    content = await exported(robin)
    rows, said = rows_of(content)
    ids = [row["id"] for row in rows]
    assert len(ids) == len(set(ids)) == said["count"]
    assert before <= set(ids)
    assert None not in {row["position"] for row in rows if row["id"] in before}
    (tmp_path / "x").write_bytes(content)
    assert (said["complete"], by_house(tmp_path / "x", await public_key(robin))) == (True, 0)


async def test_a_file_ends_without_its_last_line_when_its_reader_loses_the_right(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    robin = await lively(world)
    made = await world.mint_key(robin)
    reader = world.bearer(made["key"])
    assert b'"statement"' in await exported(reader)
    between_slices(monkeypatch, lambda: robin.delete(f"/v1/api-keys/{made['id']}"))
    cut = await exported(reader)
    assert 0 < cut.count(b"\n") <= 6
    assert b'"statement"' not in cut


async def test_an_account_sees_when_the_operator_takes_its_log_out(world: World) -> None:
    robin = await lively(world)
    dana = await world.sign_in("dana@example.com")
    account = await world.account_id(dana)
    rows, said = rows_of(await exported(robin, ALL, account_id=account))
    assert ({row["account_id"] for row in rows}, said["complete"]) == ({account}, True)
    (told,) = await world.log(dana, event="audit_log.exported")
    assert (told["actor"], told["detail"]) == (OPERATOR, {"account": account, "format": "ndjson"})
    nobody, said = rows_of(await exported(robin, ALL, account_id="nobody"))
    assert (nobody, said["count"], said["sealed"]) == ([], 0, 0)


async def test_an_operator_without_the_right_takes_nothing_out(world: World) -> None:
    reader, _ = await operator(world, "reader@example.com", {"admin:access", "platform-audit:read"})
    other, _ = await operator(world, "other@example.com", {"admin:access", "users:read"})
    assert (await reader.get(ALL)).status_code == 200
    assert (await other.get(ALL)).status_code == 403


async def test_a_time_range_begins_at_the_day_that_has_it(world: World) -> None:
    robin = await lively(world)
    later = clock.rfc3339(clock.now() + timedelta(days=1))
    rows, said = rows_of(await exported(robin, ALL, since=later))
    assert (rows, said["sealed"], said["filters"]) == ([], 0, f"since={later.replace(':', '%3A')}")


async def test_a_slice_is_read_by_an_index(world: World) -> None:
    robin = await lively(world)
    for path in (ACCOUNT, ALL):
        with overheard(world) as heard:
            await exported(robin, path, result="success")
        for statement, parameters in [one for one in heard if "FROM audit_log" in one[0]]:
            told = await plan(world, statement, parameters)
            assert "TEMP B-TREE" not in told
            assert "Seq Scan on audit" not in told
            assert "ix_audit_log_chain" in told or "PRIMARY KEY" in told or "Index" in told


async def unsealed(world: World, robin: Any, monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Stop the sealer, and let more wait for it than one answer of an export holds; return the ids of all rows."""

    async def nothing(*_: object) -> bool:
        return False

    await seal(world)
    monkeypatch.setattr(SealStore, "waits", nothing)
    monkeypatch.setattr(exporting, "WAITING_MAX", 4)
    for number in range(7):
        await world.mint_key(robin, f"late-{number}")
    return {one["id"] for one in await world.log(robin)}


async def test_an_export_waits_for_a_sealer_that_is_behind_and_is_whole(
    world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    robin = await lively(world)
    waits, waiting, asked = SealStore.waits, exporting.ExportStore.waiting, 0
    before = await unsealed(world, robin, monkeypatch)

    async def watched(*given: Any) -> Any:
        nonlocal asked
        asked += 1
        if asked == 2:
            monkeypatch.setattr(SealStore, "waits", waits)
        return await waiting(*given)

    monkeypatch.setattr(exporting.ExportStore, "waiting", watched)
    content = await exported(robin)
    rows, said = rows_of(content)
    ids = [row["id"] for row in rows]
    assert asked > 2
    assert len(ids) == len(set(ids)) == said["count"]
    assert before <= set(ids)
    assert (said["complete"], said["left_out"]) == (True, 0)
    (tmp_path / "x").write_bytes(content)
    key = await public_key(robin)
    assert (by_house(tmp_path / "x", key), by_script(tmp_path / "x", key)) == (0, 0)


async def test_an_export_says_how_many_rows_it_left_out_when_nobody_seals(
    world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    robin = await lively(world)
    before = await unsealed(world, robin, monkeypatch)
    monkeypatch.setattr(exports, "SEALER_SECONDS", 0.0)
    content = await exported(robin)
    rows, said = rows_of(content)
    ids = {row["id"] for row in rows}
    after = {one["id"] for one in await world.log(robin)}
    assert said["complete"] is False
    assert 0 < len(before - ids) <= said["left_out"] <= len(after - ids)
    assert len([row for row in rows if row["position"] is None]) == 4
    (tmp_path / "x").write_bytes(content)
    key = await public_key(robin)
    assert (by_house(tmp_path / "x", key), by_script(tmp_path / "x", key)) == (0, 0)
    assert f"{said['left_out']} more were not sealed yet" in check_export(tmp_path / "x", (key,)).sentence


async def test_the_operators_export_has_the_rows_of_a_legal_hold_too(world: World, tmp_path: Path) -> None:
    robin = await lively(world)
    await seal(world)
    account, key = await world.account_id(robin), await public_key(robin)
    every, _ = rows_of(await exported(robin, ALL))
    kept = [row["id"] for row in every if (row["position"] or 10) <= 9 and row["account_id"] == account]
    await hold_back(world, account, 9)
    for path, filters in ((ALL, {}), (ALL, {"account_id": account})):
        content = await exported(robin, path, **filters)
        rows, said = rows_of(content)
        assert [row["id"] for row in rows[: len(kept)]] == kept
        assert said["complete"]
        (tmp_path / "x").write_bytes(content)
        assert (by_house(tmp_path / "x", key), by_script(tmp_path / "x", key)) == (0, 0)


async def test_the_machines_own_export_has_the_rows_of_a_legal_hold_too(world: World, tmp_path: Path) -> None:
    robin = await lively(world)
    await seal(world)
    account = await world.account_id(robin)
    await hold_back(world, account, 9)
    form = ExportPlatformLog(account_id=account)
    order = await world.house.exports.order_here(form)
    content = b"".join([piece async for piece in world.house.exports.write(order, nobody_stops)])
    rows, said = rows_of(content)
    assert (said["complete"], said["first"]) == (True, 1)
    assert [row["chain"] is None for row in rows[:2]] == [True, True]
    (tmp_path / "x").write_bytes(content)
    key = await public_key(robin)
    assert (by_house(tmp_path / "x", key), by_script(tmp_path / "x", key)) == (0, 0)
    outside, _ = rows_of(await exported(robin))
    assert min(row["position"] for row in outside if row["position"]) > 9


async def nobody_stops() -> None:
    """Go on."""


async def hold_back(world: World, account: str, up_to: int) -> None:
    """Do what a purge does to the rows of an account under hold: keep them apart, and drop the rest."""

    async def step(unit: Any) -> None:
        both = select(log, seals.c.leaf, seals.c.account_prev).join(seals, seals.c.position == log.c.position)
        rows = (await unit.execute(both.where(log.c.position <= up_to, log.c.account_id == account))).mappings()
        await unit.execute(insert(held), [{one.name: row[one.name] for one in held.c} for row in rows])
        await unit.execute(delete(log).where(log.c.position <= up_to))
        await unit.execute(delete(seals).where(seals.c.position <= up_to))

    await world.house.units.run(step)
