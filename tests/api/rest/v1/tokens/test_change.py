"""`GET`, `PATCH` and `DELETE /v1/tokens/{id}`, and who sees whose."""

import pytest

from lumio.access import guard
from lumio.access.policy import POPOUT_ADMITS, Role
from tests.api.rest.outward import fields, rows
from tests.support.popouts import LABEL, POPOUTS, carrying, mint, rights
from tests.support.world import World

WRONG: list[tuple[dict[str, object], dict[str, str]]] = [
    ({}, {"": "required"}),
    ({"permissions": []}, {"permissions": "required"}),
    ({"label": " "}, {"label": "length"}),
    ({"label": None}, {"label": "type"}),
    ({"member_id": "x"}, {"member_id": "unknown"}),
    ({"expires_at": None}, {"expires_at": "unknown"}),
    ({"id": "other"}, {"id": "unknown"}),
    ({"revoked_at": None}, {"revoked_at": "unknown"}),
]


async def test_the_list_shows_the_newest_first_page_by_page_and_no_secret(world: World) -> None:
    robin = await world.sign_in()
    made = [await mint(robin) for _ in range(3)]
    first = (await robin.get(POPOUTS, params={"limit": "2"})).json()
    rest = (await robin.get(first["_links"]["next"]["href"])).json()
    assert [item["id"] for item in first["data"] + rest["data"]] == [one["id"] for one in reversed(made)]
    assert set(first["data"][0]) == {
        "id", "label", "permissions", "prefix", "lookup_id", "member", "maker", "created_at", "expires_at",
        "last_used_at", "last_used_ip",
    }  # fmt: skip
    assert "next" not in rest["_links"]


async def test_a_member_sees_changes_and_revokes_their_own_only(world: World) -> None:
    robin = await world.sign_in()
    await world.new_person("mo@example.com", Role.MEMBER, await world.account_id(robin))
    mo = await world.sign_in("mo@example.com")
    theirs, own = await mint(robin), await mint(mo)
    assert [item["id"] for item in (await mo.get(POPOUTS)).json()["data"]] == [own["id"]]
    assert (await mo.get(f"{POPOUTS}/{theirs['id']}")).status_code == 404
    assert (await mo.patch(f"{POPOUTS}/{theirs['id']}", json={"label": "mine"})).status_code == 404
    assert (await mo.delete(f"{POPOUTS}/{theirs['id']}")).status_code == 404
    assert (await mo.patch(f"{POPOUTS}/{own['id']}", json={"label": "mine"})).status_code == 200
    assert len((await robin.get(POPOUTS)).json()["data"]) == 2
    assert (await robin.delete(f"{POPOUTS}/{own['id']}")).status_code == 200


async def test_another_account_sees_nothing(world: World) -> None:
    made = await mint(await world.sign_in())
    await world.new_person("sam@example.com")
    sam = await world.sign_in("sam@example.com")
    assert (await sam.get(POPOUTS)).json()["data"] == []
    assert (await sam.get(f"{POPOUTS}/{made['id']}")).status_code == 404
    assert (await sam.patch(f"{POPOUTS}/{made['id']}", json={"label": "x"})).status_code == 404
    assert (await sam.delete(f"{POPOUTS}/{made['id']}")).status_code == 404
    assert (await carrying(world, made["token"]).get("/v1/users/me")).status_code == 200


async def test_a_change_counts_at_once_for_the_same_address(world: World) -> None:
    robin = await world.sign_in()
    made = await mint(robin, *POPOUT_ADMITS)
    answer = await robin.patch(f"{POPOUTS}/{made['id']}", json={"label": "lower", "permissions": ["members:read"]})
    assert answer.status_code == 200
    assert (answer.json()["data"]["label"], answer.json()["data"]["permissions"]) == ("lower", ["members:read"])
    assert await rights(world, made["token"]) == ["members:read"]
    told = await rows(world, "SELECT detail, result FROM audit_event WHERE event = 'popout_token.updated'")
    detail = '{"added":[],"label":"lower","removed":["extensions:read","tokens:read"]}'
    assert told == [{"detail": detail, "result": "success"}]
    feed = await rows(world, "SELECT subject_kind, subject_id, effect FROM revocation")
    assert feed == [{"subject_kind": "popout", "subject_id": made["id"], "effect": "changed"}]


