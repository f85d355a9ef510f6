"""`POST /v1/admin/system-keys` and `POST /api/system-keys`: what a key is made with, and who may make which."""

from dataclasses import replace
from typing import Any

import pytest

from lumio.access import permission, policy
from lumio.app import build
from lumio.crypto import opaque
from lumio.kernel import clock
from lumio.settings import Settings
from tests.support.system_keys import KEYS, LABEL, appoint, carrying, journal, mint, rows
from tests.support.world import CHEAP, World, opened

PROFILES = "/v1/admin/system-key-profiles"
SERVICE = ["auth:introspect", "extensions:read", "members:read", "system-connections:use"]
KEEPER = frozenset({"admin:access", "system-keys:read", "system-keys:create", "system-keys:delete"})


async def test_the_answer_has_the_key_and_its_permissions_and_nothing_else_ever_has(world: World) -> None:
    robin = await world.sign_in()
    answer = await robin.post(KEYS, json={"label": LABEL})
    assert answer.status_code == 201
    assert answer.headers["cache-control"] == "private, no-store"
    made = answer.json()["data"]
    assert list(made) == ["id", "label", "permissions", "key", "created_at", "warnings"]
    assert opaque.is_well_formed(made["key"], opaque.SYSTEM_KEY)
    assert (made["label"], made["permissions"], made["warnings"]) == (LABEL, SERVICE, [])
    assert answer.json()["_links"]["self"]["href"] == f"{KEYS}/{made['id']}" == answer.headers["location"]
    listed = (await robin.get(KEYS)).text
    for part in (made["key"], made["key"][7:19], made["key"][19:]):
        assert part not in listed


async def test_the_row_has_an_argon2id_hash_and_nothing_of_the_key_but_its_lookup_id(settings: Settings) -> None:
    async with build(settings, password_cost=CHEAP).open() as house:  # keys at the price that they have
        world = World(house)
        made = await mint(await world.sign_in())
        (row,) = await rows(world)
    assert row.hash.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert row.lookup_id == made["key"][7:19]
    assert 0 <= row.tag < 65_536
    kept = " ".join(str(value) for value in row)
    assert made["key"][19:] not in kept
    assert made["key"] not in kept


async def test_the_page_s_address_answers_exactly_as_the_program_s(world: World) -> None:
    page = await world.page_client()
    one = (await page.post("/api/system-keys", json={"label": LABEL})).json()
    other = (await page.post("/api/admin/system-keys", json={"label": "health-check", "profile": "probe"})).json()
    third = (await (await world.sign_in()).post(KEYS, json={"label": "third"})).json()
    assert one.keys() == other.keys() == third.keys()
    assert one["data"].keys() == other["data"].keys() == third["data"].keys()
    assert one["_links"]["collection"] == third["_links"]["collection"] == {"href": KEYS}
    created = await journal(world, event="api_key.created", target_type="system_key")
    assert [(row.result, row.actor_label, row.target_id) for row in created] == [
        ("success", "robin@example.com", found["data"]["id"]) for found in (one, other, third)
    ]


async def test_the_page_s_address_needs_the_page_s_token(world: World) -> None:
    page = await world.page_client()
    del page.headers["X-CSRF-Token"]
    assert (await page.post("/api/system-keys", json={"label": LABEL})).status_code == 403
    assert await rows(world) == []


@pytest.mark.parametrize("given", [["*"], [], None])
async def test_permissions_are_never_an_input(world: World, given: Any) -> None:
    answer = await (await world.sign_in()).post(KEYS, json={"label": LABEL, "permissions": given})
    assert answer.status_code == 422
    assert answer.json()["errors"] == [
        {"field": "permissions", "rule": "unknown", "message": "There is no such field."}
    ]
    assert await rows(world) == []


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "label"),
        ({"label": ""}, "label"),
        ({"label": "   "}, "label"),
        ({"label": "x" * 101}, "label"),
        ({"label": 7}, "label"),
        ({"label": LABEL, "profile": "root"}, "profile"),
        ({"label": LABEL, "profile": ""}, "profile"),
    ],
)
async def test_bad_input_names_its_field_and_makes_nothing(world: World, body: dict[str, Any], field: str) -> None:
    answer = await (await world.sign_in()).post(KEYS, json=body)
    assert answer.status_code == 422
    assert [one["field"] for one in answer.json()["errors"]] == [field]
    assert await rows(world) == []


async def test_a_label_that_holds_a_key_is_refused_and_not_echoed(world: World) -> None:
    robin = await world.sign_in()
    secret = opaque.mint(opaque.SYSTEM_KEY).text
    answer = await robin.post(KEYS, json={"label": f"bot {secret}"})
    assert answer.status_code == 422
    assert secret not in answer.text


