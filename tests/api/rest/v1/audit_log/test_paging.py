"""Pages of the log: what is not sealed yet is among them, and no page looks at more than it may."""

from typing import Any

import pytest

from lumio.audit.store import reading
from tests.support.audit_rows import FIRST, early_in_the_minute, lay, overheard, plan, row
from tests.support.exports import seal
from tests.support.operators import operator
from tests.support.world import World

LOG = "/v1/audit-log"
ADMIN = "/v1/admin/audit-log"


async def pages(client: Any, path: str) -> list[list[dict[str, Any]]]:
    """Follow the links from a first address to the end; return the pages."""
    found: list[list[dict[str, Any]]] = []
    following: str | None = path
    while following is not None:
        answer = (await client.get(following)).json()
        found.append(answer["data"])
        following = answer["_links"].get("next", {}).get("href")
    return found


async def test_unsealed_rows_stand_among_the_sealed_ones_and_say_that_they_have_no_position(world: World) -> None:
    robin = await world.sign_in()
    await world.mint_key(robin, "sealed")
    await seal(world)
    await world.mint_key(robin, "fresh")
    told = await world.log(robin, event="api_key.created")
    assert [one["detail"]["label"] for one in told] == ["fresh", "sealed"]
    assert [one["position"] is None for one in told] == [True, False]


async def test_a_counted_row_is_read_while_it_still_counts(world: World) -> None:
    robin = await world.sign_in()
    await early_in_the_minute()
    for _ in range(3):
        await world.bearer("garbage", ip="198.51.100.77").get("/v1/users/me")
    (told,) = (await robin.get(ADMIN, params={"ip": "198.51.100.77"})).json()["data"]
    assert (told["event"], told["count"], told["position"], told["account_id"]) == ("auth.failed", 3, None, None)
    await seal(world)
    (after,) = (await robin.get(ADMIN, params={"ip": "198.51.100.77"})).json()["data"]
    assert after["position"] is not None
    assert {**after, "position": None} == told


async def test_sealing_between_two_pages_neither_hides_nor_repeats_a_row(world: World) -> None:
    robin = await world.sign_in()
    for number in range(6):
        await world.mint_key(robin, f"key-{number}")
    first = (await robin.get(LOG, params={"limit": "3", "event": "api_key.created"})).json()
    await seal(world)
    second = (await robin.get(first["_links"]["next"]["href"])).json()
    labels = [one["detail"]["label"] for one in first["data"] + second["data"]]
    assert labels == [f"key-{number}" for number in range(5, -1, -1)]


