"""The audit log over GraphQL: a connection, with the rows of REST."""

from typing import Any

import pytest

from lumio.audit.store import reading
from tests.api.graphql.asking import granted, refused
from tests.support.audit_rows import lay, row
from tests.support.world import World

LOG = """query($first: Int!, $after: String, $filter: AuditFilter) {
  auditLog(first: $first, after: $after, filter: $filter) {
    edges { cursor node { id event actor result } }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
  }
}"""
ONLY_KEYS = {"event": "api_key.*"}


async def _page(client: Any, first: int, after: str | None = None, **chosen: Any) -> dict[str, Any]:
    found: dict[str, Any] = (await granted(client, LOG, first=first, after=after, filter=chosen or None))["auditLog"]
    return found


async def test_pages_joined_are_the_log_of_rest(world: World) -> None:
    robin = await world.sign_in()
    for number in range(5):
        await world.mint_key(robin, f"key-{number}")
    found, after, more, pages = [], None, True, 0
    while more:
        page = await _page(robin, 2, after, **ONLY_KEYS)
        assert page["pageInfo"]["hasPreviousPage"] is (pages > 0)
        assert page["pageInfo"]["startCursor"] == page["edges"][0]["cursor"]
        assert page["pageInfo"]["endCursor"] == page["edges"][-1]["cursor"]
        found += [edge["node"]["id"] for edge in page["edges"]]
        more, after, pages = page["pageInfo"]["hasNextPage"], page["pageInfo"]["endCursor"], pages + 1

    assert found == [entry["id"] for entry in await world.log(robin, event="api_key.*")]
    assert (len(found), pages) == (5, 3)


async def test_reading_on_is_possible_after_every_edge(world: World) -> None:
    robin = await world.sign_in()
    for number in range(4):
        await world.mint_key(robin, f"key-{number}")
    edges = (await _page(robin, 200, **ONLY_KEYS))["edges"]
    for place, edge in enumerate(edges):
        rest = (await _page(robin, 200, edge["cursor"], **ONLY_KEYS))["edges"]
        assert [one["node"]["id"] for one in rest] == [one["node"]["id"] for one in edges[place + 1 :]]


async def test_an_empty_page_has_no_cursors(world: World) -> None:
    page = await _page(await world.sign_in(), 10, actor="nobody")
    assert page == {
        "edges": [],
        "pageInfo": {"hasNextPage": False, "hasPreviousPage": False, "startCursor": None, "endCursor": None},
    }


async def test_every_filter_narrows(world: World) -> None:
    robin = await world.sign_in()
    made = await world.mint_key(robin)
    await granted(world.bearer(made["key"], ip="198.51.100.9"), "{ me { kind } }")
    chosen: list[dict[str, Any]] = [
        {"actor": "ci-github-actions"},
        {"ip": "198.51.100.9"},
        {"credentialId": made["id"]},
        {"event": "auth.succeeded", "result": "success", "actor": "ci-github-actions"},
    ]
    for one in chosen:
        events = [edge["node"]["event"] for edge in (await _page(robin, 50, **one))["edges"]]
        assert events == ["auth.succeeded"], one
    hidden = await _page(robin, 50, hideAuthentications=True)
    assert "auth.succeeded" not in {edge["node"]["event"] for edge in hidden["edges"]}
    assert (await _page(robin, 50, since="2099-01-01T00:00:00Z"))["edges"] == []
    assert (await _page(robin, 50, until="2020-01-01T00:00:00Z"))["edges"] == []


@pytest.mark.parametrize(
    ("chosen", "field", "rule"),
    [
        ({"event": "no such event"}, "event", "pattern"),
        ({"result": "maybe"}, "result", "choice"),
        ({"since": "yesterday"}, "since", "time"),
        ({"until": "2026-01-01T00:00:00"}, "until", "time"),
    ],
)
async def test_a_bad_filter_is_refused_by_name(world: World, chosen: dict[str, Any], field: str, rule: str) -> None:
    told = await refused(await world.sign_in(), LOG, first=10, filter=chosen)
    assert told["code"] == "validation_error"
    assert [(one["field"], one["rule"]) for one in told["errors"]] == [(field, rule)]


async def test_another_account_sees_nothing_of_it(world: World) -> None:
    robin = await world.sign_in()
    await world.mint_key(robin)
    await world.new_person("dana@example.com")
    edges = (await _page(await world.sign_in("dana@example.com"), 50))["edges"]
    assert {edge["node"]["actor"] for edge in edges} == {"dana@example.com"}


async def test_a_page_that_was_cut_short_can_be_read_on(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    robin = await world.sign_in()
    account = await world.account_id(robin)
    await lay(world, [row(at, account_id=account, result="failure" if at else "success") for at in range(60)])
    monkeypatch.setattr(reading, "REACH", 25)
    after, pages, found = None, 0, 0
    while pages == 0 or after is not None:
        page = await _page(robin, 50, after, event="auth.failed", result="success")
        after = page["pageInfo"]["endCursor"] if page["pageInfo"]["hasNextPage"] else None
        pages, found = pages + 1, found + len(page["edges"])
    assert (pages, found) == (3, 1)


ADMIN = """query($first: Int!, $after: String, $filter: AdminAuditFilter) {
  adminAuditLog(first: $first, after: $after, filter: $filter) {
    edges { cursor node { id event actor accountId count position } } pageInfo { hasNextPage }
  }
}"""


async def test_the_operator_reads_every_account_and_what_belongs_to_none(world: World) -> None:
    robin = await world.sign_in()
    dana = await world.new_person("dana@example.com")
    client = await world.sign_in("dana@example.com")
    await world.bearer("garbage").get("/v1/users/me")
    found = (await granted(robin, ADMIN, first=50))["adminAuditLog"]["edges"]
    accounts = {edge["node"]["accountId"] for edge in found}
    assert {None, dana["account_id"], await world.account_id(robin)} <= accounts
    chosen = {"accountId": dana["account_id"], "event": "session.created"}
    (mine,) = (await granted(robin, ADMIN, first=50, filter=chosen))["adminAuditLog"]["edges"]
    assert mine["node"]["actor"] == "dana@example.com"
    rest = (await robin.get("/v1/admin/audit-log", params={"account_id": dana["account_id"]})).json()["data"]
    told = (await granted(robin, ADMIN, first=50, filter={"accountId": dana["account_id"]}))["adminAuditLog"]["edges"]
    assert [one["id"] for one in rest] == [edge["node"]["id"] for edge in told]
    assert (await refused(client, ADMIN, first=1))["code"] == "forbidden"
