"""POST /v1/api-keys."""

from datetime import timedelta

import time_machine

from lumio.access.policy import Role
from lumio.crypto import opaque
from lumio.kernel import clock
from tests.api.rest.outward import count, fields
from tests.support.world import PASSWORD, World

KEYS = "/v1/api-keys"


async def test_a_key_has_the_promised_form_and_works_at_once(world: World) -> None:
    robin = await world.sign_in()
    answer = await robin.post(KEYS, json={"label": "ci-github-actions"})
    made = answer.json()["data"]
    key = made["key"]

    assert answer.status_code == 201
    assert answer.headers["location"] == f"{KEYS}/{made['id']}"
    assert answer.headers["cache-control"] == "private, no-store"
    assert set(made) == {"id", "label", "key", "prefix", "lookup_id", "created_at", "expires_at"}
    assert opaque.parse(key, "lm_dev_") is not None
    assert len(key) == 64
    assert key.startswith(made["prefix"] + made["lookup_id"])
    assert made["created_at"].endswith("Z")
    assert (await world.bearer(key).get("/v1/users/me")).status_code == 200


async def test_a_key_acts_for_its_maker_and_is_named_by_its_label(world: World) -> None:
    robin = await world.sign_in()
    ci = world.bearer((await world.mint_key(robin))["key"])
    me = (await ci.get("/v1/users/me")).json()["data"]
    own = (await robin.get("/v1/users/me")).json()["data"]

    assert (me["kind"], me["label"], me["role"]) == ("api_key", "ci-github-actions", "owner")
    assert me["user"] == own["user"]
    assert me["account"] == own["account"]
    assert "api-keys:read" in me["permissions"]
    assert not [name for name in me["permissions"] if name.startswith(("admin:", "system-keys:"))]


async def test_the_key_is_shown_in_this_answer_only(world: World) -> None:
    robin = await world.sign_in()
    made = await world.mint_key(robin)
    for path in (KEYS, f"{KEYS}/{made['id']}", "/v1/audit-log?limit=200", "/v1/users/me"):
        assert made["key"] not in (await robin.get(path)).text


async def test_making_one_is_an_event_with_the_label_and_without_the_key(world: World) -> None:
    robin = await world.sign_in()
    made = await world.mint_key(robin)
    (told,) = await world.log(robin, event="api_key.created")

    assert (told["actor"], told["ip"], told["result"]) == ("robin@example.com", "203.0.113.7", "success")
    assert told["target"] == {"type": "api_key", "id": made["id"]}
    assert told["detail"] == {"label": "ci-github-actions"}


async def test_a_label_that_breaks_its_rule_is_named(world: World) -> None:
    robin = await world.sign_in()
    for label in ("", "   ", "x" * 101, "a\0b", 7, None, ["x"], {"x": 1}, True):
        answer = await robin.post(KEYS, json={"label": label})
        assert (answer.status_code, list(fields(answer))) == (422, ["label"]), label
        assert answer.json()["errors"][0]["message"]


async def test_every_broken_field_is_named_at_once(world: World) -> None:
    answer = await (await world.sign_in()).post(KEYS, json={"label": "", "expires_at": "soon", "colour": "red"})
    assert answer.status_code == 422
    assert set(fields(answer)) == {"label", "expires_at", "colour"}
    assert await count(world, "SELECT count(*) FROM api_key") == 0


async def test_a_missing_label_is_named(world: World) -> None:
    answer = await (await world.sign_in()).post(KEYS, json={})
    assert fields(answer) == {"label": "required"}


async def test_outer_space_of_a_label_is_dropped_and_free_text_kept(world: World) -> None:
    robin = await world.sign_in()
    label = "<b>ünï · 日本 $(rm) =1+1"
    assert (await world.mint_key(robin, f"  {label} "))["label"] == label


