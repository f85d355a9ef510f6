"""Whoever may not ask at all hears that first: nothing is said about what they sent (threat 33)."""

import httpx2
import pytest

from lumio.access.policy import Role
from tests.support.world import World

JSON = {"Content-Type": "application/json"}
OPEN = ("/v1/auth/", "/v1/setup")
"""Where somebody gets in, a body without a credential is the rule."""
GUARDED_THERE = ("/v1/auth/step-up", "/v1/auth/logout", "/v1/auth/introspect")


async def routes(world: World) -> list[tuple[str, str]]:
    """Return (method, path) of every described route that takes no stranger."""
    document = (await world.anonymous().get("/v1/api-doc/openapi.json")).json()
    found = [
        (method.upper(), path.replace("{", "").replace("}", ""))
        for path, operations in document["paths"].items()
        for method in operations
        if not path.startswith(OPEN) or path in GUARDED_THERE
    ]
    assert len(found) > 30
    return found


async def test_a_stranger_is_told_so_whatever_they_send(world: World) -> None:
    for method, path in await routes(world):
        if method == "GET":
            twice = await world.anonymous().get(f"{path}?limit=1&limit=2")
            assert twice.status_code == 401, (method, path, twice.text)
            continue
        for content in (b"{", b"", b"[[[", b'{"unknown": 1}'):
            answer = await world.anonymous().request(method, path, content=content, headers=JSON)
            assert answer.status_code == 401, (method, path, content, answer.text)
        bad_key = {**JSON, "Idempotency-Key": "not one"}
        answer = await world.anonymous().request(method, path, content=b"{}", headers=bad_key)
        assert answer.status_code == 401, (method, path, answer.text)


async def _refused(client: httpx2.AsyncClient, path: str) -> tuple[int, str]:
    answer = await client.post(path, content=b"{", headers=JSON)
    return answer.status_code, answer.json()["code"]


@pytest.mark.parametrize("path", ["/v1/api-keys", "/v1/tokens"])
async def test_a_key_that_can_never_do_it_hears_that_before_its_body_is_judged(world: World, path: str) -> None:
    robin = await world.sign_in()
    key = (await world.mint_key(robin))["key"]
    assert await _refused(world.bearer(key), path) == (403, "step_up_required")
    assert await _refused(robin, path) == (400, "validation_error")


async def test_a_person_without_the_right_still_learns_that_the_body_was_broken(world: World) -> None:
    """What somebody holds is read inside the unit, and a broken body never gets there."""
    robin = await world.sign_in()
    await world.new_person("mo@example.com", Role.MEMBER, await world.account_id(robin))
    mo = await world.sign_in("mo@example.com")
    assert await _refused(mo, "/v1/admin/system-keys") == (400, "validation_error")
