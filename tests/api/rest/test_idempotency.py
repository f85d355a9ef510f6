"""Threat 53: a repetition of a create makes nothing twice and shows no secret twice."""

import asyncio
from datetime import timedelta

import pytest
import time_machine

from lumio.kernel import clock
from tests.api.rest.outward import count, fields
from tests.support.world import World

KEYS = "/v1/api-keys"


def retry(name: str = "once") -> dict[str, str]:
    return {"Idempotency-Key": name}


async def test_the_same_request_again_is_a_conflict_with_the_id_and_without_the_key(world: World) -> None:
    robin = await world.sign_in()
    first = await robin.post(KEYS, json={"label": "ci"}, headers=retry())
    again = await robin.post(KEYS, json={"label": "ci"}, headers=retry())
    made = first.json()["data"]
    assert (first.status_code, again.status_code) == (201, 409)
    assert again.json()["existing_id"] == made["id"]
    assert made["key"] not in again.text
    assert made["key"][19:] not in again.text
    assert await count(world, "SELECT count(*) FROM api_key") == 1
    assert len(await world.log(robin, event="api_key.created", result="success")) == 1


async def test_another_body_under_the_same_name_is_refused(world: World) -> None:
    robin = await world.sign_in()
    await robin.post(KEYS, json={"label": "ci"}, headers=retry())
    other = await robin.post(KEYS, json={"label": "cd"}, headers=retry())
    assert (other.status_code, fields(other)) == (422, {"Idempotency-Key": "reused"})
    assert await count(world, "SELECT count(*) FROM api_key") == 1


async def test_of_many_at_once_one_makes_a_key_and_nobody_else_sees_it(world: World) -> None:
    robin = await world.sign_in()
    answers = await asyncio.gather(*[robin.post(KEYS, json={"label": "ci"}, headers=retry()) for _ in range(8)])
    statuses = sorted(answer.status_code for answer in answers)
    assert statuses == [201, *[409] * 7]
    assert len([answer for answer in answers if "lm_dev_" in answer.text and answer.status_code != 201]) == 0
    assert await count(world, "SELECT count(*) FROM api_key") == 1
    for answer in answers:
        problem = answer.json()
        assert answer.status_code == 201 or problem.get("existing_id") or int(answer.headers["retry-after"]) > 0


async def test_a_retried_rotation_makes_one_successor(world: World) -> None:
    robin = await world.sign_in()
    old = await world.mint_key(robin)
    answers = [await robin.post(f"{KEYS}/{old['id']}/rotate", headers=retry()) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 409]
    assert answers[1].json()["existing_id"] == answers[0].json()["data"]["id"]
    assert await count(world, "SELECT count(*) FROM api_key") == 2


async def test_a_name_belongs_to_one_principal_and_one_address(world: World) -> None:
    robin = await world.sign_in()
    await world.new_person("sam@example.com")
    sam = await world.sign_in("sam@example.com")
    mine = await robin.post(KEYS, json={"label": "ci"}, headers=retry())
    theirs = await sam.post(KEYS, json={"label": "ci"}, headers=retry())
    rotated = await robin.post(f"{KEYS}/{mine.json()['data']['id']}/rotate", headers=retry())
    assert [one.status_code for one in (mine, theirs, rotated)] == [201, 201, 201]


async def test_a_page_and_a_program_of_one_person_share_the_name(world: World) -> None:
    robin, page = await world.sign_in(), await world.page_client()
    assert (await robin.post(KEYS, json={"label": "ci"}, headers=retry())).status_code == 201
    assert (await page.post("/api/api-keys", json={"label": "ci"}, headers=retry())).status_code == 409


async def test_the_guard_comes_first_also_for_a_repetition(world: World) -> None:
    robin = await world.sign_in()
    await robin.post(KEYS, json={"label": "ci"}, headers=retry())
    with time_machine.travel(clock.now() + timedelta(seconds=700)):
        answer = await robin.post(KEYS, json={"label": "ci"}, headers=retry())
    assert (answer.status_code, answer.json()["code"]) == (403, "step_up_required")


async def test_a_refused_request_keeps_no_name(world: World) -> None:
    robin = await world.sign_in()
    refused = await robin.post(KEYS, json={"label": ""}, headers=retry())
    assert refused.status_code == 422
    assert (await robin.post(KEYS, json={"label": "ci"}, headers=retry())).status_code == 201


async def test_a_name_is_forgotten_after_a_day(world: World) -> None:
    robin = await world.sign_in()
    await robin.post(KEYS, json={"label": "ci"}, headers=retry())
    with time_machine.travel(clock.now() + timedelta(hours=24, seconds=1)):
        again = await (await world.sign_in()).post(KEYS, json={"label": "ci"}, headers=retry())
    assert again.status_code == 201


@pytest.mark.parametrize("name", ["", " ", "a b", "x" * 256, "\x7f", "\xe9"])
async def test_a_name_in_another_form_is_refused(world: World, name: str) -> None:
    robin = await world.sign_in()
    headers = {b"Idempotency-Key": name.encode("latin-1")}
    answer = await robin.post(KEYS, json={"label": "ci"}, headers=headers)
    assert (answer.status_code, fields(answer)) == (422, {"Idempotency-Key": "pattern"})


async def test_without_a_name_two_requests_make_two_keys(world: World) -> None:
    robin = await world.sign_in()
    made = [await world.mint_key(robin) for _ in range(2)]
    assert made[0]["key"] != made[1]["key"]
