"""`GET /v1/auth/verify`: the question that a proxy asks before it lets a request through."""

from collections.abc import AsyncIterator
from dataclasses import replace
from ipaddress import ip_network
from typing import Any

import httpx2
import pytest_asyncio

from lumio.access.policy import POPOUT_ADMITS, Role
from lumio.settings import Settings
from tests.api.rest.outward import fields, rows
from tests.support import popouts, system_keys
from tests.support.world import World, opened

ADDRESS = "/v1/auth/verify"
PROXY = "192.0.2.1"


@pytest_asyncio.fixture
async def behind(settings: Settings) -> AsyncIterator[World]:
    """A world that believes the proxy at 192.0.2.1."""
    async with opened(replace(settings, trusted_proxies=(ip_network(f"{PROXY}/32"),))) as made:
        yield made


def _told(answer: httpx2.Response) -> dict[str, Any]:
    """Return the answer's headers under the names of its JSON."""
    found = {name.removeprefix("x-lumio-"): value for name, value in answer.headers.items() if "x-lumio-" in name}
    return {**found, "permissions": found.get("permissions", "").split()}


async def test_every_kind_is_named_in_headers_and_the_same_in_json(world: World) -> None:
    robin = await world.sign_in()
    me = (await robin.get("/v1/users/me")).json()["data"]
    key, popout = await world.mint_key(robin), await popouts.mint(robin, *POPOUT_ADMITS)
    system = await system_keys.mint(robin, "bot", "deployer")
    expected = [
        (robin, "session", me["user"]["id"], me["credential_id"]),
        (world.bearer(key["key"]), "api_key", me["user"]["id"], key["id"]),
        (popouts.carrying(world, popout["token"]), "popout_token", me["user"]["id"], popout["id"]),
        (system_keys.carrying(world, system["key"], me["account"]["id"]), "system_key", system["id"], system["id"]),
    ]
    for client, kind, subject, credential in expected:
        answer = await client.get(ADDRESS)
        assert answer.status_code == 200
        told = answer.json()
        assert _told(answer) == told
        assert set(told) == {"kind", "subject", "account", "permissions", "credential"}
        assert (told["kind"], told["subject"], told["credential"]) == (kind, subject, credential)
        assert told["account"] == me["account"]["id"]
        assert "extensions:read" in told["permissions"]


async def test_without_a_credential_it_is_401_unless_nobody_is_welcome(world: World) -> None:
    nobody = world.anonymous()
    refused = await nobody.get(ADDRESS)
    assert refused.status_code == 401
    assert refused.headers["www-authenticate"] == 'Bearer error="invalid_token"'
    assert "x-lumio-kind" not in refused.headers
    welcome = await nobody.get(ADDRESS, params={"anonymous": "1"})
    assert (welcome.status_code, _told(welcome)) == (200, {"kind": "anonymous", "permissions": []})
    assert (await nobody.get(ADDRESS, params={"anonymous": "1", "require": "extensions:read"})).status_code == 403


async def test_a_bad_credential_is_401_also_where_nobody_is_welcome(world: World) -> None:
    robin = await world.sign_in()
    key = await world.mint_key(robin)
    await robin.delete(f"/v1/api-keys/{key['id']}")
    answer = await world.bearer(key["key"]).get(ADDRESS, params={"anonymous": "1"})
    assert answer.status_code == 401


async def test_a_page_session_is_not_read_here(world: World) -> None:
    page = await world.page_client()
    assert (await page.get(ADDRESS)).status_code == 401
    assert (await page.get("/api/auth/verify")).status_code == 404


async def test_what_is_required_must_be_held_now_and_in_full(world: World) -> None:
    robin = await world.sign_in()
    await world.new_person("mo@example.com", Role.MEMBER, await world.account_id(robin))
    key = world.bearer((await world.mint_key(await world.sign_in("mo@example.com")))["key"])
    expected = {
        "extensions:deploy": 200, "extensions:publish": 403, "tokens:read": 403, "tokens:read:own": 200,
        "system-keys:read": 403, "billing:edit": 403,
    }  # fmt: skip
    for required, status in expected.items():
        answer = await key.get(ADDRESS, params={"require": required})
        assert answer.status_code == status, required
        assert ("x-lumio-kind" in answer.headers) is (status == 200)
    assert (await robin.get(ADDRESS, params={"require": "tokens:read:own"})).status_code == 200


async def test_a_misspelt_demand_is_an_error_and_never_a_yes(world: World) -> None:
    robin = await world.sign_in()
    for required, rule in {"extensions:raed": "unknown", "everything": "pattern", "": "pattern"}.items():
        answer = await robin.get(ADDRESS, params={"require": required})
        assert (answer.status_code, fields(answer)) == (422, {"require": rule}), required
    twice = await robin.get(f"{ADDRESS}?require=extensions:read&require=billing:edit")
    assert (twice.status_code, fields(twice)) == (422, {"require": "twice"})
    assert (await robin.get(ADDRESS, params={"requires": "extensions:read"})).status_code == 422


async def test_a_popout_token_in_the_address_that_a_trusted_proxy_names_is_read(behind: World) -> None:
    robin = await behind.sign_in()
    made = await popouts.mint(robin)
    uri = f"/overlay/alerts?theme=dark&token={made['token']}"
    proxy, stranger = behind.anonymous(PROXY), behind.anonymous("203.0.113.7")
    for header in ("X-Original-URI", "X-Forwarded-Uri"):
        answer = await proxy.get(ADDRESS, headers={header: uri, "X-Forwarded-For": "198.51.100.77"})
        assert (answer.status_code, answer.headers.get("x-lumio-credential")) == (200, made["id"])
        assert (await stranger.get(ADDRESS, headers={header: uri})).status_code == 401
        assert (await proxy.get("/v1/users/me", headers={header: uri})).status_code == 401
    both = await proxy.get(ADDRESS, headers={"X-Original-URI": uri, "X-Forwarded-Uri": uri})
    assert both.status_code == 200
    told = await behind.log(robin, credential_id=made["id"], ip="198.51.100.77")
    assert {(one["event"], one["count"]) for one in told} == {("auth.succeeded", 1)}


async def test_another_kind_in_the_named_address_is_refused_and_its_leak_is_recorded(behind: World) -> None:
    robin = await behind.sign_in()
    key = await behind.mint_key(robin, "leaked-key")
    proxy = behind.anonymous(PROXY)
    for uri in (f"/overlay?token={key['key']}", f"/overlay?key={key['key']}"):
        answer = await proxy.get(ADDRESS, headers={"X-Original-URI": uri}, params={"anonymous": "1"})
        assert answer.status_code == 401
    told = await rows(behind, "SELECT detail FROM audit_event WHERE actor_label = 'leaked-key'")
    assert {one["detail"] for one in told} == {'{"reason":"key_in_query"}'}


async def test_a_named_address_beside_another_credential_is_two_and_refused(behind: World) -> None:
    robin = await behind.sign_in()
    one, other = await popouts.mint(robin), await popouts.mint(robin)
    proxy = behind.anonymous(PROXY)
    named = {"X-Original-URI": f"/overlay?token={one['token']}"}
    key = (await behind.mint_key(robin))["key"]
    tries = [
        proxy.get(ADDRESS, headers={**named, "Authorization": f"Bearer {key}"}),
        proxy.get(ADDRESS, headers=named, params={"token": other["token"]}),
        proxy.get(ADDRESS, headers={**named, "X-Forwarded-Uri": f"/overlay?token={other['token']}"}),
    ]
    for attempt in tries:
        assert (await attempt).status_code == 401
