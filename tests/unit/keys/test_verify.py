"""Verifying a developer key: cheap checks first, and each reason to refuse it is told apart in the log only."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from sqlalchemy import delete, select, update

from lumio.access.authenticator import Refused
from lumio.access.kinds import Kind, Place, Presented
from lumio.access.policy import Role
from lumio.access.principal import Principal
from lumio.accounts.store.tables import members, users
from lumio.crypto import opaque
from lumio.kernel import clock
from lumio.keys.store import KeyStore, keys
from lumio.keys.verify import KeyVerifier
from lumio.storage.hot import HotReader
from tests.support.world import World

Change = Callable[[World, dict[str, str]], Awaitable[Any]]


def verifier(world: World) -> KeyVerifier:
    found = next(one for one in _verifiers(world).values() if isinstance(one, KeyVerifier))
    assert isinstance(found, KeyVerifier)
    return found


def _verifiers(world: World) -> dict[str, Any]:
    """Reach into the house for the verifiers that its gate asks."""
    gate = next(one for one in world.house.web.middleware if hasattr(one, "_entrance"))
    found: dict[str, Any] = gate._entrance._authenticator._verifiers
    return found


async def verdict(world: World, text: str) -> Principal | Refused:
    return await verifier(world).verify(Presented(text, Place.BEARER))


async def member_with_key(world: World) -> tuple[dict[str, str], dict[str, Any]]:
    robin = await world.sign_in()
    person = await world.new_person("mia@example.com", Role.MEMBER, await world.account_id(robin))
    return person, await world.mint_key(await world.sign_in("mia@example.com"), "mia's")


async def change(world: World, statement: Any) -> None:
    """Change a row without a word to the feed, and let the node know nothing."""
    await world.house.units.run(lambda unit: unit.execute(statement))
    await world.forget()


async def test_a_good_key_is_its_holder_s_principal(world: World) -> None:
    person, made = await member_with_key(world)
    found = await verdict(world, made["key"])
    assert isinstance(found, Principal)
    assert (found.kind, found.account_id, found.member_id) == (
        Kind.API_KEY,
        person["account_id"],
        person["member_id"],
    )
    assert (found.actor.type, found.actor.label, found.actor.on_behalf_of) == ("api_key", "mia's", person["user_id"])
    assert {one.kind for one in found.subjects} == {"key", "account", "role", "user"}
    assert (found.proven_at, found.session_id, found.carried) == (None, None, None)
    assert made["key"] not in repr(found)


async def test_what_is_no_key_is_refused_before_anything_is_read(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []

    async def watched(_store: KeyStore, _hot: HotReader, lookup_id: str) -> None:
        read.append(lookup_id)

    monkeypatch.setattr(KeyStore, "by_lookup", watched)
    good = opaque.mint(opaque.DEVELOPER_KEY).text
    for text in ("", "x", good[:-1], good + "0", good[:-1] + "#", opaque.mint(opaque.SYSTEM_KEY).text):
        assert await verdict(world, text) == Refused("malformed", guess=True)
    assert read == []
    assert await verdict(world, good) == Refused("unknown", guess=True)
    assert len(read) == 1


async def test_a_known_id_with_another_secret_is_a_wrong_guess(world: World) -> None:
    _, made = await member_with_key(world)
    body = made["key"][:19] + opaque.mint(opaque.DEVELOPER_KEY).text[19:58]
    assert await verdict(world, body + opaque.checksum(body)) == Refused(
        "wrong_secret", guess=True, guessed_at=made["id"]
    )


REASONS: dict[str, Change] = {
    "revoked": lambda world, _: change(world, update(keys).values(revoked_at=clock.now())),
    "expired": lambda world, _: change(world, update(keys).values(expires_at=clock.now())),
    "holder_gone": lambda world, person: change(world, delete(members).where(members.c.id == person["member_id"])),
    "holder_gone ": lambda world, person: change(
        world, update(users).where(users.c.id == person["user_id"]).values(suspended_at=clock.now())
    ),
}


@pytest.mark.parametrize("reason", REASONS)
async def test_a_genuine_key_that_does_not_count_any_more_is_refused_in_its_account_and_is_no_guess(
    world: World, reason: str
) -> None:
    person, made = await member_with_key(world)
    await REASONS[reason](world, person)
    found = await verdict(world, made["key"])
    assert isinstance(found, Refused)
    assert (found.reason, found.guess, found.account_id) == (reason.strip(), False, person["account_id"])
    assert found.actor.credential_id == made["id"]


async def test_a_revoked_key_with_a_wrong_secret_tells_nobody_that_it_is_revoked(world: World) -> None:
    _, made = await member_with_key(world)
    await change(world, update(keys).values(revoked_at=clock.now()))
    body = made["key"][:19] + opaque.mint(opaque.DEVELOPER_KEY).text[19:58]
    assert await verdict(world, body + opaque.checksum(body)) == Refused(
        "wrong_secret", guess=True, guessed_at=made["id"]
    )


async def test_a_key_expires_at_its_moment_and_not_before(world: World) -> None:
    _, made = await member_with_key(world)
    moment = clock.now() + timedelta(hours=1)
    await change(world, update(keys).values(expires_at=moment))
    with time_machine.travel(moment - timedelta(milliseconds=1), tick=False):
        assert isinstance(await verdict(world, made["key"]), Principal)
    with time_machine.travel(moment, tick=False):
        assert isinstance(await verdict(world, made["key"]), Refused)


async def test_a_key_follows_its_holder_s_role_at_once(world: World) -> None:
    person, made = await member_with_key(world)
    ci = world.bearer(made["key"])
    assert "extensions:publish" not in (await ci.get("/v1/users/me")).json()["data"]["permissions"]
    await change(world, update(members).where(members.c.id == person["member_id"]).values(role=Role.ADMIN))
    assert "extensions:publish" in (await ci.get("/v1/users/me")).json()["data"]["permissions"]
    await change(world, update(members).where(members.c.id == person["member_id"]).values(role=Role.MEMBER))
    assert "extensions:publish" not in (await ci.get("/v1/users/me")).json()["data"]["permissions"]


async def test_the_database_keeps_no_part_of_the_secret(world: World) -> None:
    _, made = await member_with_key(world)
    async with world.house.database.reading() as connection:
        rows = (await connection.execute(select(keys))).all()
    assert made["key"][19:] not in str(rows)
    assert made["key"].encode() not in b"".join(row.digest for row in rows)


async def test_a_refused_try_never_moves_last_used_and_never_wakes_a_revoked_row(world: World) -> None:
    _, made = await member_with_key(world)
    body = made["key"][:19] + opaque.mint(opaque.DEVELOPER_KEY).text[19:58]
    await world.bearer(body + opaque.checksum(body)).get("/v1/users/me")
    service = verifier(world)._keys
    assert len(service._uses) == 0
    service.used(made["id"], "203.0.113.7")
    await change(world, update(keys).values(revoked_at=clock.now()))
    await service.flush(world.house.units)
    async with world.house.database.reading() as connection:
        row = (await connection.execute(select(keys))).one()
    assert (row.last_used_at, row.revoked_at is not None) == (None, True)


async def test_last_used_never_goes_back(world: World) -> None:
    _, made = await member_with_key(world)
    service, moment = verifier(world)._keys, clock.now()
    await change(world, update(keys).values(last_used_at=moment + timedelta(hours=1), last_used_ip="198.51.100.1"))
    service.used(made["id"], "203.0.113.7")
    await service.flush(world.house.units)
    async with world.house.database.reading() as connection:
        row = (await connection.execute(select(keys))).one()
    assert (row.last_used_at, row.last_used_ip) == (moment + timedelta(hours=1), "198.51.100.1")
