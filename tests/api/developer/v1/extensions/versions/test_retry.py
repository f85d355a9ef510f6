"""The same deployment sent again: one version, the first answer (spec: addresses, section 1)."""

import asyncio

from tests.support.developers import EXTENSIONS, Team, bundle, make_extension, parts, plain, send, stored
from tests.support.world import World

ONCE = {"Idempotency-Key": "deploy-once"}


async def test_the_same_key_and_content_get_the_first_answer_however_the_body_is_encoded(
    world: World, team: Team
) -> None:
    extension_id = await make_extension(team.ci)
    first = await send(team.ci, extension_id, headers=ONCE)
    turned = dict(reversed(parts().items()))  # another order and another boundary: other bytes, the same content
    again = await send(team.ci, extension_id, turned, headers=ONCE)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json() == first.json()
    assert len((await team.ci.get(f"{EXTENSIONS}/{extension_id}/versions")).json()["versions"]) == 1
    assert len(stored(world)) == 1
    entries = await world.log(team.owner, event="extension.deployed")
    assert [entry["result"] for entry in entries] == ["success"]


async def test_the_same_key_with_other_content_is_refused(world: World, team: Team) -> None:
    extension_id = await make_extension(team.ci)
    assert (await send(team.ci, extension_id, headers=ONCE)).status_code == 201
    others = [
        parts("1.0.1"),
        parts("1.0.0", bundle({"other.html": b"x"})),
        parts("1.0.0", description=plain("Other words.")),
        parts("1.0.0", breaking=plain("true")),
        parts("1.0.0", source=("s.tgz", bundle({"a.ts": b"x"}), "application/gzip")),
    ]
    for other in others:
        answer = await send(team.ci, extension_id, other, headers=ONCE)
        assert answer.status_code == 422
        assert answer.json()["error"]["fields"][0]["field"] == "Idempotency-Key"
    assert len(stored(world)) == 1


async def test_the_key_belongs_to_who_sent_it_and_to_its_extension(team: Team) -> None:
    one, other = await make_extension(team.ci, "One"), await make_extension(team.ci, "Other")
    assert (await send(team.ci, one, headers=ONCE)).status_code == 201
    assert (await send(team.ci, other, headers=ONCE)).status_code == 201
    assert (await send(team.owner, one, headers=ONCE)).status_code == 409


async def test_repetitions_at_once_make_one_version(world: World, team: Team) -> None:
    extension_id = await make_extension(team.ci)
    answers = await asyncio.gather(*(send(team.ci, extension_id, headers=ONCE) for _ in range(5)))
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert any(answer.status_code == 201 for answer in answers)
    assert len({answer.json()["id"] for answer in answers if answer.status_code == 201}) == 1
    assert len((await team.ci.get(f"{EXTENSIONS}/{extension_id}/versions")).json()["versions"]) == 1
    assert len(stored(world)) == 1


async def test_who_lost_the_right_does_not_get_the_first_answer_again(world: World, team: Team) -> None:
    extension_id = await make_extension(team.ci)
    key = await world.mint_key(team.member, "members-key")
    client = world.bearer(key["key"])
    assert (await send(client, extension_id, headers=ONCE)).status_code == 201
    assert (await team.owner.delete(f"/v1/api-keys/{key['id']}")).status_code == 200
    assert (await send(client, extension_id, headers=ONCE)).status_code == 401
