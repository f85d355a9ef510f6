"""GET /v1/revocations/{seq}: node by node, to whoever revoked and to services that may read all of them."""

from dataclasses import replace
from typing import Any

import httpx2
import pytest

from lumio.access.policy import Role
from lumio.settings import Settings
from tests.api.graphql.asking import granted, refused
from tests.api.rest.outward import seen
from tests.support import system_keys
from tests.support.paper_nodes import paper_fleet
from tests.support.teams import MAX, make_team
from tests.support.world import World, opened

REVOCATIONS = "/v1/revocations"
QUERY = """
query($seq: Int!) {
  revocation(seq: $seq) {
    seq subject { kind id } revokedAt effective nodes { nodeId region appliedSeq appliedAt leaseUntil }
  }
}
"""


async def revoked(world: World, client: httpx2.AsyncClient) -> dict[str, Any]:
    """Make and revoke a developer key; return the receipt."""
    made = await world.mint_key(client)
    receipt: dict[str, Any] = (await client.delete(f"/v1/api-keys/{made['id']}")).json()["data"]
    return receipt


async def test_who_revoked_sees_what_became_of_it_on_this_node(world: World) -> None:
    robin = await world.sign_in()
    receipt = await revoked(world, robin)
    answer = await robin.get(f"{REVOCATIONS}/{receipt['seq']}")
    assert answer.status_code == 200, answer.text
    told = answer.json()["data"]
    assert set(told) == {"seq", "subject", "revoked_at", "effective", "nodes"}
    assert (told["seq"], told["effective"]) == (receipt["seq"], True)
    assert told["subject"] == {"kind": "key", "id": receipt["id"]}
    assert told["revoked_at"].endswith("Z")
    (node,) = told["nodes"]
    assert set(node) == {"node_id", "region", "applied_seq", "applied_at", "lease_until"}
    assert node["region"] == "local"
    on_a_file = world.house.database.dialect.single_writer
    assert (node["lease_until"] is None) == on_a_file
    assert node["applied_seq"] == receipt["seq"] or not on_a_file
    assert answer.headers["cache-control"] == "private, no-store"


async def test_the_pages_read_it_at_their_own_address_and_graphql_says_the_same(world: World) -> None:
    page = await world.page_client()
    robin = await world.sign_in()
    seq = (await revoked(world, robin))["seq"]
    told = (await page.get(f"/api/revocations/{seq}")).json()["data"]
    shown = (await granted(robin, QUERY, seq=seq))["revocation"]
    assert (shown["seq"], shown["subject"], shown["effective"]) == (seq, told["subject"], told["effective"])
    assert [one["nodeId"] for one in shown["nodes"]] == [one["node_id"] for one in told["nodes"]]
    assert (await refused(robin, QUERY, seq=seq + 1))["code"] == "not_found"


async def test_everybody_else_cannot_tell_it_from_a_number_that_does_not_exist(world: World) -> None:
    robin = await world.sign_in()
    home = await world.account_id(robin)
    seq = (await revoked(world, robin))["seq"]
    await world.new_person("ada@example.com", Role.ADMIN, home)
    await world.new_person("sam@example.com")
    key = world.bearer((await world.mint_key(robin))["key"])
    service = system_keys.carrying(world, (await system_keys.mint(robin))["key"], home)
    for other in (await world.sign_in("ada@example.com"), await world.sign_in("sam@example.com"), key, service):
        hidden, unknown = [await other.get(f"{REVOCATIONS}/{number}") for number in (seq, seq + 1000)]
        assert (hidden.status_code, hidden.json()["code"]) == (404, "not_found")
        assert seen(hidden) == seen(unknown)
    assert (await world.anonymous().get(f"{REVOCATIONS}/{seq}")).status_code == 401


async def test_a_key_that_revoked_looks_with_itself_and_its_holder_does_not(world: World) -> None:
    robin = await world.sign_in()
    ci, old = await world.mint_key(robin, "ci"), await world.mint_key(robin, "old")
    bot = world.bearer(ci["key"])
    seq = (await bot.delete(f"/v1/api-keys/{old['id']}")).json()["data"]["seq"]
    assert (await bot.get(f"{REVOCATIONS}/{seq}")).status_code == 200
    assert (await robin.get(f"{REVOCATIONS}/{seq}")).status_code == 404


async def test_a_removal_is_found_by_the_number_of_its_receipt(world: World) -> None:
    team = await make_team(world)
    receipt = (await team.robin.delete(team.member(MAX))).json()["data"]
    told = (await team.robin.get(f"{REVOCATIONS}/{receipt['seq']}")).json()["data"]
    ids = team.ids[MAX]
    assert told["subject"] == {"kind": "role", "id": f"{ids['account_id']},{ids['user_id']}"}
    assert (await team.anna.get(f"{REVOCATIONS}/{receipt['seq']}")).status_code == 404


async def test_a_service_that_may_read_all_sees_everybody_s(settings: Settings) -> None:
    profiles = {"watcher": ("revocations:read",)}
    async with opened(replace(settings, profiles=profiles)) as world:
        robin = await world.sign_in()
        seq = (await revoked(world, robin))["seq"]
        watcher = world.bearer((await system_keys.mint(robin, profile="watcher"))["key"])
        assert (await watcher.get(f"{REVOCATIONS}/{seq}")).json()["data"]["seq"] == seq
        assert (await watcher.get(f"{REVOCATIONS}/{seq + 1}")).status_code == 404


async def test_what_is_no_number_of_the_feed_is_not_found_or_refused_by_name(world: World) -> None:
    robin = await world.sign_in()
    for number in ("0", "-1", str(2**63), "1" + "0" * 400, "first", "1.5", "1e3", "%00", "+1 ", "0x1"):
        answer = await robin.get(f"{REVOCATIONS}/{number}")
        assert answer.status_code in {404, 422}, (number, answer.text)
        assert answer.status_code == 404 or answer.json()["errors"][0]["field"] == "seq", number
    assert (await robin.get(f"{REVOCATIONS}/1?seq=1")).status_code == 422


@pytest.mark.parametrize("template", ["postgresql"], indirect=True)  # a file knows one node only
async def test_each_node_of_a_fleet_is_shown_with_how_far_it_has_come(world: World) -> None:
    async with paper_fleet(world.house.settings.database_url) as fleet:
        east = await fleet.node("us-east")
        robin = await world.sign_in()
        seq = (await revoked(world, robin))["seq"]

        async def look() -> tuple[bool, int, str]:
            told = (await robin.get(f"{REVOCATIONS}/{seq}")).json()["data"]
            assert {one["region"] for one in told["nodes"]} == {"local", "us-east"}
            mine = next(one for one in told["nodes"] if one["node_id"] == east.id)
            return told["effective"], mine["applied_seq"], mine["lease_until"]

        before = await look()
        assert (before[0], before[1] < seq) == (False, True)
        await east.beat()
        heard = await look()
        assert (heard[0], heard[2] > before[2]) == (False, True)
        await east.apply()
        assert (await look())[:2] == (True, seq)
