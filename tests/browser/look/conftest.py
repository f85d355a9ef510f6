"""The sample pages, served; and the demand that no page breaks its policy or its scripts while a test looks."""

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio
from playwright.async_api import BrowserContext, ConsoleMessage, Page

from tests.support.preview_server import PreviewServer, preview_server


@pytest.fixture
def site() -> Iterator[PreviewServer]:
    """Serve the pages with a fresh memory."""
    with preview_server() as server:
        yield server


@pytest_asyncio.fixture(loop_scope="session")
async def tab(context: BrowserContext) -> AsyncIterator[Page]:
    """A page whose script errors and policy violations fail the test."""
    wrong: list[str] = []

    def listen(message: ConsoleMessage) -> None:
        # A refusal that a test asked for is a line of the console too.
        if message.type == "error" and not message.text.startswith("Failed to load resource"):
            wrong.append(message.text)

    page = await context.new_page()
    page.on("console", listen)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    yield page
    assert not wrong
