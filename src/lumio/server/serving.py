"""What a worker process runs: the application, opened and closed with the server's lifespan."""

import gc
from dataclasses import replace
from typing import Any

from lumio import settings as settings_module
from lumio.app import House, build
from lumio.server import logs
from lumio.server.run_folder import take_number
from lumio.settings import Settings

GARBAGE = (2_000, 10, 200)
"""When the collector looks through the young, the older and everything (`gc.set_threshold`)."""


class Serving:
    """An ASGI application that opens the house at start-up and closes it at shutdown."""

    def __init__(self, house: House) -> None:
        """Serve `house`."""
        self._house = house

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one request, or the lifespan."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        else:
            await self._house.asgi(scope, receive, send)

    async def _live(self, receive: Any, send: Any) -> None:
        await receive()
        try:
            async with self._house.open():
                await send({"type": "lifespan.startup.complete"})
                await receive()
        except Exception as error:
            await send({"type": "lifespan.startup.failed", "message": repr(error)})
            raise
        await send({"type": "lifespan.shutdown.complete"})


def application() -> Serving:
    """Build the application from the environment: the factory that each worker calls."""
    settings = _numbered(settings_module.load_for_worker())
    logs.set_up(settings.log_level)
    serving = Serving(build(settings, sealing=False))  # a process of its own does: see sealing.py
    _spare_the_long_lived()
    return serving


def _spare_the_long_lived() -> None:
    """Look for garbage among the young: looking through everything stops every answer for a tenth of a second.

    What is there now lives as long as the process. What is remembered of ten thousand keys lives for long too, and
    the collector would go through it again at each quarter more.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GARBAGE)


def _numbered(settings: Settings) -> Settings:
    """Give this worker its number, and with several workers a name of its own in the log."""
    if settings.run_dir is None:
        return settings
    number = take_number(settings.run_dir)
    node = settings.node if settings.workers == 1 else f"{settings.node}/{number}"
    return replace(settings, worker=number, node=node)
