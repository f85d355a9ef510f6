"""Threat 50: `admin:access` stands in front of every admin page and route, and each asks its own permission."""

from typing import Any

import httpx2
import pytest

from lumio.access import permission, policy
from lumio.access.census import census
from lumio.app import SERVICES
from lumio.surface.rest.openapi import described
from tests.support.operators import ROLES, USERS, lay_role
from tests.support.system_keys import appoint
from tests.support.world import World

PAGES = ("/system", "/users")
Call = tuple[str, str, dict[str, Any] | None]


def set_role(monkeypatch: pytest.MonkeyPatch, *permissions: str) -> None:
    """Let the role `tested` mean exactly this from now on."""
    monkeypatch.setitem(policy.ADMIN_ROLES, "tested", frozenset(permissions))


async def ask(client: httpx2.AsyncClient, call: Call) -> httpx2.Response:
    method, path, body = call
    return await client.request(method, path, json=body)


async def test_every_admin_route_asks_a_permission_of_the_admin_group(world: World) -> None:
    admin = [one for one in described(world.house.web) if one.path.startswith("/v1/admin/")]
    assert {one.path for one in admin} >= {USERS, ROLES, "/v1/admin/system-keys"}
    assert {
        one.path: one.shown.terms.permission for one in admin if one.shown.terms.permission not in permission.ADMIN
    } == {}


async def test_without_admin_access_no_admin_permission_of_any_action_counts(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_role(monkeypatch, *(permission.ADMIN - {"admin:access"}))
    kim = await appoint(world, "kim@example.com", "tested")
    rights = set((await kim.get("/v1/users/me")).json()["data"]["permissions"])
    asked = {terms.permission for terms in census(SERVICES)} & permission.ADMIN
    assert asked
    assert rights & asked == set()
    for one in described(world.house.web):
        if one.path.startswith("/v1/admin/") and one.method == "GET" and "{" not in one.path:
            assert (await kim.get(one.path)).status_code == 403, one.path
    page = await world.page_client("kim@example.com")
    for path in PAGES:
        assert (await page.get(path)).status_code == 403, path
    assert "/users" not in (await page.get("/dashboard/extensions")).text


def matrix(person: str, role: str) -> dict[str, list[Call]]:
    """Return every request of these routes by the permission that it needs."""
    return {
        "users:read": [("GET", USERS, None)],
        "users:edit": [
            ("PATCH", f"{USERS}/{person}", {"suspended": False}),
            ("PATCH", f"{USERS}/{person}", {"admin_roles": []}),
        ],
        "admin-roles:read": [("GET", ROLES, None)],
        "admin-roles:edit": [
            ("POST", ROLES, {"name": "made", "permissions": ["admin:access"]}),
            ("PATCH", f"{ROLES}/{role}", {"name": "renamed"}),
            ("DELETE", f"{ROLES}/{role}", None),
        ],
    }


async def test_each_request_needs_its_own_permission_and_no_other_will_do(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_role(monkeypatch, "admin:access")
    kim = await appoint(world, "kim@example.com", "tested")
    person = (await world.new_person("lee@example.com"))["user_id"]
    role = await lay_role(world, "empty", {"admin:access"})
    calls = matrix(person, role)
    for needed, requests in calls.items():
        for call in requests:
            set_role(monkeypatch, *(permission.ADMIN - {needed}))
            refused = await ask(kim, call)
            assert (refused.status_code, refused.json()["code"]) == (403, "forbidden"), call
            assert needed in refused.json()["detail"]
    for needed, requests in calls.items():
        set_role(monkeypatch, "admin:access", needed)
        for call in requests:
            assert (await ask(kim, call)).status_code in {200, 201}, call


async def test_who_may_only_look_changes_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    set_role(monkeypatch, "admin:access", *(name for name in permission.ADMIN if name.endswith(":read")))
    kim = await appoint(world, "kim@example.com", "tested")
    person = (await world.new_person("lee@example.com"))["user_id"]
    calls = matrix(person, await lay_role(world, "empty", {"admin:access"}))
    for needed, requests in calls.items():
        for call in requests:
            assert (await ask(kim, call)).status_code == (200 if needed.endswith(":read") else 403), call
    page = await world.page_client("kim@example.com")
    shown = (await page.get("/users")).text
    assert "lee@example.com" in shown
    for control in ("Suspend<", "Save Roles", 'id="new-role"', 'data-action="edit"'):
        assert control not in shown
    assert "users:edit" in shown


async def test_members_and_keys_get_nowhere(world: World) -> None:
    robin = await world.sign_in()
    key = world.bearer((await world.mint_key(robin))["key"])
    await world.new_person("mo@example.com")
    owner = await world.sign_in("mo@example.com")
    person = (await world.new_person("lee@example.com"))["user_id"]
    for requests in matrix(person, await lay_role(world, "empty", {"admin:access"})).values():
        for call in requests:
            answers = [await ask(client, call) for client in (owner, key, world.anonymous())]
            assert [answer.status_code for answer in answers] == [403, 403, 401], call
