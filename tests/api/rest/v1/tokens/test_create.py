"""`POST /v1/tokens`: who may make one, with which rights, and that its secret leaves once."""

import json
from datetime import timedelta
from pathlib import Path

import pytest

from lumio.access import guard
from lumio.access.policy import POPOUT_ADMITS, Role
from lumio.kernel import clock
from tests.api.rest.outward import fields, rows
from tests.support.popouts import LABEL, POPOUTS, mint, rights
from tests.support.world import World

WRONG: list[tuple[dict[str, object], dict[str, str]]] = [
    ({"permissions": []}, {"permissions": "required"}),
    ({"permissions": ["*"]}, {"permissions": "unknown"}),
    ({"permissions": ["extensions:read:own"]}, {"permissions": "unknown"}),
    ({"permissions": "extensions:read"}, {"permissions": "type"}),
    ({"label": ""}, {"label": "length"}),
    ({"label": "   "}, {"label": "length"}),
    ({"label": "x" * 101}, {"label": "length"}),
    ({"member_id": "01a20000-0000-7000-8000-000000000000"}, {"member_id": "unknown"}),
    ({"expires_at": "2020-01-01T00:00:00Z"}, {"expires_at": "future"}),
    ({"maker_id": "me"}, {"maker_id": "unknown"}),
    ({"account_id": "mine"}, {"account_id": "unknown"}),
]


async def test_a_new_popout_token_has_64_characters_reads_extensions_and_is_shown_once(world: World) -> None:
    robin = await world.sign_in()
    answer = await robin.post(POPOUTS, json={"label": f"  {LABEL} "})
    assert answer.status_code == 201
    made = answer.json()["data"]
    assert set(made) == {
        "id", "label", "token", "permissions", "prefix", "lookup_id", "member", "created_at", "expires_at",
    }  # fmt: skip
    assert made["token"].startswith(f"lm_pop_{made['lookup_id']}")
    assert len(made["token"]) == 64
    assert (made["label"], made["permissions"], made["expires_at"]) == (LABEL, ["extensions:read"], None)
    assert answer.headers["cache-control"] == "private, no-store"
    assert answer.headers["location"] == f"{POPOUTS}/{made['id']}"
    for path in (POPOUTS, f"{POPOUTS}/{made['id']}", "/v1/audit-log"):
        assert made["token"] not in (await robin.get(path)).text


async def test_the_database_keeps_a_fingerprint_and_no_secret(world: World) -> None:
    made = await mint(await world.sign_in())
    found = await rows(world, "SELECT * FROM popout_token")
    assert len(bytes(found[0]["digest"])) == 32
    assert made["token"] not in repr(found)
    assert made["token"][19:58] not in repr(found)


async def test_a_repetition_gets_the_id_and_never_the_secret_again(world: World) -> None:
    robin = await world.sign_in()
    first = await robin.post(POPOUTS, json={"label": LABEL}, headers={"Idempotency-Key": "once"})
    again = await robin.post(POPOUTS, json={"label": LABEL}, headers={"Idempotency-Key": "once"})
    assert again.status_code == 409
    assert again.json()["existing_id"] == first.json()["data"]["id"]
    assert "lm_pop_" not in again.text


async def test_making_one_is_an_event_with_its_label_and_rights(world: World) -> None:
    robin = await world.sign_in()
    made = await mint(robin, "members:read", "extensions:read")
    entry = (await world.log(robin, event="popout_token.created"))[0]
    assert (entry["actor"], entry["result"]) == ("robin@example.com", "success")
    assert entry["target"] == {"type": "popout_token", "id": made["id"]}
    detail = await rows(world, "SELECT detail FROM audit_event WHERE event = 'popout_token.created'")
    told = json.loads(detail[0]["detail"])
    assert told["label"] == LABEL
    assert told["permissions"] == ["extensions:read", "members:read"]


async def test_every_role_can_give_each_admitted_right_that_it_holds_itself(world: World) -> None:
    account_id = await world.account_id(await world.sign_in())
    for role in Role:
        email = f"{role}@example.com"
        await world.new_person(email, role, account_id)
        made = await mint(await world.sign_in(email), *POPOUT_ADMITS)
        own = ":own" if role is Role.MEMBER else ""
        assert await rights(world, made["token"]) == ["extensions:read", "members:read", f"tokens:read{own}"]


