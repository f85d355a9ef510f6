"""The tests' own Chromium: it starts, shows a page, and forgets it.

Promise: one journey never sees the cookies of another.
"""

import pytest
from playwright.async_api import Browser, Page, expect

from tests.support import browser as support
from tests.support.browser import browser, context, page

__all__ = ["browser", "context", "page"]
pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def test_a_page_is_shown_and_its_script_runs(page: Page) -> None:
    await page.set_content("<button onclick=\"this.textContent = 'lit'\">dark</button>")
    await page.get_by_role("button").click()
    await expect(page.get_by_role("button")).to_have_text("lit")


async def test_a_context_forgets_its_cookies(browser: Browser, page: Page) -> None:
    await page.context.add_cookies([{"name": "mark", "value": "1", "url": "http://localhost"}])
    assert await page.context.cookies()
    another = await browser.new_context()
    assert not await another.cookies()
    await another.close()


async def test_a_missing_chromium_says_how_to_get_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(FileNotFoundError, match="make test"):
        support.chromium_path()
