"""`POST /v1/auth/introspect` (RFC 7662): what a service learns of a credential that it was shown."""

import json
from datetime import timedelta
from typing import Any

import httpx2
import pytest

from lumio.access.policy import POPOUT_ADMITS, Role
from lumio.crypto import opaque
from lumio.kernel import clock
from tests.api.rest.outward import change, fields, seen
from tests.support import popouts, system_keys
from tests.support.world import World

ADDRESS = "/v1/auth/introspect"
ALWAYS = {"active", "sub", "scope", "kind", "account_id", "permissions", "credential_id", "label"}


async def _service(world: World, robin: httpx2.AsyncClient, profile: str = "introspector") -> httpx2.AsyncClient:
    made = await system_keys.mint(robin, "gateway", profile)
    return world.bearer(made["key"], ip="198.51.100.40")


async def _ask(service: httpx2.AsyncClient, text: str, **more: str) -> dict[str, Any]:
    answer = await service.post(ADDRESS, data={"token": text, **more})
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


def _text(client: httpx2.AsyncClient) -> str:
    return str(client.headers["authorization"]).removeprefix("Bearer ")


async def test_each_kind_is_described_in_the_form_of_rfc_7662_without_an_envelope(world: World) -> None:
    robin = await world.sign_in()
    me = (await robin.get("/v1/users/me")).json()["data"]
    end = clock.now() + timedelta(days=1)
    key = (await robin.post("/v1/api-keys", json={"label": "ci", "expires_at": clock.rfc3339(end)})).json()["data"]
    popout = await popouts.mint(robin, *POPOUT_ADMITS)
    other = await system_keys.mint(robin, "bot", "service")
    service = await _service(world, robin)

    told = await _ask(service, key["key"], token_type_hint="access_token")
    assert set(told) == ALWAYS | {"exp"}
    assert (told["active"], told["kind"], told["label"]) == (True, "api_key", "ci")
    assert (told["sub"], told["account_id"]) == (me["user"]["id"], me["account"]["id"])
    assert (told["credential_id"], told["exp"]) == (key["id"], int(end.timestamp()))
    assert told["scope"] == " ".join(told["permissions"])
    assert "extensions:publish" in told["permissions"]
    assert not {"admin:access", "system-keys:create"} & set(told["permissions"])

    told = await _ask(service, popout["token"])
    assert set(told) == ALWAYS
    assert (told["kind"], told["permissions"]) == ("popout_token", sorted(POPOUT_ADMITS))
    assert (told["sub"], told["credential_id"]) == (me["user"]["id"], popout["id"])

    told = await _ask(service, _text(robin))
    assert set(told) == ALWAYS | {"exp"}
    assert (told["kind"], told["label"], told["sub"]) == ("session", "robin@example.com", me["user"]["id"])
    assert 0 < told["exp"] - clock.now().timestamp() <= 900

    told = await _ask(service, other["key"])
    assert set(told) == ALWAYS - {"account_id"}
    assert (told["kind"], told["sub"], told["label"]) == ("system_key", other["id"], "bot")
    assert told["permissions"] == ["auth:introspect", "extensions:read", "members:read", "system-connections:use"]


async def test_whatever_does_not_count_is_inactive_and_nothing_else_is_said(world: World) -> None:
    robin = await world.sign_in()
    service = await _service(world, robin)
    key, popout = await world.mint_key(robin), await popouts.mint(robin)
    gone = await system_keys.mint(robin, "gone", "probe")
    page = (await world.page_client()).cookies["__Host-lumio"]
    ada = await world.sign_in()
    await robin.delete(f"/v1/api-keys/{key['id']}")
    await robin.delete(f"/v1/tokens/{popout['id']}")
    await robin.delete(f"/v1/admin/system-keys/{gone['id']}")
    await ada.post("/v1/auth/logout")
    inactive = [
        key["key"], popout["token"], gone["key"], _text(ada), page, "", "x", "lm_dev_", "lm_eyJ.a.b",
        opaque.mint(opaque.DEVELOPER_KEY).text, opaque.mint(opaque.REFRESH_TOKEN).text,
        popouts.with_wrong_secret(popout["token"]),
    ]  # fmt: skip
    answers = [await service.post(ADDRESS, data={"token": text}) for text in inactive]
    assert [answer.json() for answer in answers] == [{"active": False}] * len(inactive)
    assert all(seen(answer) == seen(answers[0]) for answer in answers)


