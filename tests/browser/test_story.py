"""The main job from end to end, as a person does it: browser, terminal, browser, terminal.

A key is made on the page, a published web build is deployed with it, the log tells of it, the key is revoked.
"""

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.async_api import Locator, Page, expect

from tests.support.postgres import PostgresServer
from tests.support.published import Unreachable, fetch_built
from tests.support.serving import LiveServer, live_server
from tests.support.terminal import Lumio
from tests.support.world import PASSWORD

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

LABEL = "ci-github-actions"
KEYS = "/dashboard/account/security/api-keys"
LOG = "/dashboard/account/security/audit-log"


@pytest.fixture(params=["sqlite", "postgresql"])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[LiveServer]:
    settings = {"LUMIO_DATA_DIR": str(tmp_path / "data")}
    if request.param == "postgresql":
        postgres: PostgresServer = request.getfixturevalue("postgres_server")
        settings["LUMIO_DATABASE_URL"] = postgres.create(f"story_{os.getpid()}")
    with live_server(settings) as running:
        yield running


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    try:
        return fetch_built(tmp_path_factory.mktemp("published"))
    except Unreachable as reason:
        pytest.skip(f"the published packages cannot be had: {reason}")


async def test_from_the_set_up_link_to_a_revoked_key_that_deploys_no_more(
    server: LiveServer, page: Page, built: Path, tmp_path: Path
) -> None:
    await _set_up(page, server)
    key = await _make_key(page, server)
    assert key.startswith("lm_dev_")
    assert len(key) == 64

    project = tmp_path / "project"
    shutil.copytree(built, project / ".lumio-dist")
    lumio = Lumio(tmp_path / "home", project, {"LUMIO_SERVER": server.base_url})
    assert lumio("login", "--token", key).code == 0
    assert lumio("init", "--name", "Confetti", "--target", "layer").code == 0
    assert lumio("extensions", "create", "--name", "Confetti", "--write").code == 0
    deployed = lumio("deploy")
    assert deployed.code == 0, deployed.both
    version_id, address = deployed.stdout.split()

    await page.goto(address)
    row = page.locator(f'tr[data-id="{version_id}"]')
    await expect(row).to_contain_text("draft")
    await row.get_by_role("button", name="Publish").click()
    await page.get_by_role("dialog").get_by_role("button", name="Publish").click()
    await expect(row).to_contain_text("published")

    await page.goto(server.base_url + LOG)
    await expect(_entry(page, "api_key.created")).to_contain_text("success")
    told = _entry(page, "extension.deployed")
    await expect(told).to_contain_text(LABEL)
    await expect(told).to_contain_text("127.0.0.1")
    await expect(told).to_contain_text("success")

    await page.goto(server.base_url + KEYS)
    await page.get_by_role("button", name=f"Revoke {LABEL}").click()
    await page.get_by_role("dialog").get_by_role("button", name="Revoke").click()
    await expect(page.get_by_text("0 key(s)", exact=True)).to_be_visible()

    project_file = project / "lumio.config.json"
    config = json.loads(project_file.read_text()) | {"version": "0.2.0"}
    project_file.write_text(json.dumps(config))
    refused = lumio("deploy")
    assert refused.code == 4
    assert "may have been revoked" in refused.both
    assert key not in refused.both

    await page.goto(server.base_url + LOG)
    failure = _entry(page, "auth.failed").first
    await expect(failure).to_contain_text(LABEL)
    await expect(failure).to_contain_text("failure")
    await page.goto(address)
    await expect(page.get_by_text("1 version(s)", exact=True)).to_be_visible()


async def _set_up(page: Page, server: LiveServer) -> None:
    await page.goto(server.set_up_link)
    await page.get_by_label("Your name").fill("Robin Vale")
    await page.get_by_label("Mail address").fill("robin@example.com")
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_label("Account name").fill("Acme Overlays")
    await page.get_by_role("button", name="Set up").click()
    await page.wait_for_url("**/dashboard/extensions")


async def _make_key(page: Page, server: LiveServer) -> str:
    await page.goto(server.base_url + KEYS)
    await page.get_by_role("button", name="New API Key").click()
    await page.get_by_label("Label").fill(LABEL)
    await page.keyboard.press("Enter")
    reveal = page.get_by_role("dialog", name="API Key Created")
    await expect(reveal).to_be_visible()
    key = (await reveal.locator(".key").inner_text()).strip()
    await reveal.get_by_role("button", name="Dismiss").click()
    await expect(page.get_by_text("1 key(s)", exact=True)).to_be_visible()
    assert key not in await page.content()
    return key


def _entry(page: Page, event: str) -> Locator:
    return page.locator("tr:not(.more)").filter(has_text=event)
