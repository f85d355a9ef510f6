"""Every described route, asked by every kind of client, and held against what the tables of policy say.

A new route is in the matrix by itself. What its domain refuses beyond the tables stands in `BEYOND`, with its
reason, and a line there that is no longer true fails.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import httpx2
import pytest
import pytest_asyncio
from msgspec.structs import fields

from lumio.access.action import Terms
from lumio.access.census import census
from lumio.access.kinds import Kind
from lumio.access.permission import OWN
from lumio.access.policy import ADMIN_ROLES, ADMITTED, ROLES, SYSTEM_ADMIN, Role
from lumio.app import SERVICES
from lumio.crypto import opaque
from lumio.kernel import ids
from lumio.surface.rest.openapi import JSON, Described, described
from tests.support.world import OPERATOR, PASSWORD, World

ALLOWED = "allowed"
NOBODY_S = ids.uuid7()
SAMPLES: dict[str, Any] = {
    "code": "unknown", "email": OPERATOR, "password": PASSWORD, "display_name": "Mia", "account_name": "Mia's",
    "label": "sample", "name": "sample", "method": "password", "refresh_token": "unknown", "token": "unknown",
    "permissions": ["admin:access"], "member_id": NOBODY_S, "role": "member", "legal_name": "Mia's", "city": "Köln",
    "address_line1": "Lange Straße 1", "postal_code": "50667", "country": "DE", "currency": "EUR",
    "payout_method": "paypal",
}  # fmt: skip
NO_SESSION = "only a session can be signed out or raised"
SIGNED_IN = ("operator's session", "owner's session", "admin's session", "member's session")
KEYS = ("owner key", "member key", "system key")
BEYOND: dict[tuple[str, str], tuple[object, str]] = {
    **{
        (action, client): (status, NO_SESSION)
        for client in KEYS
        for action, status in (("sessions.sign_out", 401), ("login.step_up", 403))
    },
    **{("popout_tokens.me", client): (403, "it shows a popout token to itself") for client in (*SIGNED_IN, *KEYS)},
    **{
        (action, client): (403, "only a signed-in person has several accounts")
        for client in KEYS
        for action in ("accounts.create", "accounts.activate")
    },
    ("auth.verify", "anonymous"): (401, "nobody is let in by a proxy unless it asks for that"),
}
"""(action, client) → what the domain answers where the tables would let pass, and why."""
UNKNOWN = {"sessions.refresh"}
"""Actions that answer 401 to whoever brings an unknown secret in the body: no matter of rights."""


@dataclass(frozen=True)
class Client:
    """One kind of client: what it is, what it holds, and how to come by it."""

    kind: Kind
    held: frozenset[str]
    enter: Callable[[World], Awaitable[httpx2.AsyncClient]]
    carried: frozenset[str] | None = None

    def expected(self, terms: Terms) -> object:
        """Say what the tables say: 401, 403 or allowed."""
        if self.kind is Kind.ANONYMOUS:
            return 401 if terms.permission is not None or terms.signed_in else ALLOWED
        name = terms.permission
        if terms.step_up and self.kind is not Kind.SESSION:
            return 403
        if name is None:
            return ALLOWED
        carried = self.carried is None or name in self.carried
        reachable = name in ADMITTED[self.kind] and carried
        return ALLOWED if reachable and {name, name + OWN} & self.held else 403


async def _nobody(world: World) -> httpx2.AsyncClient:
    return world.anonymous()


def _person(role: Role | None) -> Callable[[World], Awaitable[httpx2.AsyncClient]]:
    """Sign in as a person with this role in the operator's account; as the operator when None."""

    async def enter(world: World) -> httpx2.AsyncClient:
        if role is None:
            return await world.sign_in()
        email = f"{role}-{ids.uuid7()[-12:]}@example.com"
        robin = await world.sign_in()
        await world.new_person(email, role, await world.account_id(robin))
        return await world.sign_in(email)

    return enter


def _key(role: Role) -> Callable[[World], Awaitable[httpx2.AsyncClient]]:
    async def enter(world: World) -> httpx2.AsyncClient:
        person = await _person(role)(world)
        return world.bearer((await world.mint_key(person))["key"])

    return enter


async def _system_key(world: World) -> httpx2.AsyncClient:
    robin = await world.sign_in()
    made = await robin.post("/v1/admin/system-keys", json={"label": "worker"})
    client = world.bearer(made.json()["data"]["key"])
    client.headers["X-Lumio-Account"] = await world.account_id(robin)
    return client