async def test_rights_are_those_of_this_moment(world: World) -> None:
    robin = await world.sign_in()
    service = await _service(world, robin)
    ada = await world.new_person("ada@example.com", Role.ADMIN, await world.account_id(robin))
    key = await world.mint_key(await world.sign_in("ada@example.com"))
    assert "extensions:publish" in (await _ask(service, key["key"]))["permissions"]
    await change(world, "UPDATE member SET role = 'member' WHERE id = :id", id=ada["member_id"])
    told = await _ask(service, key["key"])
    assert "extensions:publish" not in told["permissions"]
    assert "extensions:deploy" in told["permissions"]
    await change(world, "DELETE FROM member WHERE id = :id", id=ada["member_id"])
    assert await _ask(service, key["key"]) == {"active": False}


async def test_only_a_credential_with_the_right_may_ask(world: World) -> None:
    robin = await world.sign_in()
    key, popout = await world.mint_key(robin), await popouts.mint(robin)
    probe = await _service(world, robin, "probe")
    refused = [robin, world.bearer(key["key"]), popouts.carrying(world, popout["token"]), probe]
    for client in refused:
        answer = await client.post(ADDRESS, data={"token": key["key"]})
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    assert (await world.anonymous().post(ADDRESS, data={"token": key["key"]})).status_code == 401
    page = await world.page_client()
    assert (await page.post(ADDRESS, data={"token": key["key"]})).status_code == 401
    assert (await page.post("/api/auth/introspect", data={"token": key["key"]})).status_code == 404


async def test_an_asked_credential_has_its_own_event_that_says_who_asked(world: World) -> None:
    robin = await world.sign_in()
    made = await system_keys.mint(robin, "gateway", "introspector")
    service = world.bearer(made["key"], ip="198.51.100.40")
    key, gone = await world.mint_key(robin, "asked"), await world.mint_key(robin, "gone")
    await robin.delete(f"/v1/api-keys/{gone['id']}")
    await _ask(service, key["key"])
    await _ask(service, gone["key"])
    told = await world.log(robin, ip="198.51.100.40")
    events = [(one["event"], one["actor"], one["result"], one["credential_id"]) for one in told]
    assert events == [
        ("auth.failed", "gone", "failure", gone["id"]),
        ("auth.succeeded", "asked", "success", key["id"]),
    ]
    good, bad = await system_keys.journal(world, ip="198.51.100.40", actor_type="api_key")
    assert json.loads(good.detail) == {"introspected_by": made["id"]}
    assert json.loads(bad.detail) == {"introspected_by": made["id"], "reason": "revoked"}


async def test_a_flood_of_bad_ones_is_limited_and_a_good_one_still_gets_its_answer(
    world: World, one_minute: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    robin = await world.sign_in()
    service, key = await _service(world, robin), await world.mint_key(robin)
    monkeypatch.setattr(world.house.limiter, "_limit", 3)
    answers = [await service.post(ADDRESS, data={"token": "garbage"}) for _ in range(5)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429, 429]
    assert "retry-after" in answers[-1].headers
    assert (await _ask(service, key["key"]))["active"] is True


async def test_a_question_is_a_form_with_one_credential_in_it(world: World) -> None:
    robin = await world.sign_in()
    service, key = await _service(world, robin), await world.mint_key(robin)
    assert (await service.post(ADDRESS, json={"token": key["key"]})).status_code == 400
    assert (await service.get(ADDRESS)).status_code == 405
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    twice = await service.post(ADDRESS, content=f"token={key['key']}&token=x", headers=form)
    assert twice.status_code == 400
    missing = await service.post(ADDRESS, data={"token_type_hint": "x"})
    assert (missing.status_code, fields(missing)) == (422, {"token": "required"})
    strange = await service.post(ADDRESS, data={"token": key["key"], "extra": "1"})
    assert (strange.status_code, fields(strange)) == (422, {"extra": "unknown"})
    for answer in (twice, missing, strange):
        assert key["key"] not in answer.text
    in_address = await service.post(ADDRESS, params={"token": key["key"]}, data={"token": key["key"]})
    assert in_address.status_code == 401