async def test_adding_a_right_asks_for_a_fresh_proof_and_taking_one_does_not(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    robin = await world.sign_in()
    made = await mint(robin, "members:read", "extensions:read")
    key = world.bearer((await world.mint_key(robin))["key"])
    monkeypatch.setattr(guard, "STEP_UP_SECONDS", -1)
    for client in (robin, key):
        wider = await client.patch(f"{POPOUTS}/{made['id']}", json={"permissions": ["tokens:read"]})
        assert (wider.status_code, wider.json()["code"]) == (403, "step_up_required")
    assert await rights(world, made["token"]) == ["extensions:read", "members:read"]
    for client, left in ((robin, ["members:read"]), (key, ["members:read"])):
        narrower = await client.patch(f"{POPOUTS}/{made['id']}", json={"permissions": left})
        assert narrower.status_code == 200, narrower.text


async def test_nobody_adds_a_right_that_they_do_not_hold(world: World) -> None:
    robin = await world.sign_in()
    await world.new_person("mo@example.com", Role.MEMBER, await world.account_id(robin))
    mo = await world.sign_in("mo@example.com")
    made = await mint(mo)
    lacked = await mo.patch(f"{POPOUTS}/{made['id']}", json={"permissions": ["extensions:read", "audit-log:export"]})
    assert (lacked.status_code, fields(lacked)) == (422, {"permissions": "unknown"})
    lacked = await mo.patch(f"{POPOUTS}/{made['id']}", json={"permissions": ["extensions:read", "billing:edit"]})
    assert lacked.status_code == 403
    foreign = await robin.patch(f"{POPOUTS}/{made['id']}", json={"permissions": ["billing:edit"]})
    assert (foreign.status_code, fields(foreign)) == (422, {"permissions": "admitted"})
    assert await rights(world, made["token"]) == ["extensions:read"]


async def test_bad_input_changes_nothing(world: World) -> None:
    robin = await world.sign_in()
    made = await mint(robin)
    for wrong, broken in WRONG:
        answer = await robin.patch(f"{POPOUTS}/{made['id']}", json=wrong)
        assert (answer.status_code, fields(answer)) == (422, broken), wrong
    assert (await robin.get(f"{POPOUTS}/{made['id']}")).json()["data"]["label"] == LABEL


async def test_a_revocation_is_final_and_told_to_the_feed(world: World) -> None:
    robin = await world.sign_in()
    made = await mint(robin)
    receipt = (await robin.delete(f"{POPOUTS}/{made['id']}")).json()["data"]
    assert (receipt["id"], receipt["effective"]) == (made["id"], True)
    assert (await carrying(world, made["token"]).get("/v1/users/me")).status_code == 401
    assert (await robin.delete(f"{POPOUTS}/{made['id']}")).status_code == 404
    assert (await robin.patch(f"{POPOUTS}/{made['id']}", json={"label": "back"})).status_code == 404
    assert (await robin.get(POPOUTS)).json()["data"] == []
    feed = await rows(world, "SELECT seq, subject_kind, subject_id, effect FROM revocation")
    expected = {"seq": receipt["seq"], "subject_kind": "popout", "subject_id": made["id"], "effect": "ended"}
    assert feed == [expected]
    told = [(one["event"], one["actor"]) for one in await world.log(robin)]
    assert ("popout_token.revoked", "robin@example.com") in told
    assert ("auth.failed", LABEL) in told


async def test_a_developer_key_may_revoke_but_an_anonymous_request_may_not(world: World) -> None:
    robin = await world.sign_in()
    made = await mint(robin)
    assert (await world.anonymous().delete(f"{POPOUTS}/{made['id']}")).status_code == 401
    key = world.bearer((await world.mint_key(robin))["key"])
    assert (await key.delete(f"{POPOUTS}/{made['id']}")).status_code == 200


async def test_only_a_popout_token_is_told_what_it_is(world: World) -> None:
    robin = await world.sign_in()
    made = await mint(robin, "members:read")
    answer = await carrying(world, made["token"]).get(f"{POPOUTS}/me")
    told = answer.json()["data"]
    assert (told["id"], told["label"], told["permissions"]) == (made["id"], LABEL, ["members:read"])
    assert told["account"]["name"] == "Acme Overlays"
    assert told["member"]["name"] == "Robin Vale"
    assert (await robin.get(f"{POPOUTS}/me")).status_code == 403
    assert (await world.anonymous().get(f"{POPOUTS}/me")).status_code == 401
