"""How a query may be carried: a POST of one JSON object, and on `/api` from our own pages only (threat 15)."""

import json

import pytest

from tests.api.graphql.asking import granted
from tests.support.world import World

ME = "{ me { kind } }"
CREATE = 'mutation { createApiKey(label: "forged") { key } }'
JSON = {"Content-Type": "application/json"}


async def _labels(world: World) -> list[str]:
    keys = await granted(await world.sign_in(), "{ apiKeys { label } }")
    return [one["label"] for one in keys["apiKeys"]]


@pytest.mark.parametrize("path", ["/v1/gql", "/api/gql"])
async def test_a_query_in_the_address_is_refused(world: World, path: str) -> None:
    page = await world.page_client()
    for client in (await world.sign_in(), page):
        answer = await client.get(path, params={"query": CREATE})
        assert answer.status_code == 405
        assert "POST" in answer.headers["allow"]
        assert answer.json()["code"] == "method_not_allowed"
    assert await _labels(world) == []


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/x-www-form-urlencoded", "application/graphql", ""]
)
async def test_json_under_another_content_type_is_refused(world: World, content_type: str) -> None:
    for client, path in ((await world.sign_in(), "/v1/gql"), (await world.page_client(), "/api/gql")):
        headers = {"Content-Type": content_type}
        answer = await client.post(path, content=json.dumps({"query": CREATE}), headers=headers)
        assert answer.status_code == 400
        assert answer.json()["errors"][0]["extensions"]["errors"][0]["rule"] == "content_type"
    assert await _labels(world) == []


async def test_a_list_of_queries_is_refused(world: World) -> None:
    answer = await (await world.sign_in()).post("/v1/gql", json=[{"query": CREATE}, {"query": CREATE}])
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["extensions"]["errors"][0]["rule"] == "batch"
    assert await _labels(world) == []


@pytest.mark.parametrize(
    ("body", "status", "field", "rule"),
    [
        (b"{", 400, "", "json"),
        (b"\xff", 400, "", "json"),
        (b"null", 422, "", "type"),
        (b"{}", 422, "query", "required"),
        (b'{"query": ""}', 422, "query", "length"),
        (b'{"query": 7}', 422, "query", "type"),
        (b'{"query": "{ me { kind } }", "variables": []}', 422, "variables", "type"),
        (b'{"query": "{ me { kind } }", "id": "x"}', 422, "id", "unknown"),
        (b'{"query": "{ me { kind } }", "operationName": "Other"}', 422, "operationName", "unknown"),
        (b'{"query": "fragment A on Me { kind }"}', 422, "operationName", "unknown"),
        (b'{"query": "{ me { kind } }", "variables": ' + b'{"a":' * 40 + b"1" + b"}" * 41, 400, "", "depth"),
    ],
)
async def test_a_body_of_another_shape_is_refused_by_name(
    world: World, body: bytes, status: int, field: str, rule: str
) -> None:
    answer = await (await world.sign_in()).post("/v1/gql", content=body, headers=JSON)
    told = answer.json()["errors"][0]["extensions"]
    assert (answer.status_code, told["code"]) == (status, "validation_error")
    assert [(one["field"], one["rule"]) for one in told["errors"]] == [(field, rule)]


async def test_a_body_above_one_mebibyte_is_refused(world: World) -> None:
    body = b'{"query": "' + b"x" * 1024 * 1024 + b'"}'
    answer = await (await world.sign_in()).post("/v1/gql", content=body, headers=JSON)
    assert answer.status_code == 413
    assert answer.json()["errors"][0]["extensions"]["code"] == "payload_too_large"


async def test_an_idempotency_key_is_refused_and_not_silently_dropped(world: World) -> None:
    robin = await world.sign_in()
    answer = await robin.post("/v1/gql", json={"query": CREATE}, headers={"Idempotency-Key": "once"})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["extensions"]["errors"][0]["field"] == "Idempotency-Key"
    assert await _labels(world) == []


async def test_a_bad_credential_ends_the_request_and_is_not_anonymous(world: World) -> None:
    answer = await world.bearer("lm_dev_" + "x" * 57).post("/v1/gql", json={"query": "{ __typename }"})
    assert answer.status_code == 401
    assert "WWW-Authenticate" in answer.headers
    assert (await granted(world.anonymous(), "{ __typename }")) == {"__typename": "Query"}


async def test_a_page_asks_with_its_form_token(world: World) -> None:
    page = await world.page_client()
    answer = await page.post("/api/gql", json={"query": CREATE})
    assert answer.json()["data"]["createApiKey"]["key"].startswith("lm_dev_")


@pytest.mark.parametrize(
    "wrong",
    [
        {"X-CSRF-Token": ""},
        {"X-CSRF-Token": "0" * 64},
        {"Origin": "https://evil.example"},
        {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"},
    ],
)
async def test_a_forged_request_with_the_cookie_is_refused(world: World, wrong: dict[str, str]) -> None:
    page = await world.page_client()
    answer = await page.post("/api/gql", json={"query": CREATE}, headers=wrong)
    assert answer.status_code == 403
    assert answer.json()["errors"][0]["extensions"]["code"] == "forbidden"
    assert await _labels(world) == []


async def test_the_cookie_alone_is_nobody_under_v1(world: World) -> None:
    page = await world.page_client()
    answer = await page.post("/v1/gql", json={"query": ME})
    assert answer.json()["errors"][0]["extensions"]["code"] == "unauthorized"
