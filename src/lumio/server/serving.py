"""What a worker process runs: the application, opened and closed with the server's lifespan."""

from typing import Any

from lumio import settings as settings_module
from lumio.app import House, build
from lumio.server import logs


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
    settings = settings_module.load(port=settings_module.port_for_workers())
    logs.set_up(settings.log_level)
    return Serving(build(settings, sealing=False))  # a process of its own does: see sealing.py