async def test_nobody_gives_a_right_that_they_do_not_hold(world: World) -> None:
    robin = await world.sign_in()
    await world.new_person("mo@example.com", Role.MEMBER, await world.account_id(robin))
    mo = await world.sign_in("mo@example.com")
    lacked = ["extensions:publish", "billing:read", "system-keys:create", "auth:introspect"]
    for name in lacked:
        answer = await mo.post(POPOUTS, json={"label": LABEL, "permissions": ["extensions:read", name]})
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    assert await rows(world, "SELECT id FROM popout_token") == []
    refusals = await world.log(robin, event="popout_token.created")
    assert {(one["actor"], one["result"]) for one in refusals} == {("mo@example.com", "failure")}


async def test_a_right_that_the_kind_does_not_admit_is_bad_input_even_for_its_holder(world: World) -> None:
    robin = await world.sign_in()
    for held in ("extensions:deploy", "tokens:create", "billing:read", "system-keys:create"):
        answer = await robin.post(POPOUTS, json={"label": LABEL, "permissions": [held]})
        assert (answer.status_code, fields(answer)) == (422, {"permissions": "admitted"})


async def test_bad_input_names_the_field_and_makes_nothing(world: World) -> None:
    robin = await world.sign_in()
    for wrong, broken in WRONG:
        answer = await robin.post(POPOUTS, json={"label": LABEL, **wrong})
        assert (answer.status_code, fields(answer)) == (422, broken), wrong
    assert await rows(world, "SELECT id FROM popout_token") == []


async def test_one_can_be_made_for_a_while_only(world: World) -> None:
    end = clock.now() + timedelta(days=30)
    made = await mint(await world.sign_in(), expires_at=clock.rfc3339(end))
    assert made["expires_at"] == clock.rfc3339(end)


async def test_making_one_asks_a_session_for_a_fresh_proof(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    robin = await world.sign_in()
    monkeypatch.setattr(guard, "STEP_UP_SECONDS", -1)
    answer = await robin.post(POPOUTS, json={"label": LABEL})
    assert (answer.status_code, answer.json()["code"]) == (403, "step_up_required")


async def test_a_leaked_credential_never_makes_a_popout_token(world: World) -> None:
    robin = await world.sign_in()
    key = await world.mint_key(robin)
    made = await mint(robin, *POPOUT_ADMITS)
    by_key = await world.bearer(key["key"]).post(POPOUTS, json={"label": LABEL})
    assert (by_key.status_code, by_key.json()["code"]) == (403, "step_up_required")
    by_popout = await world.anonymous().post(POPOUTS, params={"token": made["token"]}, json={"label": LABEL})
    assert (by_popout.status_code, by_popout.json()["code"]) == (403, "forbidden")
    assert (await world.anonymous().post(POPOUTS, json={"label": LABEL})).status_code == 401


async def test_binding_goes_to_no_role_above_ones_own(world: World) -> None:
    robin = await world.sign_in()
    account_id = await world.account_id(robin)
    owner = (await world.new_person("olga@example.com", Role.OWNER, account_id))["member_id"]
    admin = (await world.new_person("ada@example.com", Role.ADMIN, account_id))["member_id"]
    member = (await world.new_person("mo@example.com", Role.MEMBER, account_id))["member_id"]
    ada, mo = await world.sign_in("ada@example.com"), await world.sign_in("mo@example.com")
    expected = {
        (robin, owner): 201, (robin, member): 201, (ada, owner): 403, (ada, admin): 201, (ada, member): 201,
        (mo, owner): 403, (mo, admin): 403, (mo, member): 201,
    }  # fmt: skip
    for (client, bound), status in expected.items():
        answer = await client.post(POPOUTS, json={"label": LABEL, "member_id": bound})
        assert answer.status_code == status, (bound, answer.text)
        if status == 201:
            assert answer.json()["data"]["member"]["id"] == bound


async def test_a_member_of_another_account_cannot_be_bound(world: World) -> None:
    stranger = (await world.new_person("sam@example.com"))["member_id"]
    robin = await world.sign_in()
    answer = await robin.post(POPOUTS, json={"label": LABEL, "member_id": stranger})
    assert (answer.status_code, fields(answer)) == (422, {"member_id": "unknown"})


async def test_no_file_of_the_house_holds_the_secret(world: World) -> None:
    robin = await world.sign_in()
    made = await mint(robin)
    await robin.post(POPOUTS, json={"label": made["token"]})
    await world.anonymous().get("/v1/users/me", params={"token": made["token"]})
    await world.bearer(made["token"]).get("/v1/users/me")
    assert not _files_with(world.house.settings.data_dir, made["token"])
    for name in ("audit_event", "popout_token", "idempotency"):
        assert made["token"] not in repr(await rows(world, f"SELECT * FROM {name}"))  # noqa: S608 - names of ours


def _files_with(folder: Path, text: str) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and text.encode() in path.read_bytes()]
