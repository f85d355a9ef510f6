"""The frame: theme, menu, filter key, exact times on focus, and what works without script."""

import pytest
from playwright.async_api import Browser, Page, expect

from tests.support.preview_server import PreviewServer

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

KEYS = "/dashboard/account/security/api-keys"
AUDIT = "/dashboard/account/security/audit-log"
GROUND = "getComputedStyle(document.documentElement).backgroundColor"


async def test_a_chosen_theme_holds_at_once_and_is_drawn_by_the_server_next_time(
    tab: Page, site: PreviewServer
) -> None:
    await tab.goto(site.origin + "/login")
    light = await tab.evaluate(GROUND)
    await tab.get_by_role("button", name="Dark").click()
    assert await tab.evaluate(GROUND) != light
    await expect(tab.get_by_role("button", name="Dark")).to_have_attribute("aria-pressed", "true")
    response = await tab.goto(site.origin + "/login")
    assert response is not None
    assert 'data-theme="dark"' in await response.text()
    await tab.get_by_role("button", name="System").click()
    await expect(tab.get_by_role("button", name="System")).to_have_attribute("aria-pressed", "true")
    response = await tab.goto(site.origin + "/login")
    assert response is not None
    assert 'data-theme="auto"' in await response.text()


async def test_the_slash_key_goes_to_the_filter_and_stays_a_letter_inside_it(tab: Page, site: PreviewServer) -> None:
    await tab.goto(site.origin + AUDIT)
    await tab.keyboard.press("/")
    field = tab.get_by_label("Event", exact=True)
    await expect(field).to_be_focused()
    await tab.keyboard.type("a/b")
    await expect(field).to_have_value("a/b")


async def test_the_first_tab_stop_skips_to_the_content(tab: Page, site: PreviewServer) -> None:
    await tab.goto(site.origin + KEYS)
    await tab.keyboard.press("Tab")
    await expect(tab.get_by_role("link", name="Skip to content")).to_be_focused()
    await tab.keyboard.press("Enter")
    await expect(tab.locator("main")).to_be_focused()


async def test_the_exact_second_shows_when_a_time_has_the_focus(tab: Page, site: PreviewServer) -> None:
    await tab.goto(site.origin + KEYS)
    time = tab.locator("tbody time").first
    exact = await time.get_attribute("title")
    assert exact is not None
    assert exact.endswith(" UTC")
    await tab.keyboard.press("Tab")
    await time.focus()
    assert await time.evaluate("(element) => getComputedStyle(element, '::after').content") == f'"{exact}"'


async def test_empty_filters_stay_out_of_the_address(tab: Page, site: PreviewServer) -> None:
    await tab.goto(site.origin + AUDIT)
    await tab.get_by_label("Event", exact=True).fill("api_key.*")
    await tab.get_by_role("button", name="Filter").click()
    await expect(tab).to_have_url(f"{site.origin}{AUDIT}?event=api_key.*")


async def test_an_event_opens_and_closes_with_the_keyboard(tab: Page, site: PreviewServer) -> None:
    await tab.goto(site.origin + AUDIT)
    button = tab.get_by_role("button", name="Details of extension.deployed")
    await button.focus()
    await tab.keyboard.press("Enter")
    await expect(button).to_have_attribute("aria-expanded", "true")
    await expect(tab.locator("#more-2")).to_be_visible()
    await tab.keyboard.press("Enter")
    await expect(tab.locator("#more-2")).to_be_hidden()


async def test_on_a_phone_the_menu_opens_and_escape_closes_it(tab: Page, site: PreviewServer) -> None:
    await tab.set_viewport_size({"width": 320, "height": 640})
    await tab.goto(site.origin + KEYS)
    link = tab.get_by_role("link", name="Audit Log")
    await expect(link).to_be_hidden()
    await tab.get_by_role("button", name="Menu").click()
    await expect(link).to_be_visible()
    await tab.keyboard.press("Escape")
    await expect(link).to_be_hidden()


async def test_without_script_sign_in_filters_and_details_work_and_the_rest_says_so(
    browser: Browser, site: PreviewServer
) -> None:
    context = await browser.new_context(java_script_enabled=False)
    page = await context.new_page()
    await page.goto(site.origin + AUDIT)
    await expect(page.locator("#more-1")).to_be_visible()
    await page.get_by_label("Actor").fill("robin")
    await page.get_by_role("button", name="Filter").click()
    assert "actor=robin" in page.url
    await page.goto(site.origin + KEYS)
    await expect(page.locator("noscript .note")).to_be_visible()
    await expect(page.get_by_role("button", name="New API Key")).to_be_hidden()
    await page.get_by_role("button", name="Last used").click()
    assert page.url.endswith("?sort=last_used_at&order=desc")
    await page.goto(site.origin + "/login")
    await page.get_by_label("Mail address").fill("robin@acme.example")
    await page.get_by_label("Password").fill("correct horse")
    await page.get_by_role("button", name="Sign in").click()
    method, path, headers, _ = next(entry for entry in site.memory.asked if entry[0] == "POST")
    assert (method, path) == ("POST", "/api/login")
    assert headers["Content-Type"] == "application/x-www-form-urlencoded"
    await context.close()
