"""`PATCH /v1/admin/users/{id}` with `suspended`: a person who may not act any more, and one who may again."""

import pytest

from lumio.kernel import clock
from tests.support.operators import EDITOR, USERS, feed, found, operator, own_id
from tests.support.system_keys import journal
from tests.support.world import PASSWORD, World

KIM = "kim@example.com"


async def test_sessions_and_keys_stop_at_once_and_only_the_keys_come_back(world: World) -> None:
    robin = await world.sign_in()
    person = await world.new_person(KIM)
    kim, page = await world.sign_in(KIM), await world.page_client(KIM)
    ci = world.bearer((await world.mint_key(kim))["key"])
    address = f"{USERS}/{person['user_id']}"

    suspended = await robin.patch(address, json={"suspended": True})
    assert suspended.status_code == 200
    assert suspended.json()["data"]["suspended_at"] is not None
    assert [(await client.get("/v1/users/me")).status_code for client in (kim, ci)] == [401, 401]
    assert (await page.get("/dashboard/extensions")).status_code == 303
    answer = await world.anonymous().post("/v1/auth/login", json={"email": KIM, "password": PASSWORD})
    assert answer.status_code == 401

    restored = await robin.patch(address, json={"suspended": False})
    assert restored.json()["data"]["suspended_at"] is None
    assert (await ci.get("/v1/users/me")).status_code == 200
    assert (await kim.get("/v1/users/me")).status_code == 401
    assert (await page.get("/dashboard/extensions")).status_code == 303
    assert (await (await world.sign_in(KIM)).get("/v1/users/me")).status_code == 200


async def test_the_feed_ends_every_session_and_changes_the_person(world: World) -> None:
    robin = await world.sign_in()
    person = await world.new_person(KIM)
    for _ in range(2):
        await world.sign_in(KIM)
    await robin.patch(f"{USERS}/{person['user_id']}", json={"suspended": True})
    told = await feed(world)
    assert [(kind, effect) for kind, _, effect in told] == [
        ("session", "ended"), ("session", "ended"), ("user", "changed"),
    ]  # fmt: skip
    assert told[-1][1] == person["user_id"]
    await robin.patch(f"{USERS}/{person['user_id']}", json={"suspended": False})
    assert (await feed(world))[3:] == [("user", person["user_id"], "changed")]


async def test_each_step_is_told_with_its_target_and_a_repetition_says_that_nothing_changed(world: World) -> None:
    robin = await world.sign_in()
    person = await world.new_person(KIM)
    for suspended in (True, True, False):
        answer = await robin.patch(f"{USERS}/{person['user_id']}", json={"suspended": suspended})
        assert answer.status_code == 200
    for event, times in (("user.suspended", 1), ("user.reinstated", 1), ("user.changed", 3)):
        rows = await journal(world, event=event, target_type="user", target_id=person["user_id"])
        assert [(row.result, row.actor_label) for row in rows] == [("success", "robin@example.com")] * times


async def test_a_password_checked_before_the_suspension_opens_no_session_after_it(world: World) -> None:
    login = world.house.login
    person = await world.new_person(KIM)
    checked = await world.house.units.read(lambda view: login._accounts.person(view, email=KIM))
    assert checked is not None
    assert await world.house.units.run(lambda unit: login._accounts.same_password(unit, checked))
    robin = await world.sign_in()
    await robin.patch(f"{USERS}/{person['user_id']}", json={"suspended": True})
    assert not await world.house.units.run(lambda unit: login._accounts.same_password(unit, checked))


async def test_a_refresh_token_of_before_opens_nothing_after_the_reinstatement(world: World) -> None:
    robin = await world.sign_in()
    person = await world.new_person(KIM)
    pair = await world.anonymous().post("/v1/auth/login", json={"email": KIM, "password": PASSWORD})
    for suspended in (True, False):
        await robin.patch(f"{USERS}/{person['user_id']}", json={"suspended": suspended})
    again = {"refresh_token": pair.json()["data"]["refresh_token"]}
    assert (await world.anonymous().post("/v1/auth/refresh", json=again)).status_code == 401


async def test_nobody_suspends_themselves(world: World) -> None:
    robin = await world.sign_in()
    answer = await robin.patch(f"{USERS}/{await own_id(robin)}", json={"suspended": True})
    assert (answer.status_code, answer.json()["detail"]) == (403, "Nobody suspends themselves.")
    assert (await robin.get("/v1/users/me")).status_code == 200
    (refusal,) = await journal(world, event="user.changed", result="failure")
    assert refusal.target_id == await own_id(robin)


@pytest.mark.parametrize("suspended", [True, False])
async def test_nobody_suspends_or_reinstates_a_person_above_them(world: World, suspended: bool) -> None:
    robin = await world.sign_in()
    editor, _ = await operator(world, "eve@example.com", EDITOR)
    _, above = await operator(world, KIM, {"system-keys:read"})
    if not suspended:
        await robin.patch(f"{USERS}/{above}", json={"suspended": True})
    answer = await editor.patch(f"{USERS}/{above}", json={"suspended": suspended})
    assert answer.status_code == 403
    assert answer.json()["detail"] == "The role role-of-kim is above yours: you do not hold system-keys:read."
    (item,) = await found(robin, KIM)
    assert (item["suspended_at"] is None) is suspended
    refused = await editor.patch(f"{USERS}/{await own_id(robin)}", json={"suspended": True})
    assert refused.status_code == 403


async def test_suspending_needs_a_proof_not_older_than_ten_minutes(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    robin = await world.sign_in()
    person = await world.new_person(KIM)
    later = clock.from_micros(clock.to_micros(clock.now()) + 601_000_000)
    with monkeypatch.context() as patch:
        patch.setattr(clock, "now", lambda: later)
        answer = await robin.patch(f"{USERS}/{person['user_id']}", json={"suspended": True})
    assert (answer.status_code, answer.json()["code"]) == (403, "step_up_required")
    assert (await found(robin, KIM))[0]["suspended_at"] is None