SERVICE = frozenset({"auth:introspect", "extensions:read", "members:read", "system-connections:use"})
CLIENTS = {
    "anonymous": Client(Kind.ANONYMOUS, frozenset(), _nobody),
    "operator's session": Client(Kind.SESSION, ROLES[Role.OWNER] | ADMIN_ROLES[SYSTEM_ADMIN], _person(None)),
    "owner's session": Client(Kind.SESSION, ROLES[Role.OWNER], _person(Role.OWNER)),
    "admin's session": Client(Kind.SESSION, ROLES[Role.ADMIN], _person(Role.ADMIN)),
    "member's session": Client(Kind.SESSION, ROLES[Role.MEMBER], _person(Role.MEMBER)),
    "owner key": Client(Kind.API_KEY, ROLES[Role.OWNER], _key(Role.OWNER)),
    "member key": Client(Kind.API_KEY, ROLES[Role.MEMBER], _key(Role.MEMBER)),
    "system key": Client(Kind.SYSTEM_KEY, SERVICE, _system_key, carried=SERVICE),
}


def request_of(one: Described) -> dict[str, Any]:
    """Return the request that a client of this route would send: about nothing that exists, and well-formed."""
    path = one.path
    for part in path.split("/"):
        if part.startswith("{"):
            path = path.replace(part, NOBODY_S)
    body = one.shown.body
    if body is None:
        return {"method": one.method, "url": path}
    form = {field.encode_name: SAMPLES[field.encode_name] for field in fields(body) if field.required}
    return {"method": one.method, "url": path, "json" if one.shown.takes == JSON else "data": form}


def seen(answer: httpx2.Response) -> object:
    return answer.status_code if answer.status_code in {401, 403} else ALLOWED


@pytest_asyncio.fixture
async def routes(world: World) -> AsyncIterator[list[Described]]:
    yield described(world.house.web)


@pytest.mark.parametrize("name", CLIENTS)
async def test_every_route_answers_every_client_as_the_tables_say(
    world: World, routes: list[Described], name: str
) -> None:
    who = CLIENTS[name]
    client = await who.enter(world)
    wrong: list[str] = []
    for one in routes:
        terms = one.shown.terms
        if terms.name in UNKNOWN:
            continue
        expected = who.expected(terms)
        beyond, _ = BEYOND.get((terms.name, name), (expected, ""))
        answer = await client.request(**request_of(one))
        assert answer.status_code < 500, (one.method, one.path, answer.text)
        if seen(answer) != beyond:
            wrong.append(f"{one.method} {one.path} ({terms.name}): {answer.status_code}, expected {beyond}")
        if terms.name == "sessions.sign_out":
            client = await who.enter(world)
    assert wrong == []


def test_what_is_beyond_the_tables_differs_from_them() -> None:
    terms = {one.name: one for one in census(SERVICES)}
    for (action, name), (status, reason) in BEYOND.items():
        assert CLIENTS[name].expected(terms[action]) != status, f"{action} for {name}: not needed"
        assert reason


async def test_every_action_is_in_the_matrix_but_for_those_of_pages(routes: list[Described]) -> None:
    pages_only = {"admin.enter", "login.sign_in_page", "login.join", "popout_tokens.choices", "audit.hours",
                  "platform_audit.hours"}  # fmt: skip
    within_others = {"audit.go_on", "platform_audit.go_on"}
    without_route = {one.name for one in census(SERVICES)} - {one.shown.terms.name for one in routes}
    assert without_route == pages_only | within_others


async def test_every_route_refuses_a_bad_credential_also_where_none_is_needed(
    world: World, routes: list[Described]
) -> None:
    for wrong in ("nonsense", "lm_dev_" + "0" * 57, opaque.mint(opaque.POPOUT_TOKEN).text):
        client = world.bearer(wrong)
        answers = {
            f"{one.method} {one.path}": (await client.request(**request_of(one))).status_code for one in routes
        }
        assert {route: status for route, status in answers.items() if status != 401} == {}


async def test_a_member_reaches_their_own_where_the_table_says_own(world: World) -> None:
    robin = await world.sign_in()
    theirs = await world.mint_key(robin, "the owner's")
    member = await CLIENTS["member's session"].enter(world)
    own = await world.mint_key(member, "my own")
    assert [one["id"] for one in (await member.get("/v1/api-keys")).json()["data"]] == [own["id"]]
    assert (await member.get(f"/v1/api-keys/{theirs['id']}")).status_code == 404
    assert (await member.delete(f"/v1/api-keys/{theirs['id']}")).status_code == 404
    assert (await robin.get(f"/v1/api-keys/{own['id']}")).status_code == 200
