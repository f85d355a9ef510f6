"""The live tail of the audit pages: what it shows, to whom, and when it ends; the plot beside it."""

import asyncio
import json
from datetime import timedelta
from typing import Any

import httpx2
import pytest

from lumio.access.policy import Role
from lumio.audit import tail
from lumio.audit.plot import HEIGHT, SPAN, drawn, first_hour
from lumio.audit.store.counting import Hours
from lumio.kernel import clock
from tests.support.audit_rows import early_in_the_minute
from tests.support.world import OPERATOR, World

TAIL, ALL = "/api/audit-log/tail", "/api/admin/audit-log/tail"


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a tail last for a moment: the client of these tests gets an answer when it is over."""
    monkeypatch.setattr(tail, "LASTS", timedelta(seconds=1.2))
    monkeypatch.setattr(tail, "PAUSE", 0.1)


def told(answer: httpx2.Response) -> tuple[list[dict[str, Any]], str]:
    """Return the events of a stream, and why it ended."""
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("text/event-stream")
    pieces = answer.text.split("\n\n")
    found = [json.loads(one.removeprefix("data: ")) for one in pieces if one.startswith("data: {")]
    (over,) = [one for one in pieces if one.startswith("event: over")]
    return found, over.partition("data: ")[2]


async def during(client: httpx2.AsyncClient, path: str, work: Any) -> httpx2.Response:
    """Follow, and do something meanwhile."""
    following = asyncio.create_task(client.get(path))
    await asyncio.sleep(0.3)
    await work
    return await following


async def test_new_events_come_once_and_only_the_accounts_own(world: World, short: None) -> None:
    robin, page = await world.sign_in(), await world.page_client()
    await world.mint_key(robin, "before")
    dana = await world.new_person("dana@example.com")
    assert dana

    async def work() -> None:
        await world.mint_key(robin, "during\x1b[31m")
        await world.sign_in("dana@example.com")

    found, why = told(await during(page, f"{TAIL}?event=api_key.*", work()))
    assert [(one["event"], one["actor"], one["facts"]["label"]) for one in found] == [
        ("api_key.created", OPERATOR, "during\\x1b[31m")
    ]
    assert why == "time"
    found, _ = told(await during(page, ALL, world.sign_in("dana@example.com")))
    assert {one["actor"] for one in found if one["event"] == "session.created"} == {"dana@example.com"}
    assert "auth.succeeded" not in {one["event"] for one in found}


async def test_a_count_that_rises_is_told_again(world: World, short: None) -> None:
    page = await world.page_client()
    await early_in_the_minute()

    async def work() -> None:
        for _ in range(2):
            await world.bearer("garbage", ip="198.51.100.5").get("/v1/users/me")
            await asyncio.sleep(0.3)

    found, _ = told(await during(page, f"{ALL}?ip=198.51.100.5", work()))
    assert [one["count"] for one in found] == [1, 2]
    assert len({one["id"] for one in found}) == 1


async def test_it_ends_with_the_session(world: World, short: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tail, "LASTS", timedelta(seconds=20))
    page = await world.page_client()
    _, why = told(await during(page, TAIL, page.post("/api/logout", data={"_csrf": page.headers["X-CSRF-Token"]})))
    assert why == "right"


async def test_it_ends_when_the_right_is_taken(world: World, short: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tail, "LASTS", timedelta(seconds=20))
    robin = await world.sign_in()
    sam = await world.new_person("sam@example.com", Role.ADMIN, await world.account_id(robin))
    page = await world.page_client("sam@example.com")
    answer = robin.patch(f"/v1/admin/users/{sam['user_id']}", json={"suspended": True})
    _, why = told(await during(page, TAIL, answer))
    assert why == "right"


async def test_only_a_pages_session_may_follow_and_only_so_many(
    world: World, short: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tail, "READERS", 3)
    robin = await world.sign_in()
    assert (await robin.get(TAIL)).status_code == 401
    assert (await world.anonymous().get(TAIL)).status_code == 401
    await world.new_person("dana@example.com")
    dana = await world.page_client("dana@example.com")
    assert (await dana.get(ALL)).status_code == 403
    wrong = await dana.get(TAIL, params={"event": "what?"})
    assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (422, "event")
    page = await world.page_client()
    answers = await asyncio.gather(*(page.get(TAIL) for _ in range(tail.READERS + 2)))
    assert sorted(one.status_code for one in answers) == [200] * tail.READERS + [503] * 2
    assert (await page.get(TAIL)).status_code == 200


async def test_the_plot_counts_the_last_day_by_the_hour(world: World) -> None:
    page = await world.page_client()
    for _ in range(3):
        await world.bearer("garbage").get("/v1/users/me")
    shown = (await page.get("/audit-log")).text
    assert "in the last 24 hours, successful authentications left out; 3 failed." in shown
    assert '<svg viewBox="0 0 720 98" role="img"' in shown
    assert "style=" not in shown


def test_a_bar_is_as_high_as_its_hour_and_never_invisible() -> None:
    now = clock.now()
    first = first_hour(now)
    plot = drawn(Hours({first: (1, 1), first + 5: (1000, 10), first + SPAN: (9, 9)}, whole=False), now)
    assert (len(plot.bars), plot.total, plot.failed, plot.whole) == (SPAN, 1001, 11, False)
    assert (plot.bars[0].height, plot.bars[0].failed_height, plot.bars[5].height) == (2, 2, HEIGHT)
    assert plot.bars[1].height == 0
    assert plot.busiest == plot.bars[5]
    assert drawn(Hours({}, whole=True), now).busiest is None