async def test_a_label_in_use_is_a_warning_and_no_refusal(world: World) -> None:
    robin = await world.sign_in()
    assert (await mint(robin))["warnings"] == []
    again = await mint(robin, f" {LABEL} ")
    assert len(again["warnings"]) == 1
    assert "label" in again["warnings"][0]
    assert len(await rows(world)) == 2


@pytest.mark.parametrize(
    ("profile", "permissions"),
    [
        ("service", SERVICE),
        ("introspector", ["auth:introspect"]),
        ("connections", ["system-connections:use"]),
        ("deployer", ["extensions:deploy", "extensions:read"]),
        ("probe", []),
    ],
)
async def test_each_built_in_profile_gives_its_list(world: World, profile: str, permissions: list[str]) -> None:
    robin = await world.sign_in()
    made = await mint(robin, profile=profile)
    assert made["permissions"] == permissions
    listed = {one["name"]: one for one in (await robin.get(PROFILES)).json()["data"]}
    assert listed[profile] == {"name": profile, "permissions": permissions, "default": profile == "service"}
    assert len(listed) == 5


async def test_a_profile_of_the_settings_can_be_given_and_is_listed(settings: Settings) -> None:
    more = {"kick-worker": ("extensions:read", "auth:introspect", "auth:introspect")}
    async with opened(replace(settings, profiles=more)) as world:
        robin = await world.sign_in()
        assert (await mint(robin, profile="kick-worker"))["permissions"] == ["auth:introspect", "extensions:read"]
        assert (await robin.get(PROFILES)).json()["data"][-1]["name"] == "kick-worker"


async def test_a_repetition_never_gets_the_key_again(world: World) -> None:
    robin = await world.sign_in()
    robin.headers["Idempotency-Key"] = "once"
    first = await robin.post(KEYS, json={"label": LABEL})
    again = await robin.post(KEYS, json={"label": LABEL})
    assert (first.status_code, again.status_code) == (201, 409)
    assert again.json()["existing_id"] == first.json()["data"]["id"]
    assert first.json()["data"]["key"] not in again.text
    assert len(await rows(world)) == 1


async def test_making_a_key_needs_a_proof_not_older_than_ten_minutes(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    robin = await world.sign_in()
    later = clock.now() + (policy.STEP_UP_SECONDS + 1) * (clock.from_micros(1_000_000) - clock.from_micros(0))
    monkeypatch.setattr(clock, "now", lambda: later)
    answer = await robin.post(KEYS, json={"label": LABEL})
    assert (answer.status_code, answer.json()["code"]) == (403, "step_up_required")
    assert await rows(world) == []


@pytest.mark.parametrize("profile", ["service", "introspector", "connections", "deployer"])
async def test_nobody_gives_a_profile_that_they_do_not_hold(
    world: World, monkeypatch: pytest.MonkeyPatch, profile: str
) -> None:
    monkeypatch.setitem(policy.ADMIN_ROLES, "keeper", KEEPER)
    keeper = await appoint(world, "kim@example.com", "keeper")
    answer = await keeper.post(KEYS, json={"label": LABEL, "profile": profile})
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    assert await rows(world) == []
    (refusal,) = await journal(world, event="api_key.created", result="failure")
    assert refusal.actor_label == "kim@example.com"


async def test_who_holds_all_of_a_profile_can_give_it(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(policy.ADMIN_ROLES, "keeper", KEEPER | {"auth:introspect"})
    keeper = await appoint(world, "kim@example.com", "keeper")
    assert (await mint(keeper, profile="introspector"))["permissions"] == ["auth:introspect"]
    assert (await mint(keeper, profile="probe"))["permissions"] == []


async def test_owning_an_account_gives_no_right_over_all_accounts(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(policy.ADMIN_ROLES, "keeper", KEEPER)
    keeper = await appoint(world, "kim@example.com", "keeper")
    assert "extensions:deploy" in (await keeper.get("/v1/users/me")).json()["data"]["permissions"]
    assert (await keeper.post(KEYS, json={"label": LABEL, "profile": "deployer"})).status_code == 403


async def test_what_a_system_admin_may_give_is_not_what_they_may_do(world: World) -> None:
    robin = await world.sign_in()
    await mint(robin, profile="connections")
    held = set((await robin.get("/v1/users/me")).json()["data"]["permissions"])
    assert held == permission.ACCOUNT | permission.ADMIN


async def test_a_system_key_can_never_make_another_one(settings: Settings) -> None:
    more = {"minter": ("system-keys:create", "system-keys:read")}
    async with opened(replace(settings, profiles=more)) as world:
        made = await mint(await world.sign_in(), profile="minter")
        bot = carrying(world, made["key"])
        assert (await bot.get(KEYS)).status_code == 200
        answer = await bot.post(KEYS, json={"label": "successor"})
        assert (answer.status_code, answer.json()["code"]) == (403, "step_up_required")
        assert len(await rows(world)) == 1
