"""The audit log in a browser: filter, open a row, follow live, find nothing for axe to say."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest
import pytest_asyncio
from axe_playwright_python.base import AXE_SCRIPT
from playwright.async_api import Page, expect

from lumio.settings import Settings
from tests.support.serving import LiveServer, live_server
from tests.support.world import OPERATOR, PASSWORD

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
SPILLED = """() => {
    const end = part => part.getBoundingClientRect().right;
    const spilled = field => [...field.children].some(part => end(part) > end(field) + 1);
    return [...document.querySelectorAll(".field")].filter(spilled).map(field => field.innerText);
}"""
"""Fields whose controls lie over their neighbours."""
HOSTILE = "<b>robin</b>\u202e\x1b[31m"


@pytest_asyncio.fixture(loop_scope="session")
async def server(settings: Settings, tmp_path: Path) -> AsyncIterator[LiveServer]:
    variables = {"LUMIO_DATA_DIR": str(tmp_path), "LUMIO_DATABASE_URL": settings.database_url}
    with live_server(variables) as running:
        yield running


@pytest.mark.parametrize("template", ["sqlite"], indirect=True)
async def test_an_operator_filters_opens_follows_and_takes_out(server: LiveServer, page: Page) -> None:
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda said: wrong.append(said.text) if said.type == "error" else None)
    await page.set_viewport_size({"width": 1280, "height": 900})
    await page.goto(f"{server.base_url}/login")
    await page.get_by_label("Mail address").fill(OPERATOR)
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Sign in").click()
    await page.wait_for_url("**/dashboard/extensions")
    await page.get_by_role("link", name="Audit Log").last.click()
    await page.wait_for_url("**/audit-log")
    await expect(page.get_by_role("img", name="Events per hour")).to_be_visible()
    found = await page.evaluate(f"{AXE_SCRIPT}; axe.run({{ runOnly: {RULES} }}).then(r => r.violations)")
    assert [(one["id"], one["nodes"][0]["html"]) for one in found] == []

    for size in ("100%", "125%"):  # as browsers show it, and as people enlarge it
        await page.evaluate("size => { document.documentElement.style.fontSize = size; }", size)
        assert await page.evaluate(SPILLED) == [], f"filters at {size}"
    await page.reload()

    await page.get_by_label("Event", exact=True).fill("session.*")
    await page.get_by_role("button", name="Filter", exact=True).click()
    await page.wait_for_url("**/audit-log?event=session.**")
    await expect(page.locator("#events tbody").first).to_contain_text("session.created")
    assert "actor=" not in page.url

    await page.goto(f"{server.base_url}/audit-log")
    await page.get_by_role("button", name="Follow live").click()
    await expect(page.get_by_role("button", name="Following")).to_have_attribute("aria-pressed", "true")
    await make_key(server)
    row = page.locator("#events tbody.live", has_text="api_key.created")
    await expect(row).to_contain_text("person", timeout=15_000)
    await row.get_by_role("button", name="Details of api_key.created").click()
    await expect(row.locator("dl")).to_contain_text("<b>robin</b>\\u202e\\x1b[31m")
    assert await row.locator("b").count() == 0
    await page.get_by_role("button", name="Following").click()
    await expect(page.get_by_role("button", name="Follow live")).to_be_visible()

    async with page.expect_download() as download:
        await page.get_by_role("link", name="Everything, NDJSON").click()
    path = await (await download.value).path()
    content = await asyncio.to_thread(path.read_bytes)
    assert b'"statement":"export"' in content.splitlines()[-1]

    await page.set_viewport_size({"width": 320, "height": 700})
    assert await page.evaluate(OVERFLOW) == 0
    assert wrong == []


async def make_key(server: LiveServer) -> None:
    """Make a key over REST, under a name that would like to be markup."""
    async with httpx2.AsyncClient(base_url=server.base_url) as client:
        form = {"email": OPERATOR, "password": PASSWORD}
        signed_in = (await client.post("/v1/auth/login", json=form)).json()["data"]
        headers = {"Authorization": f"Bearer {signed_in['access_token']}"}
        answer = await client.post("/v1/api-keys", json={"label": HOSTILE}, headers=headers)
        assert answer.status_code == 201, answer.text
