"""Fixtures of the whole suite: every test that asks for a `world` runs on SQLite and on PostgreSQL."""

import gc
from collections.abc import AsyncIterator, Generator

import pytest
import pytest_asyncio
import structlog

from lumio.app import House
from lumio.kernel import clock
from lumio.settings import Settings
from tests.support.browser import browser, context, page
from tests.support.postgres import PostgresServer, postgres_server
from tests.support.windows import pytest_terminal_summary
from tests.support.world import Template, Templates, World, built

BACKENDS = ("sqlite", "postgresql")

structlog.configure(  # the default draws each traceback in colours and with every local variable: a second and more
    processors=[
        *structlog.get_config()["processors"][:-1],
        structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback),
    ]
)
__all__ = ["browser", "context", "page", "postgres_server", "pytest_terminal_summary"]


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Collect without a look for garbage: what is imported here stays for the run, and is not gone through again."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


@pytest.fixture(scope="session")
def _templates() -> Templates:
    return Templates()


@pytest.fixture(params=BACKENDS)
def template(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, _templates: Templates
) -> Template:
    """A migrated database with its first operator."""
    backend: str = request.param
    server: PostgresServer | None = None
    if backend == "postgresql":
        server = request.getfixturevalue("postgres_server")
    return _templates.of(backend, tmp_path_factory.getbasetemp(), server)


@pytest.fixture
def settings(template: Template) -> Settings:
    """Settings of a fresh copy of the template."""
    return template.fresh()


@pytest.fixture(scope="session")
def _houses() -> dict[str, House]:
    return {}


@pytest_asyncio.fixture
async def world(
    template: Template, settings: Settings, _houses: dict[str, House], monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[World]:
    """An open house with the operator Robin in it, and nobody signed in.

    The house is built once per process and backend, and opened anew for each test on a fresh database.
    """
    if template.backend not in _houses:
        _houses[template.backend] = built(settings)
    async with _houses[template.backend].open() as house:
        yield World(house)


@pytest.fixture
def one_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hold the clocks of the limiters still, so that no minute ends in the middle of a count."""
    moment = clock.now()
    monkeypatch.setattr(clock, "monotonic", lambda: 60_000.0)
    monkeypatch.setattr(clock, "now", lambda: moment)
    monkeypatch.setattr(clock, "micros", lambda: clock.to_micros(moment))
