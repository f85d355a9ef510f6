"""What handlers ask for by name, put in place once.

Litestar resolves a dependency anew for each request, and two of them in a group of tasks: for services that never
change this was the larger part of a small answer. Promise: a handler gets the very object that was named, and a name
that nobody provides stops the start.
"""

from collections.abc import Mapping
from typing import Any

from litestar import Litestar
from litestar.routes import HTTPRoute


def settle(app: Litestar, constants: Mapping[str, Any]) -> None:
    """Let every handler of a built application take `constants` as they are.

    Raises:
        LookupError: a handler asks for something else by name.
    """
    for route in app.routes:
        if isinstance(route, HTTPRoute):
            for _, model in route.route_handler_map.values():
                _settle(model, constants)


def _settle(model: Any, constants: Mapping[str, Any]) -> None:
    wanted = {one.key for batch in model.dependency_batches for one in batch}
    if not wanted:
        return
    chosen = {name: constants[name] for name in wanted}

    async def put(values: dict[str, Any], _connection: Any) -> None:
        values.update(chosen)

    model.extractors.append(put)
    model.dependency_batches = []
