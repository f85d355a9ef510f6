"""The direct way of `GET /v1/auth/verify` gives the answers of the framework's way, byte for byte."""

import json
import re
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from ipaddress import ip_network
from typing import Any

import httpx2
import pytest
import pytest_asyncio

from lumio.app import build
from lumio.settings import Settings
from lumio.surface.http.entrance import Visit
from lumio.surface.http.frame import Frame
from tests.support import popouts, system_keys
from tests.support.world import CHEAP, PUBLIC, World

ADDRESS = "/v1/auth/verify"
PROXY = "192.0.2.1"
SYSTEM_KEY = "bot"
CHANGING = {b"ratelimit", b"retry-after"}
"""Headers whose figures differ from one request to the next; their form does not."""
FIGURE = re.compile(rb"\d+")


@dataclass(slots=True)
class TwoWays:
    """A house, and its framework alone; `ways` notes by which of them each answer came."""

    world: World
    credentials: dict[str, str]
    account_id: str
    ways: list[str]

    async def ask(self, case: "Case", *, direct: bool) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
        house = self.world.house
        headers = {name: value.format(**self.credentials) for name, value in case.headers.items()}
        inner = house.asgi if direct else Frame(house.web, lambda _scope, _status: None, secure=True)

        async def watched(scope: Any, receive: Any, send: Any) -> None:
            await inner(scope, receive, send)
            self.ways.append("framework" if "litestar_app" in scope else "direct")

        transport = httpx2.ASGITransport(watched, raise_app_exceptions=False, client=(case.ip, 4711))
        async with httpx2.AsyncClient(transport=transport, base_url=PUBLIC, trust_env=False) as client:
            address = ADDRESS + case.query.format(**self.credentials)
            answer = await client.request(case.method, address, headers=headers)
        request_id = answer.headers["x-request-id"].encode()
        told = [
            (name, FIGURE.sub(b"0", value) if name in CHANGING else value.replace(request_id, b"ID"))
            for name, value in answer.headers.raw
        ]
        return answer.status_code, sorted(told), answer.content.replace(request_id, b"ID")

    async def both(self, case: "Case") -> tuple[Any, Any]:
        return await self.ask(case, direct=True), await self.ask(case, direct=False)


@dataclass(frozen=True, slots=True)
class Case:
    """A request, the status that it gets, and by which way it goes."""

    name: str
    status: int
    headers: Mapping[str, str]
    query: str = ""
    method: str = "GET"
    ip: str = "203.0.113.7"
    way: str = "direct"


KEY = {"Authorization": "Bearer {key}"}
SYSTEM = {"Authorization": "Bearer {system}"}
NOBODY: dict[str, str] = {}
URI = "/overlay?theme=dark&token={popout}"
CASES: Sequence[Case] = (
    Case("developer key", 200, KEY),
    Case("session", 200, {"Authorization": "Bearer {session}"}),
    Case("system key", 200, SYSTEM),
    Case("system key with its account", 200, {**SYSTEM, "X-Lumio-Account": "{account}"}),
    Case("system key with no such account", 404, {**SYSTEM, "X-Lumio-Account": "nowhere"}),
    Case("popout token", 200, NOBODY, "?token={popout}"),
    Case("popout token named by the proxy", 200, {"X-Forwarded-Uri": URI}, ip=PROXY),
    Case("popout token named by a stranger", 401, {"X-Original-URI": URI}),
    Case("nobody", 401, NOBODY),
    Case("nobody, welcome", 200, NOBODY, "?anonymous=1"),
    Case("nobody, neither yes nor no", 422, NOBODY, "?anonymous=perhaps"),
    Case("a right that is held", 200, KEY, "?require=extensions:deploy"),
    Case("a right in other letters", 200, KEY, "?require=extensions%3Adeploy&anonymous=1"),
    Case("a right that is lacking", 403, KEY, "?require=system-keys:read"),
    Case("a right that does not exist", 422, KEY, "?require=extensions:raed"),
    Case("a demand twice", 422, KEY, "?require=extensions:read&require=billing:edit"),
    Case("a secret as a demand", 401, KEY, "?require={key}"),
    Case("a field that does not exist", 422, KEY, "?other=ż&%00=1"),
    Case("malformed", 401, {"Authorization": "Bearer nonsense"}),
    Case("unreadable", 401, {"Authorization": "Basic x"}),
    Case("revoked", 401, {"Authorization": "Bearer {revoked}"}),
    Case("wrong secret", 401, {"Authorization": "Bearer {wrong}"}),
    Case("two credentials", 401, KEY, "?token={popout}"),
    Case("too many parameters", 400, KEY, "?" + "&".join(f"p{n}=%31" for n in range(1200))),
    Case("a retry key", 200, {**KEY, "Idempotency-Key": "once"}, way="framework"),
    Case("a retry key that is none", 422, {**KEY, "Idempotency-Key": "two words"}, way="framework"),
    Case("HEAD", 405, KEY, method="HEAD", way="framework"),
    Case("POST", 405, KEY, method="POST", way="framework"),
    Case("OPTIONS", 204, KEY, method="OPTIONS", way="framework"),
)


