"""The two pages of the audit log: their filters, their place in the address, their exports."""

import re
from html import unescape
from typing import Any

import httpx2
import pytest

from lumio.audit.store import reading
from tests.support.audit_rows import lay, row
from tests.support.operators import give, lay_role
from tests.support.world import OPERATOR, World

LOG, PLATFORM = "/dashboard/account/security/audit-log", "/audit-log"


async def shown(client: httpx2.AsyncClient, path: str, **query: str) -> str:
    answer = await client.get(path, params=query)
    assert answer.status_code == 200, answer.text
    return answer.text


def events_of(page: str) -> list[str]:
    return re.findall(r'<td role="cell" class="wide-cell"><code>([^<]+)</code>', page)


async def test_successful_authentications_are_hidden_until_asked_for(world: World) -> None:
    robin = await world.page_client()
    for path in (LOG, PLATFORM):
        assert "auth.succeeded" not in events_of(await shown(robin, path))
        assert "auth.succeeded" in events_of(await shown(robin, path, show_authentications="1"))


async def test_filters_stand_in_the_address_and_in_the_form(world: World) -> None:
    robin = await world.page_client()
    person = await world.new_person("dana@example.com")
    await world.sign_in("dana@example.com", ip="198.51.100.44")
    filters = {"event": "session.*", "actor": "dana@example.com", "ip": "198.51.100.44", "result": "success"}
    page = await shown(robin, PLATFORM, **filters, account_id=person["account_id"])
    assert events_of(page) == ["session.created"]
    for name, value in {**filters, "account_id": person["account_id"]}.items():
        assert f'name="{name}"' in page
        assert f'value="{value}"' in page
    assert events_of(await shown(robin, LOG, **filters)) == []
    wrong = await robin.get(PLATFORM, params={"event": "what?", "since": "soon"})
    assert wrong.status_code == 422
    assert "These filters cannot be read" in wrong.text


async def test_the_operators_page_asks_for_its_right_and_has_its_place(world: World) -> None:
    reader = await world.new_person("reader@example.com")
    await give(world, reader["user_id"], await lay_role(world, "auditor", {"admin:access", "platform-audit:read"}))
    keeper = await world.new_person("keeper@example.com")
    await give(world, keeper["user_id"], await lay_role(world, "keeper", {"admin:access", "users:read"}))
    page = await shown(await world.page_client("reader@example.com"), PLATFORM)
    assert 'href="/audit-log" aria-current="page"' in re.sub(r"\s+", " ", page)
    other = await world.page_client("keeper@example.com")
    refused = await other.get(PLATFORM)
    assert (refused.status_code, OPERATOR in refused.text) == (403, False)
    assert 'href="/audit-log"' not in (await other.get(LOG)).text
    assert (await world.anonymous().get(PLATFORM)).status_code == 303


async def test_rows_of_every_account_and_of_none_stand_on_the_operators_page(world: World) -> None:
    robin = await world.page_client()
    await world.bearer("garbage", ip="198.51.100.9").get("/v1/users/me")
    page = await shown(robin, PLATFORM)
    assert "auth.failed" in events_of(page)
    assert "198.51.100.9" in page
    assert "auth.failed" not in events_of(await shown(robin, LOG))


async def test_the_links_to_exports_keep_the_filters_and_lead_to_a_file(world: World) -> None:
    robin = await world.page_client()
    for path in (LOG, PLATFORM):
        page = await shown(robin, path, event="session.*", actor=OPERATOR)
        links = [unescape(link) for link in re.findall(r'href="(/api/[^"]+/export[^"]*)"', page)]
        assert len(links) == 3
        for link in links:
            answer = await robin.get(link)
            assert answer.status_code == 200
            assert answer.headers["content-disposition"].startswith("attachment; filename=")
            assert b'"statement":"export"' in answer.content
        assert "event=session.%2A" in links[0]
        assert "event" not in links[2]


async def test_a_page_that_looked_far_says_how_far_and_leads_on(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    robin = await world.page_client()
    await lay(world, [row(at, event="thing.made", result="failure" if at else "success") for at in range(60)])
    monkeypatch.setattr(reading, "REACH", 25)
    query: dict[str, Any] = {"event": "thing.made", "result": "success"}
    first = await shown(robin, PLATFORM, **query)
    assert "Nothing so far" in first
    assert "Looked back to" in first
    cursor = re.search(r'name="cursor" value="([^"]+)"', first)
    assert cursor is not None
    second = await shown(robin, PLATFORM, **query, cursor=cursor.group(1))
    third = re.search(r'name="cursor" value="([^"]+)"', second)
    assert third is not None
    assert events_of(await shown(robin, PLATFORM, **query, cursor=third.group(1))) == ["thing.made"]
