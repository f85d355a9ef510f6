"""What the scripts write reads like what the server writes."""

from datetime import UTC, datetime, timedelta

import pytest
from playwright.async_api import Page

from lumio.surface.html import format as words
from tests.support.preview_server import PreviewServer

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

NOW = datetime(2026, 11, 21, 23, 38, 54, tzinfo=UTC)
EDGES = (0, 44, 45, 59, 60, 119, 120, 3599, 3600, 7200, 86399, 86400, 172799, 172800)
DAYS = (13, 14, 20, 21, 59, 60, 89, 90, 364, 365, 729, 730, 1094, 1095)
SIGNS = [chr(point) for point in range(0x3000) if not 0xD800 <= point <= 0xDFFF]


async def test_the_script_words_every_distance_as_the_server_does(tab: Page, site: PreviewServer) -> None:
    await tab.goto(site.origin + "/login")
    seconds = [sign * count for count in (*EDGES, *(day * 86400 for day in DAYS)) for sign in (1, -1)]
    said = await tab.evaluate(
        "async (all) => { const {ago} = await import('/static/preview/time.js'); return all.map(ago) }", seconds
    )
    assert said == [words.ago(NOW - timedelta(seconds=count), NOW) for count in seconds]


async def test_the_script_shows_unseen_signs_as_the_server_does(tab: Page, site: PreviewServer) -> None:
    await tab.goto(site.origin + "/login")
    shown = await tab.evaluate(
        "async (all) => { const {visible} = await import('/static/preview/visible.js'); return all.map(visible) }",
        [*SIGNS, "\U000e0041"],
    )
    assert shown == [words.visible(sign) for sign in [*SIGNS, "\U000e0041"]]
