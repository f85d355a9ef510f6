"""What handlers ask for by name: the very object, without a task for each; a name that nobody provides is told."""

from typing import Any

import pytest
from litestar import Litestar, Response, get
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath
from litestar.testing import TestClient

from lumio.surface.http.constants import settle
from tests.support.world import World


class Thing:
    def __init__(self, name: str) -> None:
        self.name = name


@get("/{place:int}")
async def both(place: FromPath[int], one: NamedDependency[Thing], other: NamedDependency[Thing]) -> Response[Any]:
    return Response([place, one.name, other.name])


def application() -> Litestar:
    anew = [Provide(lambda: Thing("made anew"), sync_to_thread=False) for _ in range(2)]
    return Litestar([both], dependencies={"one": anew[0], "other": anew[1]}, openapi_config=None, logging_config=None)


def test_a_handler_gets_the_object_that_was_named() -> None:
    app = application()
    settle(app, {"one": Thing("a"), "other": Thing("b"), "third": Thing("c")})
    with TestClient(app) as client:
        assert client.get("/7").json() == [7, "a", "b"]


def test_a_name_that_nobody_provides_stops_the_start() -> None:
    with pytest.raises(LookupError):
        settle(application(), {"one": Thing("a")})


async def test_no_handler_of_the_house_waits_for_a_dependency(world: World) -> None:
    maps = [getattr(route, "route_handler_map", {}) for route in world.house.web.routes]
    models = [model for one in maps for _, model in one.values()]
    assert len(models) > 100
    assert [model for model in models if model.dependency_batches] == []
