"""`GET /v1/admin/system-keys`: what is shown of a key, in which order, and to whom."""

from typing import Any

import pytest

from lumio.access import policy
from lumio.access.policy import Role
from tests.support.system_keys import KEYS, LABEL, appoint, carrying, mint, rows
from tests.support.world import World

PROFILES = "/v1/admin/system-key-profiles"


async def test_a_key_is_shown_by_its_label_and_never_in_part(world: World) -> None:
    robin = await world.sign_in()
    made = await mint(robin)
    (item,) = (await robin.get(KEYS)).json()["data"]
    assert item == {
        "id": made["id"],
        "label": LABEL,
        "permissions": made["permissions"],
        "created_at": made["created_at"],
        "last_used_at": None,
    }


async def test_the_newest_key_comes_first_and_pages_follow_each_other_without_gap(world: World) -> None:
    robin = await world.sign_in()
    for number in range(5):
        await mint(robin, f"bot-{number}", "probe")
    found: list[str] = []
    address = f"{KEYS}?limit=2"
    while address:
        answer = (await robin.get(address)).json()
        assert len(answer["data"]) <= 2
        found += [item["label"] for item in answer["data"]]
        address = answer["_links"].get("next", {}).get("href")
    assert found == [f"bot-{number}" for number in (4, 3, 2, 1, 0)]


@pytest.mark.parametrize("query", ["limit=0", "limit=201", "cursor=%21", "permissions=x"])
async def test_a_page_that_cannot_be_is_refused(world: World, query: str) -> None:
    assert (await (await world.sign_in()).get(f"{KEYS}?{query}")).status_code == 422


async def _attempts(client: Any, key_id: str) -> dict[str, int]:
    """Return the status of each operation; the deletion comes last."""
    return {
        "list": (await client.get(KEYS)).status_code,
        "profiles": (await client.get(PROFILES)).status_code,
        "create": (await client.post(KEYS, json={"label": "x", "profile": "probe"})).status_code,
        "delete": (await client.delete(f"{KEYS}/{key_id}")).status_code,
    }


NOTHING = {"list": 403, "profiles": 403, "create": 403, "delete": 403}


@pytest.mark.parametrize("role", list(Role))
async def test_no_role_of_an_account_reaches_them(world: World, role: Role) -> None:
    robin = await world.sign_in()
    made = await mint(robin)
    await world.new_person("kim@example.com", role, await world.account_id(robin))
    assert await _attempts(await world.sign_in("kim@example.com"), made["id"]) == NOTHING
    assert len(await rows(world)) == 1


@pytest.mark.parametrize(
    ("held", "allowed"),
    [
        (set(), {}),
        ({"system-keys:read"}, {"list": 200, "profiles": 200}),
        ({"system-keys:create"}, {"create": 201}),
        ({"system-keys:delete"}, {"delete": 200}),
        ({"system-keys:read", "system-keys:create"}, {"list": 200, "profiles": 200, "create": 201}),
    ],
)
async def test_an_admin_role_reaches_exactly_what_it_holds(
    world: World, monkeypatch: pytest.MonkeyPatch, held: set[str], allowed: dict[str, int]
) -> None:
    made = await mint(await world.sign_in())
    monkeypatch.setitem(policy.ADMIN_ROLES, "part", frozenset(held | {"admin:access"}))
    kim = await appoint(world, "kim@example.com", "part")
    assert await _attempts(kim, made["id"]) == NOTHING | allowed


async def test_without_admin_access_the_other_admin_permissions_are_worth_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = await mint(await world.sign_in())
    held = policy.ADMIN_ROLES[policy.SYSTEM_ADMIN] - {"admin:access"}
    monkeypatch.setitem(policy.ADMIN_ROLES, "part", held)
    kim = await appoint(world, "kim@example.com", "part")
    assert await _attempts(kim, made["id"]) == NOTHING
    assert not set((await kim.get("/v1/users/me")).json()["data"]["permissions"]) & held


async def test_other_kinds_of_credential_do_not_reach_them(world: World) -> None:
    robin = await world.sign_in()
    made = await mint(robin)
    developer = world.bearer((await world.mint_key(robin))["key"])
    assert await _attempts(developer, made["id"]) == NOTHING
    assert await _attempts(carrying(world, made["key"]), made["id"]) == NOTHING
    assert set((await _attempts(world.anonymous(), made["id"])).values()) == {401}
    assert len(await rows(world)) == 1
