"""Chromium for the tests: the installed one, driven by Playwright, quiet on the network.

Promise: a test gets a fresh browser context (no cookie, no storage of another test), and a browser that asks
nobody but the server under test.

The fixtures live in the loop of the whole pytest run. A test module that uses them says so at its top:
`pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]`.
"""

import os
import shutil
from collections.abc import AsyncIterator

import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page, async_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
QUIET = (
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--disable-sync",
    "--no-default-browser-check",
    "--no-first-run",
)
WAIT_MILLISECONDS = 15_000


def chromium_path() -> str:
    """Give the path of the installed Chromium.

    Raises:
        FileNotFoundError: there is none; the message says how to get one.
    """
    for name in NAMES:
        if path := shutil.which(name):
            return path
    message = "no Chromium on PATH: run tools/chromium, or `make test`, which does"
    raise FileNotFoundError(message)


def arguments() -> list[str]:
    """Give the command line switches; root has no sandbox of its own to use."""
    return [*QUIET, *(["--no-sandbox"] if os.geteuid() == 0 else [])]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    """Give the one browser of this pytest process."""
    async with async_playwright() as playwright:
        running = await playwright.chromium.launch(executable_path=chromium_path(), args=arguments())
        yield running
        await running.close()


@pytest_asyncio.fixture(loop_scope="session")
async def context(browser: Browser) -> AsyncIterator[BrowserContext]:
    """Give a fresh context: UTC, English, no cookie; its pages wait 15 s for what they are told to expect."""
    fresh = await browser.new_context(locale="en-GB", timezone_id="UTC")
    fresh.set_default_timeout(WAIT_MILLISECONDS)
    yield fresh
    await fresh.close()


@pytest_asyncio.fixture(loop_scope="session")
async def page(context: BrowserContext) -> Page:
    """Give a page of a fresh context."""
    return await context.new_page()
