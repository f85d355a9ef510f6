"""Every page, light and dark, wide and narrow: no finding of axe-core, no sideways scroll, no dialog from a name."""

import pytest
from playwright.async_api import Page

from tests.support.accessibility import contrasts, findings, overflow
from tests.support.preview_server import PreviewServer

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

SMALL_TARGETS = """
[...document.querySelectorAll("main button, main select, main summary, .rail a, .rail button, td a")]
  .filter((element) => element.checkVisibility())
  .map((element) => [element.outerHTML.slice(0, 80), element.getBoundingClientRect()])
  .filter(([, box]) => box.width < 24 || box.height < 24)
  .map(([html]) => html)
"""


async def faults(page: Page) -> list[str]:
    """Return what is wrong with the page as it stands, at the desk, on a phone and between."""
    await page.set_viewport_size({"width": 1280, "height": 800})
    await page.emulate_media(color_scheme="dark")  # the colours are those of every width
    found = [f"dark: {what}" for what in await contrasts(page)]
    await page.emulate_media(color_scheme="light")
    for width in (1280, 1100, 1000, 768, 320):
        await page.set_viewport_size({"width": width, "height": 800})
        if await overflow(page) > 0:
            found.append(f"{width}: scrolls sideways")
        if width in {1280, 320}:
            found += [f"{width}: {what}" for what in await findings(page)]
            found += [f"{width}: too small: {html}" for html in await page.evaluate(SMALL_TARGETS)]
    return found


async def test_no_page_has_a_finding_or_scrolls_sideways(page: Page, site: PreviewServer) -> None:
    wrong: dict[str, list[str]] = {}
    page.on("dialog", lambda dialog: wrong.setdefault(page.url, []).append(f"dialog: {dialog.message}"))
    for address in site.by_address:
        await page.goto(site.origin + address)
        if found := await faults(page):
            wrong.setdefault(address, []).extend(found)
    assert not wrong


async def test_the_check_of_accessibility_sees_a_fault_when_there_is_one(tab: Page, site: PreviewServer) -> None:
    await tab.goto(site.origin + "/login")
    await tab.evaluate("document.querySelector('label[for=email]').remove()")
    assert any(found.startswith("label:") for found in await findings(tab))


async def test_what_is_still_fading_in_is_judged_once_it_stands_there(tab: Page, site: PreviewServer) -> None:
    await tab.goto(site.origin + "/login")
    fade = "document.querySelector('h1').animate({opacity: [0, .1]}, {duration: 700}).playState"
    assert await tab.evaluate(fade) == "running"
    assert await contrasts(tab) == []


async def test_the_check_of_contrast_sees_a_fault_when_there_is_one(tab: Page, site: PreviewServer) -> None:
    await tab.goto(site.origin + "/login")
    await tab.evaluate("document.querySelector('label[for=email]').style.opacity = .2")
    assert [found.partition(":")[0] for found in await contrasts(tab)] == ["color-contrast"]
