"""A page whose scripts come late, or not at all: no press on what they serve is lost, and nothing moves."""

import asyncio

import pytest
from playwright.async_api import Page, Route, expect

from tests.support.preview_server import PreviewServer

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

KEYS = "/dashboard/account/security/api-keys"
PLACE = "JSON.stringify(document.getElementById('new-key').getBoundingClientRect())"
LATE = 0.4
"""Seconds in which a press that is lost has been lost."""


async def test_a_press_before_the_scripts_came_waits_for_them_and_nothing_moves(
    tab: Page, site: PreviewServer
) -> None:
    come = asyncio.Event()

    async def late(route: Route) -> None:
        await come.wait()
        await route.continue_()

    await tab.route("**/keys.js", late)
    await tab.goto(site.origin + KEYS, wait_until="commit")
    await expect(tab.get_by_role("heading", name="API Keys")).to_be_visible()
    press = asyncio.ensure_future(tab.get_by_role("button", name="New API Key").click())
    await asyncio.wait({press}, timeout=LATE)
    before = await tab.evaluate(PLACE)
    come.set()
    await press
    await expect(tab.get_by_role("dialog").get_by_label("Label")).to_be_focused()
    assert await tab.evaluate(PLACE) == before


@pytest.mark.parametrize("missing", ["keys.js", "step_up.js"], ids=["its own", "one behind it"])
async def test_where_a_script_does_not_come_the_page_says_so_and_offers_nothing_that_is_dead(
    page: Page, site: PreviewServer, missing: str
) -> None:
    await page.route(f"**/{missing}", lambda route: route.abort())
    await page.goto(site.origin + KEYS)
    await expect(page.locator("#announce")).to_have_text("A part of this page did not arrive. Load the page again.")
    for button in await page.locator(".needs-script").all():
        await expect(button).to_be_hidden()
    await page.unroute(f"**/{missing}")
    await page.reload()
    await page.get_by_role("button", name="New API Key").click()
    await expect(page.get_by_role("dialog")).to_be_visible()
