"""POST /v1/api-keys/{id}/rotate."""

from datetime import timedelta

import time_machine

from lumio.access.policy import Role
from lumio.kernel import clock
from tests.api.rest.outward import count
from tests.support.world import World

KEYS = "/v1/api-keys"


async def test_the_successor_has_the_label_and_names_its_predecessor(world: World) -> None:
    robin = await world.sign_in()
    old = await world.mint_key(robin)
    answer = await robin.post(f"{KEYS}/{old['id']}/rotate")
    new = answer.json()["data"]

    assert answer.status_code == 201
    assert answer.headers["location"] == f"{KEYS}/{new['id']}"
    assert (new["label"], new["predecessor_id"]) == (old["label"], old["id"])
    assert new["key"] != old["key"]
    assert new["lookup_id"] != old["lookup_id"]


async def test_both_work_until_the_old_one_is_revoked(world: World) -> None:
    robin = await world.sign_in()
    old = await world.mint_key(robin)
    new = (await robin.post(f"{KEYS}/{old['id']}/rotate")).json()["data"]
    before = [(await world.bearer(key["key"]).get("/v1/users/me")).status_code for key in (old, new)]
    await robin.delete(f"{KEYS}/{old['id']}")
    after = [(await world.bearer(key["key"]).get("/v1/users/me")).status_code for key in (old, new)]
    assert (before, after) == ([200, 200], [401, 200])


async def test_rotation_is_an_event_that_names_both(world: World) -> None:
    robin = await world.sign_in()
    old = await world.mint_key(robin)
    new = (await robin.post(f"{KEYS}/{old['id']}/rotate")).json()["data"]
    (told,) = await world.log(robin, event="api_key.rotated")
    assert told["target"] == {"type": "api_key", "id": new["id"]}
    assert told["detail"] == {"label": old["label"], "predecessor_id": old["id"]}


async def test_a_proof_older_than_ten_minutes_is_not_enough(world: World) -> None:
    robin = await world.sign_in()
    old = await world.mint_key(robin)
    with time_machine.travel(clock.now() + timedelta(seconds=601)):
        answer = await robin.post(f"{KEYS}/{old['id']}/rotate")
    assert (answer.status_code, answer.json()["code"]) == (403, "step_up_required")
    assert await count(world, "SELECT count(*) FROM api_key") == 1


async def test_a_revoked_key_has_no_successor(world: World) -> None:
    robin = await world.sign_in()
    old = await world.mint_key(robin)
    await robin.delete(f"{KEYS}/{old['id']}")
    assert (await robin.post(f"{KEYS}/{old['id']}/rotate")).status_code == 404


async def test_only_the_holder_gets_to_see_a_successor(world: World) -> None:
    robin = await world.sign_in()
    await world.new_person("sam@example.com", Role.MEMBER, await world.account_id(robin))
    sam = await world.sign_in("sam@example.com")
    of_sam = await world.mint_key(sam, "sams")
    of_robin = await world.mint_key(robin, "robins")
    assert (await robin.post(f"{KEYS}/{of_sam['id']}/rotate")).status_code == 404
    assert (await sam.post(f"{KEYS}/{of_robin['id']}/rotate")).status_code == 404
    assert await count(world, "SELECT count(*) FROM api_key") == 2


async def test_a_body_that_nobody_reads_is_refused_and_an_empty_object_is_none(world: World) -> None:
    robin = await world.sign_in()
    old = await world.mint_key(robin)
    refused = await robin.post(f"{KEYS}/{old['id']}/rotate", json={"label": "other"})
    assert refused.status_code == 422
    assert (await robin.post(f"{KEYS}/{old['id']}/rotate", json={})).status_code == 201