@pytest_asyncio.fixture
async def two_ways(settings: Settings) -> AsyncIterator[TwoWays]:
    """A house that believes the proxy at 192.0.2.1, with a credential of each kind."""
    trusting = replace(settings, trusted_proxies=(ip_network(f"{PROXY}/32"),))
    async with build(trusting, password_cost=CHEAP).open() as house:
        yield await _peopled(World(house))


async def _peopled(world: World) -> TwoWays:
    robin = await world.sign_in()
    account_id = await world.account_id(robin)
    key, revoked = await world.mint_key(robin, "ci"), await world.mint_key(robin, "old")
    await robin.delete(f"/v1/api-keys/{revoked['id']}")
    credentials = {
        "session": robin.headers["Authorization"].removeprefix("Bearer "),
        "key": key["key"],
        "revoked": revoked["key"],
        "wrong": popouts.with_wrong_secret(key["key"]),
        "popout": (await popouts.mint(robin))["token"],
        "system": (await system_keys.mint(robin, SYSTEM_KEY, "deployer"))["key"],
        "account": account_id,
    }
    return TwoWays(world, credentials, account_id, [])


async def test_both_ways_answer_and_record_alike_and_the_direct_one_is_taken(two_ways: TwoWays) -> None:
    different, told = {}, [await _told(two_ways.world)]
    for case in CASES:
        two_ways.ways.clear()
        answers = []
        for direct in (True, False):
            answers.append(await two_ways.ask(case, direct=direct))
            told.append(await _told(two_ways.world))
        assert (case.name, two_ways.ways) == (case.name, [case.way, "framework"])
        assert (case.name, answers[0][0]) == (case.name, case.status)
        by_direct, by_framework = told[-2] - told[-3], told[-1] - told[-2]
        if answers[0] != answers[1] or by_direct != by_framework:
            different[case.name] = (answers, by_direct, by_framework)
    assert different == {}
    assert sum(told[-1].values()) > sum(told[0].values()) + len(CASES)


async def _told(world: World) -> Counter[tuple[Any, ...]]:
    """Return what the log says, each event as often as it was counted."""
    names = ("event", "result", "actor_type", "credential_id", "account_id", "ip", "ip_source")
    found: Counter[tuple[Any, ...]] = Counter()
    for row in await system_keys.journal(world):
        found[tuple(getattr(row, name) for name in names)] += row.count
    return found


Break = Callable[[World, pytest.MonkeyPatch], Awaitable[None]]


async def _no_database(world: World, _monkeypatch: pytest.MonkeyPatch) -> None:
    await world.house.database.hot.close()


async def _no_journal(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    async def write(*_given: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(world.house.journal._sink, "write", write)


async def _a_bug(_world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def break_down(*_given: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("lumio.introspection.service.effective", break_down)


@pytest.mark.parametrize(("breaking", "status"), [(_no_database, 503), (_no_journal, 503), (_a_bug, 500)])
async def test_what_breaks_breaks_alike(
    two_ways: TwoWays, monkeypatch: pytest.MonkeyPatch, breaking: Break, status: int
) -> None:
    await breaking(two_ways.world, monkeypatch)
    direct, framework = await two_ways.both(Case("broken", status, KEY))
    assert (direct[0], two_ways.ways) == (status, ["direct", "framework"])
    assert direct == framework
    for step in (two_ways.world.house.database.hot.close, two_ways.world.house.database.hot.open):
        await step()


@pytest.mark.usefixtures("one_minute")
async def test_a_limit_is_one_for_both_ways(settings: Settings) -> None:
    narrow = replace(settings, rates={**settings.rates, "API_KEY": 40, "ANONYMOUS": 1})
    async with build(narrow, password_cost=CHEAP).open() as house:
        two_ways = await _peopled(World(house))
        for _ in range(20):
            direct, framework = await two_ways.both(Case("in time", 200, KEY))
            assert (direct[0], framework[0]) == (200, 200)
        for case in (Case("too often", 429, KEY), Case("nobody, too often", 429, NOBODY, ip="198.51.100.1")):
            await two_ways.both(case)
            direct, framework = await two_ways.both(case)
            assert direct == framework
            assert direct[0] == 429
            assert json.loads(direct[2])["code"] == "rate_limited"


async def test_a_key_that_ends_while_its_direct_answer_is_made_gets_401_and_a_row_of_its_own(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    robin = await world.sign_in()
    made = await world.mint_key(robin)
    settled = Visit.on_disk
    waiting = [made["id"]]

    async def slow(visit: Visit) -> None:
        await settled(visit)
        while waiting:
            await robin.delete(f"/v1/api-keys/{waiting.pop()}")

    monkeypatch.setattr(Visit, "on_disk", slow)
    answer = await world.bearer(made["key"]).get(ADDRESS)
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized")
    assert not [name for name in answer.headers if name.startswith(("x-lumio", "ratelimit"))]
    failures = await world.log(robin, event="auth.failed", credential_id=made["id"])
    assert [one["detail"]["reason"] for one in failures] == ["revoked_in_flight"]
