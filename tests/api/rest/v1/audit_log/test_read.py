"""GET /v1/audit-log."""

from datetime import timedelta
from typing import Any

from lumio.access.policy import Role
from lumio.kernel import clock
from tests.api.rest.outward import fields
from tests.support.world import OPERATOR, World

LOG = "/v1/audit-log"


async def names(world: World, client: Any, **filters: str) -> list[str]:
    return [one["event"] for one in await world.log(client, **filters)]


async def test_an_entry_has_the_seeds_five_fields_first(world: World) -> None:
    robin = await world.sign_in()
    await world.mint_key(robin)
    (told,) = await world.log(robin, event="api_key.created")
    assert list(told)[:5] == ["timestamp", "event", "actor", "ip", "result"]
    assert told["timestamp"].endswith("Z")
    assert told["request_id"]
    assert told["count"] == 1


async def test_the_newest_comes_first_and_pages_follow_without_a_gap(world: World) -> None:
    robin = await world.sign_in()
    for number in range(4):
        await world.mint_key(robin, f"key-{number}")
    path: str | None = f"{LOG}?limit=2&event=api_key.created"
    found: list[dict[str, Any]] = []
    while path is not None:
        page = (await robin.get(path)).json()
        found += page["data"]
        path = page["_links"].get("next", {}).get("href")
    assert [one["detail"]["label"] for one in found] == ["key-3", "key-2", "key-1", "key-0"]


async def test_every_filter_filters(world: World) -> None:
    robin = await world.sign_in(ip="198.51.100.1")
    made = await world.mint_key(robin)
    ci = world.bearer(made["key"], ip="198.51.100.2")
    await ci.get("/v1/users/me")
    await robin.delete(f"/v1/api-keys/{made['id']}")
    await ci.get("/v1/users/me")

    assert set(await names(world, robin, event="api_key.*")) == {"api_key.created", "api_key.revoked"}
    assert await names(world, robin, result="failure") == ["auth.failed"]
    assert await names(world, robin, ip="198.51.100.2") == ["auth.failed", "auth.succeeded"]
    assert await names(world, robin, credential_id=made["id"]) == ["auth.failed", "auth.succeeded"]
    assert await names(world, robin, actor="ci-github-actions") == ["auth.failed", "auth.succeeded"]
    assert "auth.succeeded" not in await names(world, robin, hide_authentications="true")
    later = clock.rfc3339(clock.now() + timedelta(minutes=1))
    assert await names(world, robin, since=later) == []
    assert len(await names(world, robin, until=later)) > 4


async def test_a_filter_takes_signs_as_text_and_never_as_a_pattern(world: World) -> None:
    robin = await world.sign_in()
    for actor in ("%", "_" * 17, "robin%", "' OR 1=1 --", "robin@example.com' --", "ci;DROP TABLE audit_event"):
        assert await world.log(robin, actor=actor) == []
    assert await world.log(robin, actor=OPERATOR)


async def test_a_filter_that_breaks_a_rule_is_named(world: World) -> None:
    robin = await world.sign_in()
    wrong = {
        "event": ("x", "API_KEY.created", "a.b.c", "api_key.%", "*"),
        "result": ("maybe", "SUCCESS"),
        "since": ("yesterday", "2026-01-01T00:00:00", "9" * 30),
        "until": ("2026-13-01T00:00:00Z",),
        "hide_authentications": ("perhaps",),
        "colour": ("red",),
        "account_id": ("x",),
    }
    for name, values in wrong.items():
        for value in values:
            answer = await robin.get(LOG, params={name: value})
            assert (answer.status_code, list(fields(answer))) == (422, [name]), value


async def test_a_member_reads_what_they_and_their_keys_did_and_nothing_else(world: World) -> None:
    robin = await world.sign_in()
    await world.new_person("sam@example.com", Role.MEMBER, await world.account_id(robin))
    sam = await world.sign_in("sam@example.com")
    await world.mint_key(robin, "robins")
    made = await world.mint_key(sam, "sams")
    await world.bearer(made["key"]).get("/v1/users/me")

    assert {one["actor"] for one in await world.log(sam)} == {"sam@example.com", "sams"}
    assert {"robins"} == {
        one["detail"]["label"] for one in await world.log(robin, event="api_key.created", actor=OPERATOR)
    }


async def test_a_key_reads_the_log_with_its_holders_rights(world: World) -> None:
    robin = await world.sign_in()
    made = await world.mint_key(robin)
    assert OPERATOR in {one["actor"] for one in await world.log(world.bearer(made["key"]))}


async def test_a_label_like_a_person_is_still_the_label_of_a_key(world: World) -> None:
    robin = await world.sign_in()
    made = await world.mint_key(robin, f"{OPERATOR}\r\n\x1b[31mroot\u202e")
    await world.bearer(made["key"]).get("/v1/users/me")
    (told,) = await world.log(robin, credential_id=made["id"])
    assert (told["actor_type"], told["credential_id"]) == ("api_key", made["id"])


async def test_nothing_can_be_changed_through_this_address(world: World) -> None:
    robin = await world.sign_in()
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        answer = await robin.request(method, LOG)
        assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")
        assert "GET" in answer.headers["allow"]