async def test_an_end_in_the_past_without_a_zone_or_outside_the_calendar_is_refused(world: World) -> None:
    robin = await world.sign_in()
    past, no_zone = "2001-01-01T00:00:00Z", "2999-01-01T00:00:00"
    outside = ("9999-12-31T23:59:59-12:00", "9999-12-31T23:59:59Z")
    for moment in (past, no_zone, *outside, "tomorrow", 99999999999):
        answer = await robin.post(KEYS, json={"label": "ci", "expires_at": moment})
        assert (answer.status_code, list(fields(answer))) == (422, ["expires_at"]), moment
    assert (await robin.get(KEYS)).json()["data"] == []


async def test_a_key_with_an_end_is_refused_from_that_moment_on(world: World) -> None:
    robin = await world.sign_in()
    ends = clock.now() + timedelta(hours=1)
    answer = await robin.post(KEYS, json={"label": "ci", "expires_at": clock.rfc3339(ends)})
    made = answer.json()["data"]
    ci = world.bearer(made["key"])

    assert made["expires_at"] == clock.rfc3339(ends)
    with time_machine.travel(ends - timedelta(seconds=30)):
        assert (await ci.get("/v1/users/me")).status_code == 200
    with time_machine.travel(ends):
        assert (await ci.get("/v1/users/me")).status_code == 401


async def test_a_person_who_proved_themselves_longer_ago_than_ten_minutes_must_step_up(world: World) -> None:
    robin = await world.sign_in()
    with time_machine.travel(clock.now() + timedelta(seconds=601)):
        refused = await robin.post(KEYS, json={"label": "ci"})
        assert refused.status_code == 403
        assert refused.json()["code"] == "step_up_required"
        assert refused.json()["step_up"] == {"methods": ["password"], "max_age": 600}
        raised = await robin.post("/v1/auth/step-up", json={"method": "password", "password": PASSWORD})
        fresh = world.bearer(raised.json()["data"]["access_token"])
        assert (await fresh.post(KEYS, json={"label": "ci"})).status_code == 201


async def test_a_leaked_key_cannot_make_its_successor(world: World) -> None:
    robin = await world.sign_in()
    made = await world.mint_key(robin)
    ci = world.bearer(made["key"])
    for path in (KEYS, f"{KEYS}/{made['id']}/rotate"):
        answer = await ci.post(path, json={"label": "mine"} if path == KEYS else None)
        assert (answer.status_code, answer.json()["code"]) == (403, "step_up_required")
    assert await count(world, "SELECT count(*) FROM api_key") == 1
    refused = await world.log(robin, event="api_key.created", result="failure")
    assert [(one["actor"], one["detail"]) for one in refused] == [
        ("ci-github-actions", {"reason": "step_up_required"})
    ]


async def test_nobody_gets_nothing(world: World) -> None:
    answer = await world.anonymous().post(KEYS, json={"label": "ci"})
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert await count(world, "SELECT count(*) FROM api_key") == 0


async def test_a_sub_account_that_does_not_exist_is_refused(world: World) -> None:
    robin = await world.sign_in()
    mine = await world.account_id(robin)
    answer = await robin.post(KEYS, json={"label": "ci", "sub_account_id": mine})
    assert answer.status_code == 422
    assert list(fields(answer)) == ["sub_account_id"]


async def test_every_role_may_make_keys_of_its_own(world: World) -> None:
    robin = await world.sign_in()
    for role in Role:
        await world.new_person(f"{role}@example.com", role, await world.account_id(robin))
        made = await world.mint_key(await world.sign_in(f"{role}@example.com"))
        me = (await world.bearer(made["key"]).get("/v1/users/me")).json()["data"]
        assert me["role"] == role


async def test_a_label_is_no_actor_by_another_name(world: World) -> None:
    robin = await world.sign_in()
    made = await world.mint_key(robin, "robin@example.com")
    await world.bearer(made["key"]).get("/v1/users/me")
    used = await world.log(robin, credential_id=made["id"])
    assert {one["actor_type"] for one in used} == {"api_key"}


async def test_a_key_pasted_into_the_label_is_refused_and_kept_nowhere(world: World) -> None:
    robin = await world.sign_in()
    made = await world.mint_key(robin)
    answer = await robin.post(KEYS, json={"label": f"key {made['key']}"})
    assert answer.status_code == 422
    assert fields(answer) == {"label": "secret"}
    assert made["key"] not in answer.text
