"""Chromium for the tests: the installed one, driven by Playwright, quiet on the network.

Promise: a test gets a fresh browser context (no cookie, no storage of another test), and a browser that asks
nobody but the server under test.

The fixtures live in the loop of the whole pytest run. A test module that uses them says so at its top:
`pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]`.
"""

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page, StorageState, async_playwright

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


@asynccontextmanager
async def fresh_context(browser: Browser, seat: StorageState | None = None) -> AsyncIterator[BrowserContext]:
    """Give a context of UTC and English with the cookies of `seat`; its pages wait 15 s for what they expect."""
    fresh = await browser.new_context(locale="en-GB", timezone_id="UTC", storage_state=seat)
    fresh.set_default_timeout(WAIT_MILLISECONDS)
    yield fresh
    await fresh.close()


@pytest_asyncio.fixture(loop_scope="session")
async def context(browser: Browser) -> AsyncIterator[BrowserContext]:
    """Give a fresh context without any cookie."""
    async with fresh_context(browser) as fresh:
        yield fresh


def faults(page: Page) -> list[str]:
    """Return a list that takes up every script error and every broken policy of the page from now on."""
    wrong: list[str] = []

    def listen(message: ConsoleMessage) -> None:
        # A refusal that a test asked for is a line of the console too.
        if message.type == "error" and not message.text.startswith("Failed to load resource"):
            wrong.append(message.text)

    page.on("console", listen)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    return wrong


async def sign_in(page: Page, base_url: str, email: str, password: str, target: str) -> None:
    """Sign in on the page as a person does, and arrive at `target`, a path."""
    await page.goto(f"{base_url}/login?next={target}")
    await page.get_by_label("Mail address").fill(email)
    await page.get_by_label("Password").fill(password)
    await page.get_by_role("button", name="Sign in").click()
    await page.wait_for_url(f"**{target}")


async def seat(browser: Browser, base_url: str, email: str, password: str, target: str) -> StorageState:
    """Sign in on the page once; return what the browser keeps of it, for as many contexts as want to go on there.

    A test that ends the session, proves itself anew (which changes the cookie) or is about signing in does so itself.
    """
    async with fresh_context(browser) as context:
        page = await context.new_page()
        wrong = faults(page)
        await sign_in(page, base_url, email, password, target)
        assert not wrong
        return await context.storage_state()


@pytest_asyncio.fixture(loop_scope="session")
async def page(context: BrowserContext) -> Page:
    """Give a page of a fresh context."""
    return await context.new_page()
