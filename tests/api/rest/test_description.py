"""The OpenAPI document, used against the server that it describes: generated input never breaks anything.

The cases are drawn first and sent afterwards, so that the house runs on one event loop.
"""

import json
from typing import Any

import httpx2
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.core.result import Ok

from tests.support.world import World

EXAMPLES = 4
OWN = ("/v1/api-keys", "/v1/audit-log", "/v1/auth", "/v1/users", "/v1/setup")


def draw(operation: Any, mode: GenerationMode) -> list[Any]:
    """Return some cases of an operation: good ones, or ones that break its description."""
    cases: list[Any] = []

    @settings(
        max_examples=EXAMPLES, database=None, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def collect(case: Any) -> None:
        cases.append(case)

    collect()
    return cases


async def send(client: httpx2.AsyncClient, case: Any) -> httpx2.Response:
    """Send a case as it was drawn; a body that is bytes already goes out as it is."""
    content = None
    if type(case.body).__name__ != "NotSet":
        content = case.body if isinstance(case.body, bytes) else json.dumps(case.body).encode()
    headers = {} if content is None else {"Content-Type": "application/json"}
    path, query = case.formatted_path, case.query or None
    return await client.request(case.operation.method, path, params=query, content=content, headers=headers)


@pytest.mark.parametrize("template", ["sqlite"], indirect=True)  # what is drawn does not depend on the database
async def test_generated_requests_get_an_answer_that_the_description_knows(world: World) -> None:
    robin = await world.sign_in()
    document = (await robin.get("/v1/api-doc/openapi.json")).json()
    found = schemathesis.openapi.from_dict(document)
    sent = 0
    for result in found.get_all_operations():
        assert isinstance(result, Ok), result
        operation = result.ok()
        if not operation.path.startswith(OWN) or operation.path.endswith("/logout"):
            continue
        responses = document["paths"][operation.path][operation.method.lower()]["responses"]
        modes = [GenerationMode.POSITIVE] + ([GenerationMode.NEGATIVE] if operation.body else [])
        for case in [one for mode in modes for one in draw(operation, mode)]:
            answer = await send(robin, case)
            sent += 1
            assert answer.status_code < 500, (operation.label, case.body, answer.text)
            if answer.is_success:
                assert str(answer.status_code) in responses, operation.label
            else:
                assert answer.headers["content-type"] == "application/problem+json", operation.label
    assert sent > 10 * EXAMPLES
