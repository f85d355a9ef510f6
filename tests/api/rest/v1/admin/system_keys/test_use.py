"""A system key at work: what its list lets it do, on which account, and how its use is seen."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import delete

from lumio.access.kinds import Place, Presented
from lumio.access.policy import Role
from lumio.access.principal import ACCOUNT_HEADER, Principal
from lumio.crypto import opaque
from lumio.crypto.hashing import StretchPool
from lumio.kernel import clock, ids
from lumio.system_keys.store import SystemKeyStore, system_keys
from lumio.system_keys.verify import SystemKeyVerifier
from tests.support.developers import EXTENSIONS, deploy, make_extension, publish, send
from tests.support.system_keys import KEYS, LABEL, carrying, journal, mint, rows, with_wrong_secret
from tests.support.world import World

ME = "/v1/users/me"


@pytest.fixture
def stretched(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every hash that Argon2id was asked about."""
    asked: list[str] = []
    matches = StretchPool.matches

    async def counting(pool: StretchPool, text: str, encoded: str | None) -> bool:
        asked.append(encoded or "")
        return await matches(pool, text, encoded)

    monkeypatch.setattr(StretchPool, "matches", counting)
    return asked


async def test_it_is_what_its_row_says(world: World) -> None:
    made = await mint(await world.sign_in(), profile="introspector")
    shown = (await carrying(world, made["key"]).get(ME)).json()["data"]
    assert shown == {
        "kind": "system_key",
        "label": LABEL,
        "user": None,
        "account": None,
        "role": None,
        "permissions": ["auth:introspect"],
        "credential_id": made["id"],
    }


async def test_a_deployer_deploys_for_any_account_that_it_names(world: World) -> None:
    robin = await world.sign_in()
    made = await mint(robin, profile="deployer")
    stranger = await world.new_person("ada@example.com", Role.OWNER)
    for account_id in (await world.account_id(robin), stranger["account_id"]):
        bot = carrying(world, made["key"], account_id)
        version = await deploy(bot, await make_extension(bot))
        assert (version["status"], version["deployedBy"]) == ("draft", LABEL)
    ada = await world.sign_in("ada@example.com")
    assert len((await ada.get(EXTENSIONS)).json()["extensions"]) == 1
    deployed = await world.log(ada, event="extension.deployed")
    assert [(one["actor"], one["actor_type"]) for one in deployed] == [(LABEL, "system_key")]


async def test_it_does_exactly_what_is_on_its_list(world: World) -> None:
    robin = await world.sign_in()
    account_id = await world.account_id(robin)
    made = await mint(robin, profile="deployer")
    bot = carrying(world, made["key"], account_id)
    extension_id = await make_extension(bot)
    version = await deploy(bot, extension_id)
    assert (await publish(bot, extension_id, version["id"])).status_code == 403
    for path in ("/v1/audit-log", "/v1/api-keys", KEYS):
        assert (await bot.get(path)).status_code == 403
    reader = carrying(world, (await mint(robin, profile="introspector"))["key"], account_id)
    assert (await reader.post(EXTENSIONS, json={"unknown": True})).status_code == 403  # before its body is judged
    assert (await robin.get(f"{EXTENSIONS}/{extension_id}")).json()["status"] == "draft"


async def test_without_the_header_the_answer_names_it(world: World) -> None:
    made = await mint(await world.sign_in(), profile="deployer")
    answer = await carrying(world, made["key"]).get(EXTENSIONS)
    assert answer.status_code == 422
    assert ACCOUNT_HEADER in answer.text
    assert (await carrying(world, made["key"]).get("/developer/v1/me")).status_code == 422
    assert (await carrying(world, made["key"]).post(EXTENSIONS, json={"name": "x"})).status_code == 422
    uploaded = await send(carrying(world, made["key"]), "ext_unknown")
    assert uploaded.status_code == 422
    assert ACCOUNT_HEADER in uploaded.text


@pytest.mark.parametrize("named", [ids.uuid7(), "nothing", "", "' OR 1=1 --"], ids=["id", "word", "empty", "query"])
async def test_an_account_that_is_not_there_is_not_found(world: World, named: str) -> None:
    made = await mint(await world.sign_in(), profile="deployer")
    answer = await carrying(world, made["key"], named).get(EXTENSIONS)
    assert answer.status_code == 404
    assert len(await journal(world, event="auth.succeeded", credential_id=made["id"])) == 1


async def test_two_accounts_are_none(world: World) -> None:
    robin = await world.sign_in()
    account_id = await world.account_id(robin)
    made = await mint(robin, profile="deployer")
    headers = [(ACCOUNT_HEADER, account_id), (ACCOUNT_HEADER, account_id)]
    answer = await carrying(world, made["key"]).get(EXTENSIONS, headers=headers)
    assert answer.status_code == 404


async def test_the_header_moves_no_other_kind(world: World) -> None:
    robin = await world.sign_in()
    home = await world.account_id(robin)
    elsewhere = (await world.new_person("ada@example.com"))["account_id"]
    key = (await world.mint_key(robin))["key"]
    for client in (robin, world.bearer(key)):
        client.headers[ACCOUNT_HEADER] = elsewhere
        assert (await client.get(ME)).json()["data"]["account"]["id"] == home
        client.headers[ACCOUNT_HEADER] = "nothing"
        assert (await client.get(ME)).status_code == 200


