"""What a popout token can do, where it may travel, and what becomes of it when people's roles change."""

from datetime import timedelta
from itertools import product

import httpx2
import pytest

from lumio.access.policy import POPOUT_ADMITS, Role
from lumio.crypto import opaque
from lumio.kernel import clock
from tests.api.rest.outward import change, rows, seen
from tests.support.popouts import LABEL, POPOUTS, carrying, mint, rights, with_wrong_secret
from tests.support.world import World

GROUPS = {
    "/v1/users/me": 200,
    "/v1/tokens": 200,
    "/v1/tokens/me": 200,
    "/v1/api-keys": 403,
    "/v1/audit-log": 403,
    "/v1/admin/system-keys": 403,
    "/v1/schema": 200,
    "/v1/auth/verify": 200,
    "/api/tokens": 200,
    "/api/api-keys": 403,
}
PAGES = ("/dashboard/account/tokens", "/dashboard/account/security/api-keys", "/system")


def _by(world: World, text: str, carrier: str) -> httpx2.AsyncClient:
    if carrier == "bearer":
        return world.bearer(text)
    if carrier == "cookie":
        return world.client(Cookie=f"__Host-lumio={text}")
    client = world.client()
    client.params = client.params.set(carrier, text)
    return client


async def test_a_popout_token_travels_in_its_place_in_an_address_and_nowhere_else(world: World) -> None:
    robin = await world.sign_in()
    text = (await mint(robin, *POPOUT_ADMITS))["token"]
    for path, status in GROUPS.items():
        assert (await _by(world, text, "token").get(path)).status_code == status, path
        assert (await _by(world, text, "bearer").get(path)).status_code == 401, path
        assert (await _by(world, text, "key").get(path)).status_code == 401, path
        if path.startswith("/api/"):
            assert (await _by(world, text, "cookie").get(path)).status_code == 401, path


async def test_no_page_opens_for_a_popout_token(world: World) -> None:
    text = (await mint(await world.sign_in(), *POPOUT_ADMITS))["token"]
    for path, carrier in product(PAGES, ("token", "bearer", "cookie")):
        answer = await _by(world, text, carrier).get(path)
        assert answer.status_code == 303, (path, carrier)
        assert answer.headers["location"].startswith("/login")


async def test_other_kinds_are_refused_in_the_place_of_a_popout_token_and_their_leak_is_recorded(
    world: World,
) -> None:
    robin = await world.sign_in()
    key = (await world.mint_key(robin, "leaked-key"))["key"]
    session = robin.headers["authorization"].removeprefix("Bearer ")
    for text in (key, session, opaque.mint(opaque.DEVELOPER_KEY).text, "nonsense", ""):
        for path in (*GROUPS, "/developer/v1/extensions"):
            assert (await _by(world, text, "token").get(path)).status_code == 401, path
    told = await rows(world, "SELECT actor_label, detail FROM audit_event WHERE event = 'auth.failed'")
    assert {"actor_label": "leaked-key", "detail": '{"reason":"key_in_query"}'} in told
    assert {"actor_label": "robin@example.com", "detail": '{"reason":"key_in_query"}'} in told


async def test_two_credentials_in_one_request_are_refused(world: World) -> None:
    robin = await world.sign_in()
    text = (await mint(robin))["token"]
    assert (await robin.get("/v1/users/me", params={"token": text})).status_code == 401
    twice = await world.anonymous().get(f"/v1/users/me?token={text}&token={text}")
    assert twice.status_code == 401


async def test_a_popout_token_can_change_nothing(world: World) -> None:
    robin = await world.sign_in()
    made = await mint(robin, *POPOUT_ADMITS)
    popout = carrying(world, made["token"])
    tries = [
        popout.post(POPOUTS, json={"label": LABEL}),
        popout.patch(f"{POPOUTS}/{made['id']}", json={"label": "mine"}),
        popout.delete(f"{POPOUTS}/{made['id']}"),
        popout.post("/v1/api-keys", json={"label": LABEL}),
        popout.post("/developer/v1/extensions", json={"name": "Confetti"}),
        popout.post("/v1/admin/system-keys", json={"label": LABEL}),
        popout.post("/v1/auth/introspect", data={"token": made["token"]}),
    ]
    for attempt in tries:
        assert (await attempt).status_code == 403


async def test_a_right_that_was_not_chosen_is_refused(world: World) -> None:
    text = (await mint(await world.sign_in(), "members:read"))["token"]
    assert (await carrying(world, text).get(POPOUTS)).status_code == 403
    assert await rights(world, text) == ["members:read"]


