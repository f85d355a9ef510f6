"""DELETE /v1/api-keys/{id}."""

import asyncio

from lumio.access.policy import Role
from tests.api.rest.outward import change, count, rows, seen
from tests.support.world import World

KEYS = "/v1/api-keys"


async def test_the_receipt_has_a_number_and_says_that_it_is_effective(world: World) -> None:
    robin = await world.sign_in()
    made = await world.mint_key(robin)
    answer = await robin.delete(f"{KEYS}/{made['id']}")
    receipt = answer.json()["data"]
    assert answer.status_code == 200
    assert set(receipt) == {"id", "revoked_at", "seq", "effective"}
    assert (receipt["id"], receipt["effective"]) == (made["id"], True)
    feed = await rows(world, "SELECT seq, subject_kind, subject_id, effect FROM revocation")
    assert feed == [{"seq": receipt["seq"], "subject_kind": "key", "subject_id": made["id"], "effect": "ended"}]


async def test_the_next_use_is_refused_like_any_unknown_key(world: World) -> None:
    robin = await world.sign_in()
    made, spare = await world.mint_key(robin), await world.mint_key(robin, "spare")
    await robin.delete(f"{KEYS}/{made['id']}")
    revoked = await world.bearer(made["key"]).get("/v1/users/me")
    wrong = await world.bearer(made["key"][:20] + spare["key"][20:]).get("/v1/users/me")
    assert seen(revoked) == seen(wrong)
    assert revoked.status_code == 401


async def test_revoking_twice_is_not_found_and_one_event(world: World) -> None:
    robin = await world.sign_in()
    made = await world.mint_key(robin)
    statuses = [(await robin.delete(f"{KEYS}/{made['id']}")).status_code for _ in range(2)]
    assert statuses == [200, 404]
    assert len(await world.log(robin, event="api_key.revoked", result="success")) == 1


async def test_of_many_at_once_one_revokes(world: World) -> None:
    robin = await world.sign_in()
    made = await world.mint_key(robin)
    answers = await asyncio.gather(*[robin.delete(f"{KEYS}/{made['id']}") for _ in range(8)])
    assert sorted(answer.status_code for answer in answers) == [200, *[404] * 7]
    assert await count(world, "SELECT count(*) FROM revocation") == 1


async def test_nothing_brings_a_revoked_key_back(world: World) -> None:
    robin = await world.sign_in()
    made = await world.mint_key(robin)
    await robin.delete(f"{KEYS}/{made['id']}")
    for method, path in (("PATCH", KEYS), ("PUT", KEYS), ("POST", KEYS)):
        answer = await robin.request(method, f"{path}/{made['id']}", json={"revoked_at": None})
        assert answer.status_code == 405
        assert "DELETE" in answer.headers["allow"]
    assert (await world.bearer(made["key"]).get("/v1/users/me")).status_code == 401


async def test_a_key_may_end_itself(world: World) -> None:
    robin = await world.sign_in()
    made = await world.mint_key(robin)
    ci = world.bearer(made["key"])
    answer = await ci.delete(f"{KEYS}/{made['id']}")
    assert answer.status_code == 200, answer.text
    assert (await ci.get("/v1/users/me")).status_code == 401


async def test_a_member_ends_their_own_keys_and_an_admin_anybodys(world: World) -> None:
    robin = await world.sign_in()
    home = await world.account_id(robin)
    await world.new_person("sam@example.com", Role.MEMBER, home)
    await world.new_person("ada@example.com", Role.ADMIN, home)
    sam, ada = await world.sign_in("sam@example.com"), await world.sign_in("ada@example.com")
    of_robin, of_sam = await world.mint_key(robin, "robins"), await world.mint_key(sam, "sams")

    assert (await sam.delete(f"{KEYS}/{of_robin['id']}")).status_code == 404
    assert (await sam.delete(f"{KEYS}/{of_sam['id']}")).status_code == 200
    assert (await ada.delete(f"{KEYS}/{of_robin['id']}")).status_code == 200


async def test_the_log_keeps_the_label_of_a_key_that_is_gone(world: World) -> None:
    robin = await world.sign_in()
    made = await world.mint_key(robin, "old laptop")
    await robin.delete(f"{KEYS}/{made['id']}")
    await world.bearer(made["key"]).get("/v1/users/me")
    (ended,) = await world.log(robin, event="api_key.revoked")
    (refused,) = await world.log(robin, event="auth.failed")
    assert (ended["actor"], ended["detail"]) == ("robin@example.com", {"label": "old laptop"})
    assert (refused["actor"], refused["result"]) == ("old laptop", "failure")
    assert refused["detail"] == {"reason": "revoked"}


async def test_a_demoted_holders_key_acts_with_the_lower_role_at_once(world: World) -> None:
    robin = await world.sign_in()
    who = await world.new_person("sam@example.com", Role.ADMIN, await world.account_id(robin))
    sam = await world.sign_in("sam@example.com")
    ci = world.bearer((await world.mint_key(sam, "sams"))["key"])
    await world.mint_key(robin, "robins")
    assert len((await ci.get(KEYS)).json()["data"]) == 2

    await change(world, "UPDATE member SET role = 'member' WHERE id = :id", id=who["member_id"])
    assert (await ci.get("/v1/users/me")).json()["data"]["role"] == "member"
    assert [item["label"] for item in (await ci.get(KEYS)).json()["data"]] == ["sams"]


async def test_the_key_of_a_suspended_person_or_of_a_former_member_is_refused(world: World) -> None:
    robin = await world.sign_in()
    home = await world.account_id(robin)
    people = [await world.new_person(f"sam{number}@example.com", Role.ADMIN, home) for number in range(2)]
    keys = [await world.mint_key(await world.sign_in(f"sam{number}@example.com")) for number in range(2)]
    suspend = ("UPDATE user_person SET suspended_at = 1 WHERE id = :id", people[0]["user_id"])
    remove = ("DELETE FROM member WHERE id = :id", people[1]["member_id"])
    for (sql, found), made in zip((suspend, remove), keys, strict=True):
        ci = world.bearer(made["key"])
        assert (await ci.get("/v1/users/me")).status_code == 200
        await change(world, sql, id=found)
        assert (await ci.get("/v1/users/me")).status_code == 401
