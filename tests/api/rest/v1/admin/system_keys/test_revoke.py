"""`DELETE /v1/admin/system-keys/{id}`: the row is gone, the key is dead, and its name stays in the log."""

import json
from dataclasses import replace

from sqlalchemy import select

from lumio.authority.feed import revocations
from lumio.crypto import opaque
from lumio.kernel import ids
from lumio.settings import Settings
from lumio.storage.columns import metadata
from tests.support.system_keys import KEYS, LABEL, carrying, journal, mint, rows
from tests.support.world import World, opened

ME = "/v1/users/me"


async def test_revoking_deletes_the_row_and_the_key_is_refused_from_then_on(world: World) -> None:
    robin = await world.sign_in()
    made = await mint(robin)
    bot = carrying(world, made["key"])
    assert (await bot.get(ME)).status_code == 200
    answer = await robin.delete(f"{KEYS}/{made['id']}")
    assert answer.status_code == 200
    receipt = answer.json()["data"]
    assert list(receipt) == ["id", "revoked_at", "seq", "effective"]
    assert (receipt["id"], receipt["effective"]) == (made["id"], True)
    assert (await bot.get(ME)).status_code == 401
    assert await rows(world) == []
    assert (await robin.get(KEYS)).json()["data"] == []


async def test_a_deleted_row_leaves_nothing_that_verifies(world: World) -> None:
    robin = await world.sign_in()
    made = await mint(robin)
    (row,) = await rows(world)
    bot = carrying(world, made["key"])
    assert (await bot.get(ME)).status_code == 200  # its proof is in the cache now
    await robin.delete(f"{KEYS}/{made['id']}")
    await world.house.system_keys.flush(world.house.units)  # a last use that was still in memory
    assert await rows(world) == []
    async with world.house.database.reading() as connection:
        for table in metadata.sorted_tables:
            for kept in (await connection.execute(select(table))).all():
                text = " ".join(str(value) for value in kept)
                assert row.hash not in text
                assert row.lookup_id not in text


async def test_the_feed_says_that_the_key_ended(world: World) -> None:
    robin = await world.sign_in()
    made = await mint(robin)
    receipt = (await robin.delete(f"{KEYS}/{made['id']}")).json()["data"]
    async with world.house.database.reading() as connection:
        (row,) = (await connection.execute(select(revocations).where(revocations.c.seq == receipt["seq"]))).all()
    assert (row.subject_kind, row.subject_id, row.effect) == ("key", made["id"], "ended")


async def test_there_is_no_second_time_and_no_way_back(world: World) -> None:
    robin = await world.sign_in()
    made = await mint(robin)
    assert (await robin.delete(f"{KEYS}/{made['id']}")).status_code == 200
    assert (await robin.delete(f"{KEYS}/{made['id']}")).status_code == 404
    assert (await robin.patch(f"{KEYS}/{made['id']}", json={"enabled": True})).status_code == 405
    assert (await robin.post(f"{KEYS}/{made['id']}/rotate")).status_code == 404
    assert (await robin.get(f"{KEYS}/{made['id']}")).status_code == 405


async def test_an_id_that_is_none_of_ours_is_not_found(world: World) -> None:
    robin = await world.sign_in()
    developer_key = await world.mint_key(robin)
    for name in (ids.uuid7(), "nothing", developer_key["id"]):
        assert (await robin.delete(f"{KEYS}/{name}")).status_code == 404
    assert (await world.bearer(developer_key["key"]).get(ME)).status_code == 200


async def test_the_log_keeps_id_and_label_after_the_row_is_gone(world: World) -> None:
    robin = await world.sign_in()
    made = await mint(robin, "ada@example.com")
    await carrying(world, made["key"]).get(ME)
    await robin.delete(f"{KEYS}/{made['id']}")
    (revoked,) = await journal(world, event="api_key.revoked")
    assert (revoked.target_type, revoked.target_id) == ("system_key", made["id"])
    assert json.loads(revoked.detail) == {"label": "ada@example.com"}
    (used,) = await journal(world, event="auth.succeeded", credential_id=made["id"])
    assert (used.actor_type, used.actor_label) == ("system_key", "ada@example.com")


async def test_a_system_key_that_may_can_revoke_itself_and_gets_its_receipt(settings: Settings) -> None:
    profiles = {"gardener": ("system-keys:read", "system-keys:delete")}
    async with opened(replace(settings, profiles=profiles)) as world:
        made = await mint(await world.sign_in(), LABEL, "gardener")
        bot = carrying(world, made["key"])
        assert (await bot.delete(f"{KEYS}/{made['id']}")).status_code == 200
        assert (await bot.get(KEYS)).status_code == 401


async def test_a_body_is_refused(world: World) -> None:
    robin = await world.sign_in()
    made = await mint(robin)
    answer = await robin.request("DELETE", f"{KEYS}/{made['id']}", json={"reason": opaque.SYSTEM_KEY})
    assert answer.status_code == 422
    assert len(await rows(world)) == 1
