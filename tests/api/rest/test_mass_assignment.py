"""Threat 12: no column of any table can be set by naming it in a body."""

from typing import Any

import httpx2

from lumio.crypto import opaque
from lumio.storage.columns import metadata
from tests.api.rest.mailbox import MailFolder, code
from tests.api.rest.outward import fields, rows
from tests.support.world import OPERATOR, PASSWORD, World

NEVER = {"is_admin", "scopes", "permissions", "admin", "verified", "kind", "account", "created_by", "*", "__class__"}
WATCHED = ("user_person", "account", "member", "admin_grant", "api_key", "session", "refresh_token")


def columns() -> set[str]:
    return {column.name for table in metadata.tables.values() for column in table.columns} | NEVER


async def state(world: World) -> dict[str, Any]:
    """Return what a request could have changed; times of use move by themselves."""
    moving = {"last_seen_at", "last_used_at", "last_used_ip"}
    return {
        table: sorted(
            str({name: value for name, value in row.items() if name not in moving})
            for row in await rows(world, f"SELECT * FROM {table}")  # noqa: S608 - names of our own tables
        )
        for table in WATCHED
    }


async def refused(
    client: httpx2.AsyncClient, path: str, body: dict[str, Any], own: set[str]
) -> list[tuple[str, int, list[str]]]:
    """Add each column's name to a good body in turn; return the answers that were no refusal by name."""
    wrong = []
    for name in sorted(columns() - own):
        answer = await client.post(path, json=body | {name: "owner"})
        named = list(fields(answer)) if answer.status_code == 422 else []
        if named != [name]:
            wrong.append((name, answer.status_code, named))
    return wrong


async def test_no_write_takes_a_field_that_is_not_its_own(world: World, mail: MailFolder) -> None:
    robin = await world.sign_in()
    pair = await world.anonymous().post("/v1/auth/login", json={"email": OPERATOR, "password": PASSWORD})
    await world.anonymous().post("/v1/auth/reset", json={"email": OPERATOR})
    reset = code(await mail.newest_to(OPERATOR))
    new = {"email": "new@example.com", "password": PASSWORD, "display_name": "New"}
    bodies: dict[str, dict[str, Any]] = {
        "/v1/api-keys": {"label": "ci", "expires_at": "2999-01-01T00:00:00Z"},
        "/v1/setup": {"code": opaque.mint(opaque.SET_UP).text, "account_name": "A", **new},
        "/v1/auth/signup": new,
        "/v1/auth/verify-email": {"code": opaque.mint(opaque.MAIL_VERIFICATION).text},
        "/v1/auth/reset": {"email": OPERATOR},
        "/v1/auth/reset/confirm": {"code": reset, "password": "copper-lantern-drifts-4-miles"},
        "/v1/auth/login": {"email": OPERATOR, "password": PASSWORD},
        "/v1/auth/refresh": {"refresh_token": pair.json()["data"]["refresh_token"]},
        "/v1/auth/step-up": {"method": "password", "password": PASSWORD},
    }
    before = await state(world)
    for path, body in bodies.items():
        client = robin if path in {"/v1/api-keys", "/v1/auth/step-up"} else world.anonymous()
        own = set(body) | ({"sub_account_id"} if path == "/v1/api-keys" else set())
        assert await refused(client, path, body, own) == [], path
    assert await state(world) == before


async def test_a_write_without_a_body_takes_none(world: World) -> None:
    robin = await world.sign_in()
    made = await world.mint_key(robin)
    before = await state(world)
    for name in sorted(columns()):
        for method, path in (
            ("POST", f"/v1/api-keys/{made['id']}/rotate"),
            ("DELETE", f"/v1/api-keys/{made['id']}"),
            ("POST", "/v1/auth/logout"),
        ):
            answer = await robin.request(method, path, json={name: "owner"})
            assert answer.status_code == 422, (name, path)
    assert await state(world) == before


async def test_a_field_written_twice_counts_once_and_hides_nothing(world: World) -> None:
    robin = await world.sign_in()
    text = b'{"label": "a", "label": "b", "label": ""}'
    answer = await robin.post("/v1/api-keys", content=text, headers={"Content-Type": "application/json"})
    assert (answer.status_code, fields(answer)) == (422, {"label": "length"})
