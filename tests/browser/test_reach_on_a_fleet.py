"""Revoking on a real server whose fleet has a node in another region: each page tells how far it has come."""

import os
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from lumio.access.policy import Role
from lumio.settings import load
from tests.support.paper_nodes import PaperNode, paper_fleet
from tests.support.postgres import PostgresServer
from tests.support.serving import LiveServer, live_server
from tests.support.world import OPERATOR, PASSWORD, opened

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


@pytest.fixture
def server(tmp_path: Path, postgres_server: PostgresServer) -> Iterator[LiveServer]:
    """A node of eu-west whose first operator is Robin."""
    settings = {"LUMIO_DATA_DIR": str(tmp_path / "data"), "LUMIO_REGION": "eu-west"}
    settings["LUMIO_DATABASE_URL"] = postgres_server.create(f"reach_{os.getpid()}")
    with live_server(settings) as running:
        form = {"email": OPERATOR, "password": PASSWORD, "display_name": "Robin Vale", "account_name": "Acme"}
        with running.client() as client:
            answer = client.post("/v1/setup", json={"code": running.set_up_code, **form})
        assert answer.status_code == 201, answer.text
        yield running


@pytest.fixture
def robin(server: LiveServer) -> Iterator[httpx2.Client]:
    with server.client() as anonymous:
        answer = anonymous.post("/v1/auth/login", json={"email": OPERATOR, "password": PASSWORD})
    with server.client(answer.json()["data"]["access_token"]) as client:
        yield client


@pytest_asyncio.fixture(loop_scope="session")
async def east(server: LiveServer) -> AsyncIterator[PaperNode]:
    async with paper_fleet(server.settings["LUMIO_DATABASE_URL"]) as fleet:
        yield await fleet.node("us-east", lease_seconds=25)  # nobody takes it for gone while a page loads


@dataclass(frozen=True)
class Dialog:
    """Where something is revoked: the page, the row's button, the dialog's button, and what is said of it."""

    address: str
    opener: str
    act: str
    said: str


DIALOGS = (
    Dialog("/dashboard/account/security/api-keys", "Revoke ci", "Revoke Key", "Key ci revoked."),
    Dialog("/system", "Revoke bot", "Revoke Key", "Key bot revoked."),
    Dialog("/dashboard/account/tokens", "Revoke overlay", "Revoke Token", "Popout token overlay revoked."),
    Dialog("/dashboard/account/team", "Remove Mo", "Remove", "Mo is removed; 0 key(s) and 0 popout token(s) ended."),
)


async def prepare(server: LiveServer, robin: httpx2.Client) -> None:
    """Make one of each thing that the dialogs end."""
    things: dict[str, dict[str, Any]] = {"api-keys": {"label": "ci"}, "admin/system-keys": {"label": "bot"}}
    for path, body in (things | {"tokens": {"label": "overlay"}}).items():
        assert robin.post(f"/v1/{path}", json=body).status_code == 201
    account_id = robin.get("/v1/users/me").json()["data"]["account"]["id"]
    async with opened(load(server.settings)) as world:
        await world.new_person("mo@example.com", Role.MEMBER, account_id)


async def test_every_dialog_that_revokes_tells_how_far_it_has_come(
    server: LiveServer, robin: httpx2.Client, east: PaperNode, page: Page
) -> None:
    await prepare(server, robin)
    await page.goto(f"{server.base_url}/login")
    await page.get_by_label("Mail address").fill(OPERATOR)
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Sign in").click()
    await page.wait_for_url("**/dashboard/**")
    for one in DIALOGS:
        await page.goto(server.base_url + one.address)
        await east.apply()
        opener = page.get_by_role("button", name=one.opener, exact=True)
        await opener.click()
        await page.get_by_role("dialog").get_by_role("button", name=one.act, exact=True).click()
        await expect(opener).to_have_count(0)
        said = page.locator("#announce")
        await expect(said).to_have_text(f"{one.said} Refused in eu-west (1 of 1 node), not yet in us-east (0 of 1) …")
        await east.apply()
        await expect(said).to_contain_text(f"{one.said} Refused everywhere, after ")
        await expect(page.locator("#reach li")).to_have_text(["eu-west1 of 1 node", "us-east1 of 1 node"])