async def test_its_use_on_an_account_stands_in_that_account_s_log(world: World) -> None:
    robin = await world.sign_in()
    account_id = await world.account_id(robin)
    made = await mint(robin)
    assert (await carrying(world, made["key"], account_id).get(EXTENSIONS)).status_code == 200
    (used,) = await world.log(robin, event="auth.succeeded", credential_id=made["id"])
    assert (used["actor"], used["actor_type"], used["ip"]) == (LABEL, "system_key", "203.0.113.7")


async def test_argon2id_runs_once_for_a_key_however_often_it_is_used(world: World, stretched: list[str]) -> None:
    made = await mint(await world.sign_in())
    stretched.clear()
    bot = carrying(world, made["key"])
    for _ in range(5):
        assert (await bot.get(ME)).status_code == 200
    (row,) = await rows(world)
    assert stretched == [row.hash]


async def test_a_flood_of_wrong_secrets_never_reaches_argon2id_and_locks_no_good_key_out(
    world: World, stretched: list[str], one_minute: None
) -> None:
    made = await mint(await world.sign_in())
    wrong = [with_wrong_secret(made["key"]) for _ in range(400)]
    stretched.clear()
    found = [(await carrying(world, key).get(ME)).status_code for key in wrong]
    assert len(stretched) <= 1  # one in 65,536 passes the tag
    assert found[:300] == [401] * 300
    assert set(found[301:]) == {429}
    assert (await carrying(world, made["key"]).get(ME)).status_code == 200
    assert len(stretched) <= 2


@pytest.mark.parametrize("change", ["other_kind", "checksum", "length", "unknown", "secret"])
async def test_every_bad_key_looks_the_same_from_outside(world: World, change: str) -> None:
    made = await mint(await world.sign_in())
    key = made["key"]
    bad = {
        "other_kind": opaque.DEVELOPER_KEY + key[7:],
        "checksum": key[:-1] + ("0" if key[-1] != "0" else "1"),
        "length": key[:-1],
        "unknown": opaque.mint(opaque.SYSTEM_KEY).text,
        "secret": with_wrong_secret(key),
    }[change]
    answer = await carrying(world, bad).get(ME)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == 'Bearer error="invalid_token"'
    problem: dict[str, Any] = answer.json()
    assert (problem["code"], problem["detail"]) == ("unauthorized", "A valid credential is needed.")


async def test_in_a_query_string_it_is_refused_and_its_name_recorded(world: World) -> None:
    made = await mint(await world.sign_in())
    answer = await world.anonymous().get(ME, params={"token": made["key"]})
    assert answer.status_code == 401
    (leak,) = await journal(world, event="auth.failed", credential_id=made["id"])
    assert leak.actor_label == LABEL
    assert "key_in_query" in leak.detail


async def test_last_used_moves_only_with_success_and_is_written_by_the_next_turn(world: World) -> None:
    robin = await world.sign_in()
    made = await mint(robin)

    async def last_used() -> str | None:
        await world.house.system_keys.flush(world.house.units)
        (item,) = (await robin.get(KEYS)).json()["data"]
        found: str | None = item["last_used_at"]
        return found

    await carrying(world, with_wrong_secret(made["key"])).get(ME)
    await world.anonymous().get(ME, params={"token": made["key"]})
    assert await last_used() is None
    await carrying(world, made["key"], ip="198.51.100.9").get(ME)
    first = await last_used()
    assert first is not None
    (row,) = await rows(world)
    assert row.last_used_ip == "198.51.100.9"
    await carrying(world, with_wrong_secret(made["key"]), ip="198.51.100.66").get(ME)
    assert await last_used() == first


async def test_a_use_is_shown_within_ten_seconds_by_itself(world: World) -> None:
    robin = await world.sign_in()
    made = await mint(robin)
    await carrying(world, made["key"]).get(ME)
    deadline = clock.monotonic() + 10
    while (await robin.get(KEYS)).json()["data"][0]["last_used_at"] is None:
        assert clock.monotonic() < deadline
        await asyncio.sleep(0.25)


async def test_its_rights_are_those_of_its_row_now_and_not_those_of_its_arrival(world: World) -> None:
    made = await mint(await world.sign_in(), profile="introspector")
    principal = await _arrived(world, made["key"])
    assert await world.house.perform.rights(principal) == {"auth:introspect"}

    async def gone(unit: Any) -> None:
        await unit.execute(delete(system_keys))

    await world.house.units.run(gone)
    assert await world.house.perform.rights(principal) == frozenset()


async def _arrived(world: World, key: str) -> Principal:
    """Return the principal of a key, as its verifier made it."""
    tags, proofs = world.house.system_keys._tags, world.house.system_keys._proofs
    verifier = SystemKeyVerifier(SystemKeyStore(), world.house.system_keys, world.house.authority, tags, proofs)
    found = await verifier.verify(Presented(key, Place.BEARER))
    assert isinstance(found, Principal)
    return found
