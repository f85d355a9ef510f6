"""What axe-core says about a page as a reader meets it.

Promise: only a page that has come to rest is judged, so that nothing half faded in is ever measured; and a look that
saw nothing is no look.
"""

from collections.abc import Sequence

from axe_playwright_python.base import AXE_SCRIPT
from playwright.async_api import Page

EVERY_RULE = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
PASSES_MIN = 10
CUT = 160
OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
AT_REST = "() => Promise.all(document.getAnimations().map((one) => one.finished.catch(() => null)))"
LOOK = "(rules) => axe.run(document, {runOnly: rules, resultTypes: ['violations']})"


async def findings(page: Page) -> list[str]:
    """Return what axe-core finds on the page as it stands, by every rule."""
    passes, found = await _look(page, {"type": "tag", "values": EVERY_RULE})
    assert passes > PASSES_MIN
    return found


async def contrasts(page: Page) -> list[str]:
    """Return what is too faint on the page as it stands: the one rule that another colour scheme can break."""
    passes, found = await _look(page, {"type": "rule", "values": ["color-contrast"]})
    assert passes == 1 or found
    return found


async def overflow(page: Page) -> int:
    """Return by how many pixels the page can be scrolled sideways."""
    beyond: int = await page.evaluate(OVERFLOW)
    return beyond


async def _look(page: Page, rules: dict[str, str | Sequence[str]]) -> tuple[int, list[str]]:
    await page.emulate_media(reduced_motion="reduce")
    await page.evaluate(AT_REST)
    if await page.evaluate("typeof axe") == "undefined":
        await page.evaluate(AXE_SCRIPT)
    result = await page.evaluate(LOOK, rules)
    found = [f"{one['id']}: {one['nodes'][0]['html'][:CUT]}" for one in result["violations"]]
    return len(result["passes"]), found
