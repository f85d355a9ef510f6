"""GET /v1/api-keys and GET /v1/api-keys/{id}."""

import base64
import json
from datetime import timedelta
from typing import Any

import time_machine

from lumio.access.policy import Role
from lumio.kernel import clock
from tests.api.rest.outward import fields, rows
from tests.support.world import World

KEYS = "/v1/api-keys"
FIELDS = {
    "id", "label", "prefix", "lookup_id", "holder", "minter", "created_at", "expires_at", "last_used_at",
    "last_used_ip", "age_days", "predecessor_id",
}  # fmt: skip


def cursor(*parts: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).rstrip(b"=").decode()


async def test_an_item_says_everything_but_the_key(world: World) -> None:
    robin = await world.sign_in()
    made = await world.mint_key(robin)
    answer = await robin.get(KEYS)
    (item,) = answer.json()["data"]

    assert set(item) == FIELDS
    assert item["holder"]["name"] == item["minter"]["name"] == "Robin Vale"
    assert (item["age_days"], item["last_used_at"], item["last_used_ip"]) == (0, None, None)
    assert answer.json()["_links"]["self"] == {"href": KEYS}
    assert (await robin.get(f"{KEYS}/{made['id']}")).json()["data"] == item


async def test_the_age_is_counted_in_whole_days(world: World) -> None:
    robin = await world.sign_in()
    await world.mint_key(robin)
    with time_machine.travel(clock.now() + timedelta(days=91)):
        (item,) = (await (await world.sign_in()).get(KEYS)).json()["data"]
    assert item["age_days"] == 91


async def test_pages_follow_each_other_without_a_gap_or_a_repetition(world: World) -> None:
    robin = await world.sign_in()
    made = [(await world.mint_key(robin, f"key-{number}"))["id"] for number in range(5)]
    path: str | None = f"{KEYS}?limit=2"
    found: list[str] = []
    sizes = []
    while path is not None:
        page = (await robin.get(path)).json()
        found += [item["id"] for item in page["data"]]
        sizes.append(len(page["data"]))
        path = page["_links"].get("next", {}).get("href")
    assert found == made[::-1]
    assert sizes == [2, 2, 1]


async def test_a_query_that_breaks_a_rule_is_named(world: World) -> None:
    robin = await world.sign_in()
    limits = ("limit=0", "limit=201", "limit=ten", "limit=" + 40 * "9", "limit=1&limit=2", "limit=")
    for query in (*limits, "colour=red", "cursor=nonsense", "cursor=%00", "cursor="):
        answer = await robin.get(f"{KEYS}?{query}")
        assert (answer.status_code, list(fields(answer))) == (422, [query.partition("=")[0]]), query


async def test_a_cursor_that_we_never_wrote_is_refused_by_name(world: World) -> None:
    robin = await world.sign_in()
    times: list[Any] = [("soon", "x"), (10**30, "x"), (-1, "x"), (1.5, "x"), (True, "x"), ([1], "x")]
    ids: list[Any] = [(1, 2), (1, "x" * 100), (1, "\0"), (1, "\ud800"), (1,), (1, "x", "y")]
    for path in (KEYS, "/v1/audit-log"):
        for parts in times + ids:
            answer = await robin.get(path, params={"cursor": cursor(*parts)})
            assert answer.status_code == 422, (path, parts)
            assert fields(answer) == {"cursor": "cursor"}


async def test_a_member_sees_their_own_keys_and_an_admin_all(world: World) -> None:
    robin = await world.sign_in()
    home = await world.account_id(robin)
    await world.new_person("sam@example.com", Role.MEMBER, home)
    await world.new_person("ada@example.com", Role.ADMIN, home)
    sam, ada = await world.sign_in("sam@example.com"), await world.sign_in("ada@example.com")
    of_robin, of_sam = await world.mint_key(robin, "robins"), await world.mint_key(sam, "sams")

    assert [item["label"] for item in (await sam.get(KEYS)).json()["data"]] == ["sams"]
    assert {item["label"] for item in (await ada.get(KEYS)).json()["data"]} == {"sams", "robins"}
    assert (await sam.get(f"{KEYS}/{of_robin['id']}")).status_code == 404
    assert (await ada.get(f"{KEYS}/{of_sam['id']}")).status_code == 200


async def test_a_revoked_key_is_gone_from_the_list(world: World) -> None:
    robin = await world.sign_in()
    made = await world.mint_key(robin)
    await robin.delete(f"{KEYS}/{made['id']}")
    assert (await robin.get(KEYS)).json()["data"] == []
    assert (await robin.get(f"{KEYS}/{made['id']}")).status_code == 404


async def test_last_used_moves_with_accepted_requests_and_never_with_refused_ones(world: World) -> None:
    robin = await world.sign_in()
    made = await world.mint_key(robin)
    await world.bearer(made["key"], ip="198.51.100.9").get("/v1/users/me")
    await world.house.chores.stop()  # writes what was collected
    (before,) = await rows(world, "SELECT last_used_at, last_used_ip FROM api_key")
    assert before["last_used_ip"] == "198.51.100.9"

    other = (await world.mint_key(robin, "other"))["key"]
    wrong_secret = made["key"][:20] + other[20:]
    await world.bearer(wrong_secret, ip="192.0.2.66").get("/v1/users/me")
    await world.bearer(made["key"], ip="192.0.2.66").get(f"{KEYS}?token=x")
    await robin.delete(f"{KEYS}/{made['id']}")
    await world.bearer(made["key"], ip="192.0.2.66").get("/v1/users/me")
    await world.house.chores.stop()
    assert await rows(world, "SELECT last_used_at, last_used_ip FROM api_key WHERE id = :id", id=made["id"]) == [
        before
    ]


async def test_addresses_use_the_row_id_and_never_the_lookup_id(world: World) -> None:
    robin = await world.sign_in()
    made = await world.mint_key(robin)
    assert (await robin.get(f"{KEYS}/{made['lookup_id']}")).status_code == 404
    assert (await robin.delete(f"{KEYS}/{made['lookup_id']}")).status_code == 404
