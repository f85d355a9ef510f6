"""Threat 11: whatever one account did, another can neither repeat nor see; all it ever learns is 404."""

import re
from typing import Any

import httpx2

from lumio.access.policy import Role
from lumio.surface.rest.openapi import described
from tests.api.rest.outward import count, seen
from tests.support.world import OPERATOR, World

KEYS = "/v1/api-keys"


class Recorder:
    """Keeps what one client sent."""

    def __init__(self, client: httpx2.AsyncClient) -> None:
        self.requests: list[httpx2.Request] = []
        self.client = client
        client.event_hooks["request"].append(self._keep)

    async def _keep(self, request: httpx2.Request) -> None:
        self.requests.append(request)

    async def replay(self, other: httpx2.AsyncClient) -> list[tuple[httpx2.Request, httpx2.Response]]:
        """Send everything again with another's credential."""
        headers = {"Content-Type": "application/json"}
        return [
            (one, await other.request(one.method, str(one.url), content=one.content or None, headers=headers))
            for one in self.requests
        ]


async def _a_day(recorder: Recorder) -> list[str]:
    """Do everything that names a thing of the account; return the ids that came up."""
    client = recorder.client
    first = (await client.post(KEYS, json={"label": "secret-project"})).json()["data"]
    for method, path in (("GET", ""), ("POST", "/rotate"), ("DELETE", "")):
        await client.request(method, f"{KEYS}/{first['id']}{path}")
    second = (await client.post(KEYS, json={"label": "secret-project"})).json()["data"]
    for method, path in (("GET", ""), ("POST", "/rotate"), ("DELETE", "")):
        recorder.requests.append(client.build_request(method, f"{KEYS}/{second['id']}{path}"))
    for path in (KEYS, "/v1/audit-log", "/v1/users/me"):
        await client.get(path, params={"limit": "200"} if path != "/v1/users/me" else None)
    return [first["id"], second["id"], second["lookup_id"], second["key"]]


def _templates() -> re.Pattern[str]:
    return re.compile(rf"{KEYS}/[^/]+(/rotate)?$")


async def test_every_recorded_request_of_one_account_is_not_found_for_the_other(world: World) -> None:
    await world.new_person("sam@example.com")
    recorder = Recorder(await world.sign_in())
    names = await _a_day(recorder)
    live = await count(world, "SELECT count(*) FROM api_key WHERE revoked_at IS NULL")
    sam = await world.sign_in("sam@example.com")
    key_of_sam = (await world.mint_key(sam, "sams"))["key"]
    for other in (sam, world.bearer(key_of_sam)):
        nowhere = seen(await other.get(f"{KEYS}/00000000-0000-7000-8000-000000000000"))
        for request, answer in await recorder.replay(other):
            if request.url.path.count("/") > 2 and request.url.path.startswith(KEYS):
                step_up = answer.status_code == 403 and answer.json()["code"] == "step_up_required"
                by_key = other is not sam and request.url.path.endswith("/rotate")
                assert seen(answer) == nowhere or (by_key and step_up), request
            assert not [name for name in (*names, OPERATOR) if name in answer.text.replace(request.url.path, "")]
    of_robin = "SELECT count(*) FROM api_key WHERE revoked_at IS NULL AND minter_name = :name"
    assert await count(world, of_robin, name=OPERATOR) == live


async def test_every_address_with_an_id_was_recorded(world: World) -> None:
    recorder = Recorder(await world.sign_in())
    await _a_day(recorder)
    with_id = {
        (one.method, one.path) for one in described(world.house.web) if one.path.startswith(KEYS) and "{" in one.path
    }
    sent = {
        (one.method, re.sub(rf"^{KEYS}/[^/]+", f"{KEYS}/{{key_id}}", one.url.path))
        for one in recorder.requests
        if _templates().match(one.url.path)
    }
    assert with_id == sent


async def test_one_account_reads_nothing_of_another_in_its_log(world: World) -> None:
    await world.new_person("sam@example.com")
    robin, sam = await world.sign_in(), await world.sign_in("sam@example.com")
    made = await world.mint_key(robin)
    await sam.get(f"{KEYS}/{made['id']}")
    await sam.delete(f"{KEYS}/{made['id']}")
    filters: list[dict[str, Any]] = [{}, {"credential_id": made["id"]}, {"actor": OPERATOR}, {"event": "api_key.*"}]
    for one in filters:
        assert {entry["actor"] for entry in await world.log(sam, **one)} <= {"sam@example.com"}
    assert "sam@example.com" not in {entry["actor"] for entry in await world.log(robin)}


async def test_a_cursor_of_one_account_opens_nothing_in_another(world: World) -> None:
    await world.new_person("sam@example.com")
    robin, sam = await world.sign_in(), await world.sign_in("sam@example.com")
    for number in range(3):
        await world.mint_key(robin, f"robins-{number}")
    for path in (KEYS, "/v1/audit-log"):
        following = (await robin.get(f"{path}?limit=1")).json()["_links"]["next"]["href"]
        answer = await sam.get(following)
        assert answer.status_code == 200
        assert "robin" not in answer.text


async def test_a_person_with_two_accounts_acts_in_one_of_them_at_a_time(world: World) -> None:
    robin = await world.sign_in()
    made = await world.mint_key(robin)
    who = await world.new_person("sam@example.com")
    home = await world.account_id(robin)

    async def join(unit: Any) -> None:
        accounts = world.house.login._accounts._store  # the lower half of the same house
        await accounts.add_member(unit, home, who["user_id"], Role.OWNER)

    await world.house.units.run(join)
    sam = await world.sign_in("sam@example.com")
    assert await world.account_id(sam) == who["account_id"]
    assert (await sam.get(f"{KEYS}/{made['id']}")).status_code == 404
    assert (await sam.delete(f"{KEYS}/{made['id']}")).status_code == 404


async def test_ids_that_are_none_are_not_found_or_refused_by_name(world: World) -> None:
    robin = await world.sign_in()
    await world.mint_key(robin)
    tricks = (
        "..", "%2e%2e", "%2e%2e%2faudit-log", "..%2f..%2fetc%2fpasswd", "%00", "%ff", "%ed%a0%80", "*", "%25", "_",
        "1%20OR%201=1", "'%20OR%20''='", "%27%3B--", "{}", "null", "%0d%0aX-Evil:%201", "a" * 5000,
        "00000000-0000-7000-8000-000000000000'", "$(id)", "${7*7}", "%7b%7b7*7%7d%7d",
    )  # fmt: skip
    for trick in tricks:
        for method in ("GET", "DELETE", "POST"):
            path = f"{KEYS}/{trick}" + ("/rotate" if method == "POST" else "")
            answer = await robin.request(method, path)
            assert answer.status_code in {400, 404, 405, 422} or answer.json()["data"] != [], (method, trick)
            assert answer.status_code < 500, (method, trick)
            assert "x-evil" not in answer.headers
    assert await count(world, "SELECT count(*) FROM api_key WHERE revoked_at IS NULL") == 1
