"""Asking in GraphQL, as a test says it."""

from typing import Any

import httpx2

GRAPHQL = "/v1/gql"


async def ask(client: httpx2.AsyncClient, query: str, path: str = GRAPHQL, **variables: Any) -> dict[str, Any]:
    """Return `data` and `errors` of a query that is carried well."""
    answer = await client.post(path, json={"query": query, "variables": variables})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def granted(client: httpx2.AsyncClient, query: str, **variables: Any) -> dict[str, Any]:
    """Return the `data` of a query that nothing is wrong with."""
    answer = await ask(client, query, **variables)
    assert "errors" not in answer, answer
    found: dict[str, Any] = answer["data"]
    return found


async def refused(client: httpx2.AsyncClient, query: str, **variables: Any) -> dict[str, Any]:
    """Return the `extensions` of the only error of a query."""
    answer = await ask(client, query, **variables)
    assert len(answer.get("errors", [])) == 1, answer
    found: dict[str, Any] = answer["errors"][0]["extensions"]
    return found
