"""The sample pages, served; and the demand that no page breaks its policy or its scripts while a test looks."""

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio
from playwright.async_api import BrowserContext, Page

from tests.support.browser import faults
from tests.support.preview_server import PreviewServer, preview_server


@pytest.fixture
def site() -> Iterator[PreviewServer]:
    """Serve the pages with a fresh memory."""
    with preview_server() as server:
        yield server


@pytest_asyncio.fixture(loop_scope="session")
async def tab(context: BrowserContext) -> AsyncIterator[Page]:
    """A page whose script errors and policy violations fail the test."""
    page = await context.new_page()
    wrong = faults(page)
    yield page
    assert not wrong
