"""GET /v1/audit-log/export and /v1/admin/audit-log/export."""

import csv
import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from lumio.access.policy import Role
from lumio.audit.lines import COLUMNS, text_of
from lumio.kernel import clock
from tests.support.audit_rows import overheard, plan
from tests.support.exports import by_house, exported, lively, public_key, rows_of, seal
from tests.support.operators import operator
from tests.support.world import OPERATOR, World

ACCOUNT, ALL = "/v1/audit-log/export", "/v1/admin/audit-log/export"


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