async def test_it_loses_what_its_maker_loses_at_once_and_gets_it_back_with_the_role(world: World) -> None:
    robin = await world.sign_in()
    ada = await world.new_person("ada@example.com", Role.ADMIN, await world.account_id(robin))
    text = (await mint(await world.sign_in("ada@example.com"), *POPOUT_ADMITS))["token"]
    await mint(robin)
    assert len((await carrying(world, text).get(POPOUTS)).json()["data"]) == 2
    await change(world, "UPDATE member SET role = 'member' WHERE id = :id", id=ada["member_id"])
    assert await rights(world, text) == ["extensions:read", "members:read", "tokens:read:own"]
    assert len((await carrying(world, text).get(POPOUTS)).json()["data"]) == 1


async def test_one_bound_to_a_member_has_their_role_and_never_more_than_its_makers(world: World) -> None:
    robin = await world.sign_in()
    account_id = await world.account_id(robin)
    ada = await world.new_person("ada@example.com", Role.ADMIN, account_id)
    mo = await world.new_person("mo@example.com", Role.MEMBER, account_id)
    by_ada = await world.sign_in("ada@example.com")
    text = (await mint(by_ada, *POPOUT_ADMITS, member_id=mo["member_id"]))["token"]
    assert await rights(world, text) == ["extensions:read", "members:read", "tokens:read:own"]
    await change(world, "UPDATE member SET role = 'admin' WHERE id = :id", id=mo["member_id"])
    assert await rights(world, text) == ["extensions:read", "members:read", "tokens:read"]
    await change(world, "UPDATE member SET role = 'member' WHERE id = :id", id=ada["member_id"])
    assert await rights(world, text) == ["extensions:read", "members:read"]


@pytest.mark.parametrize("leaver", ["maker", "member"])
async def test_it_ends_when_its_maker_or_its_member_leaves(world: World, leaver: str) -> None:
    robin = await world.sign_in()
    account_id = await world.account_id(robin)
    people = {
        "maker": await world.new_person("ada@example.com", Role.ADMIN, account_id),
        "member": await world.new_person("mo@example.com", Role.MEMBER, account_id),
    }
    by_ada = await world.sign_in("ada@example.com")
    text = (await mint(by_ada, member_id=people["member"]["member_id"]))["token"]
    assert (await carrying(world, text).get("/v1/users/me")).status_code == 200
    await change(world, "DELETE FROM member WHERE id = :id", id=people[leaver]["member_id"])
    assert (await carrying(world, text).get("/v1/users/me")).status_code == 401


async def test_it_ends_by_itself_at_its_time(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    soon = clock.now() + timedelta(hours=1)
    text = (await mint(await world.sign_in(), expires_at=clock.rfc3339(soon)))["token"]
    assert (await carrying(world, text).get("/v1/users/me")).status_code == 200
    monkeypatch.setattr(clock, "now", lambda: soon)
    assert (await carrying(world, text).get("/v1/users/me")).status_code == 401


async def test_every_refusal_looks_the_same_from_outside(world: World) -> None:
    robin = await world.sign_in()
    made, gone = await mint(robin), await mint(robin)
    await robin.delete(f"{POPOUTS}/{gone['id']}")
    texts = [
        gone["token"], with_wrong_secret(made["token"]), opaque.mint(opaque.POPOUT_TOKEN).text, "lm_pop_", "x",
    ]  # fmt: skip
    answers = [await carrying(world, text).get("/v1/users/me") for text in texts]
    assert {answer.status_code for answer in answers} == {401}
    assert all(seen(answer) == seen(answers[0]) for answer in answers)


async def test_a_use_is_in_the_log_with_its_label_and_moves_last_used(world: World) -> None:
    robin = await world.sign_in()
    made = await mint(robin)
    await carrying(world, made["token"], ip="198.51.100.9").get("/v1/users/me")
    await carrying(world, with_wrong_secret(made["token"]), ip="198.51.100.10").get("/v1/users/me")
    told = await world.log(robin, credential_id=made["id"])
    assert [(one["event"], one["actor"], one["actor_type"], one["ip"]) for one in told] == [
        ("auth.succeeded", LABEL, "popout_token", "198.51.100.9"),
    ]
    for _, chore in world.house.chores._chores:
        await chore()
    item = (await robin.get(f"{POPOUTS}/{made['id']}")).json()["data"]
    assert item["last_used_ip"] == "198.51.100.9"
    assert item["last_used_at"] is not None


async def test_no_answer_lets_a_popout_token_out_by_referer_or_by_a_link(world: World) -> None:
    robin = await world.sign_in()
    made = await mint(robin, *POPOUT_ADMITS)
    await mint(robin)
    for path in ("/v1/users/me", "/v1/api-keys", "/v1/nowhere", "/dashboard/account/tokens"):
        answer = await carrying(world, made["token"]).get(path)
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert made["token"] not in answer.text
        assert made["token"] not in answer.headers.get("location", "")
    page = await carrying(world, made["token"]).get(POPOUTS, params={"limit": "1"})
    assert "cursor=" in page.json()["_links"]["next"]["href"]
    assert made["token"] not in page.text