async def test_a_page_looks_at_no_more_than_its_reach_and_the_next_goes_on(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    robin = await world.sign_in()
    account = await world.account_id(robin)
    wanted = {3, 57, 58, 59, 199}
    result = {True: "success", False: "failure"}
    rows = [row(at, account_id=account, event="thing.made", result=result[at in wanted]) for at in range(200)]
    await lay(world, rows)
    monkeypatch.setattr(reading, "REACH", 20)
    found = await pages(robin, f"{LOG}?event=thing.made&result=success")
    assert [one["position"] - FIRST for page in found for one in page] == [199, 59, 58, 57, 3]
    assert len(found) > 8
    assert [] in found
    assert max(map(len, found)) == 3


async def test_of_two_indexes_the_one_that_comes_farther_answers(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    robin = await world.sign_in()
    account = await world.account_id(robin)
    mine = [row(at, account_id=account, actor_label="busy" if at % 50 else "rare") for at in range(200)]
    others = [row(300 + at, account_id=None, actor_label="rare") for at in range(5)]
    await lay(world, mine + others)
    monkeypatch.setattr(reading, "REACH", 20)
    found = await pages(robin, f"{LOG}?actor=rare")
    assert [[one["position"] - FIRST for one in page] for page in found] == [[150, 100, 50, 0]]


FILTERS: tuple[dict[str, str], ...] = (
    {}, {"hide_authentications": "true"}, {"event": "auth.failed"}, {"event": "api_key.*"}, {"event": "auth.*"},
    {"actor": "anonymous"}, {"result": "failure"}, {"ip": "203.0.113.9"}, {"credential_id": "none"},
    {"event": "auth.succeeded", "actor": "anonymous"},
)  # fmt: skip
RANGE = {"since": "2020-01-01T00:00:00Z", "until": "2099-01-01T00:00:00Z"}


async def test_every_filter_is_answered_by_an_index_in_its_order(world: World) -> None:
    robin = await world.sign_in()
    account = await world.account_id(robin)
    kinds = ("auth.succeeded", "auth.failed", "thing.made")
    await lay(world, [row(at, account_id=account if at % 3 else None, event=kinds[at % 3]) for at in range(3000)])
    for path in (LOG, ADMIN):
        for filters in FILTERS:
            with overheard(world) as heard:
                answer = await robin.get(path, params={**RANGE, **filters, "limit": "50"})
            assert answer.status_code == 200, answer.text
            asked = [one for one in heard if "audit_log" in one[0]]
            assert asked
            for statement, parameters in asked:
                told = await plan(world, statement, parameters)
                assert not _marks(told), (filters, told)
                assert "INDEX" in told.upper()


def _marks(told: str) -> set[str]:
    words = ("Seq Scan on audit_log", "TEMP B-TREE", "Sort  (", "Bitmap")  # days that are merged have a "Sort Key"
    return {word for word in words if word in told}


NAMED: tuple[tuple[dict[str, str], str, str], ...] = (
    ({"event": "none.such"}, "ix_audit_log_event", "event_ts_id_day_idx"),
    ({"actor": "nobody"}, "ix_audit_log_actor", "actor_label_ts_id_day_idx"),
    ({"ip": "192.0.2.1"}, "ix_audit_log_ip", "ip_ts_id_day_idx"),
    ({"credential_id": "none", "event": "auth.succeeded"}, "ix_audit_log_credential", "credential_id_ts_id_day_idx"),
    ({"event": "none.*"}, "ix_audit_log_account_change", "account_id_ts_id_day_idx1"),
    ({"result": "failure"}, "ix_audit_log_account_change", "account_id_ts_id_day_idx1"),
    ({}, "ix_audit_log_account", "account_id_ts_id_day_idx"),
)


async def test_the_index_is_the_one_that_the_filter_asks_for(world: World) -> None:
    robin = await world.sign_in()
    account = await world.account_id(robin)
    kinds = ("auth.succeeded", "auth.failed", "thing.made")
    await lay(world, [row(at, account_id=account if at % 3 else None, event=kinds[at % 3]) for at in range(3000)])
    for filters, *names in NAMED:
        with overheard(world) as heard:
            await robin.get(LOG, params={**RANGE, **filters})
        last = [one for one in heard if "audit_log" in one[0]][-1]
        told = await plan(world, *last)
        assert any(f"{name} " in told for name in names), (filters, told)


async def test_the_page_that_hides_authentications_uses_the_index_without_them(world: World) -> None:
    robin = await world.sign_in()
    account = await world.account_id(robin)
    events = ("auth.succeeded",) * 200 + ("thing.made",)
    await lay(world, [row(at, account_id=account if at % 5 else None, event=events[at % 201]) for at in range(4100)])
    for path, name in ((LOG, "account_id_ts_id_day_idx1"), (ADMIN, "ts_id_day_idx1")):
        with overheard(world) as heard:
            await robin.get(path, params={"hide_authentications": "true"})
        (asked,) = [one for one in heard if "audit_log" in one[0]]
        told = await plan(world, *asked)
        assert "_change" in told or name in told, told


async def test_an_operator_needs_the_right_and_the_way_in(world: World) -> None:
    reader, _ = await operator(world, "reader@example.com", {"admin:access", "platform-audit:read"})
    outside, _ = await operator(world, "outside@example.com", {"platform-audit:read"})
    other, _ = await operator(world, "other@example.com", {"admin:access", "users:read"})
    assert (await reader.get(ADMIN)).status_code == 200
    for client in (outside, other):
        assert (await client.get(ADMIN)).status_code == 403
    assert (await world.anonymous().get(ADMIN)).status_code == 401
    robin = await world.sign_in()
    key = world.bearer((await world.mint_key(robin))["key"])
    assert (await key.get(ADMIN)).status_code == 403
