"""What an error tells and what it never tells."""

from typing import Any

import pytest
import structlog
from graphql import GraphQLError

from lumio.crypto import opaque
from lumio.keys.store import KeyStore
from lumio.surface.graph import faults
from tests.api.graphql.asking import ask
from tests.support.world import World


async def test_every_error_carries_the_request_id_of_its_answer(world: World) -> None:
    for query in ("{", "{ nope }", "{ me { kind } }", "{ apiKeys(first: 0) { id } }"):
        answer = await world.anonymous().post("/v1/gql", json={"query": query})
        told = [one["extensions"] for one in answer.json()["errors"]]
        assert {one["requestId"] for one in told} == {answer.headers["X-Request-Id"]}, query
        assert {one["code"] for one in told} <= {"unauthorized", "validation_error"}, query


async def test_what_was_not_foreseen_says_internal_error_and_is_logged(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: Any) -> Any:
        message = "disk on fire at /var/secret"
        raise ZeroDivisionError(message)

    monkeypatch.setattr(KeyStore, "live", broken)
    with structlog.testing.capture_logs() as lines:
        answer = await ask(await world.sign_in(), "{ apiKeys { id } }")

    assert answer["errors"][0]["extensions"]["code"] == "internal_error"
    assert answer["errors"][0]["path"] == ["apiKeys"]
    assert "fire" not in str(answer)
    assert "Traceback" not in str(answer)
    assert [line["event"] for line in lines if "fire" in line.get("error", "")] == ["unforeseen"]


async def test_a_step_up_refusal_says_how_to_prove(world: World) -> None:
    key = await world.mint_key(await world.sign_in())
    answer = await ask(world.bearer(key["key"]), 'mutation { createApiKey(label: "x") { key } }')
    told = answer["errors"][0]["extensions"]
    assert told["code"] == "step_up_required"
    assert told["step_up"]["max_age"] == 600
    assert "password" in told["step_up"]["methods"]


async def test_a_key_that_was_sent_by_mistake_is_refused_and_not_sent_back(world: World) -> None:
    robin, secret = await world.sign_in(), opaque.mint(opaque.DEVELOPER_KEY).text
    by_variable = "mutation($id: ID!) { revokeApiKey(id: $id) { id } }"
    questions: list[dict[str, Any]] = [
        {"query": by_variable, "variables": {"id": secret}},
        {"query": by_variable, "variables": {"id": {"x": secret}}},
        {"query": f"{{ {secret} }}"},
        {"query": f"mutation {{ revokeApiKey(id: {secret}) {{ id }} }}"},
        {"query": f'mutation {{ revokeApiKey(id: "{secret}") {{ id }} }}'},
        {"query": "{ me { kind } }", "operationName": secret},
        {"query": "{ me { kind } }", secret: 1},
    ]
    for question in questions:
        answer = await robin.post("/v1/gql", json=question)
        assert answer.json()["errors"][0]["extensions"]["code"] == "validation_error", question
        assert secret not in answer.text, question


def test_a_key_in_the_words_of_the_query_language_is_masked() -> None:
    secret = opaque.mint(opaque.DEVELOPER_KEY).text
    shown = faults.located(GraphQLError(f"Cannot query field '{secret}' on type 'Query'."), "0199")
    assert secret not in str(shown)
    assert shown["message"].startswith("Cannot query field 'lm_dev_")


async def test_a_refusal_is_no_line_in_the_log_of_the_library(world: World, caplog: pytest.LogCaptureFixture) -> None:
    for query in ("{", "{ nope }", "{ me { kind } }"):
        assert (await ask(world.anonymous(), query))["errors"], query
    assert [one for one in caplog.records if one.name.startswith("strawberry")] == []


async def test_a_query_that_does_not_fit_the_schema_has_errors_and_no_result(world: World) -> None:
    answer = await ask(await world.sign_in(), "{ me { kind nope } }")
    assert answer["errors"][0]["locations"] == [{"line": 1, "column": 13}]
    assert "data" not in answer


async def test_a_wrong_name_is_not_answered_with_the_right_one(world: World) -> None:
    answer = await ask(world.anonymous(), "{ apiKey { id } }")
    assert "apiKeys" not in str(answer)
