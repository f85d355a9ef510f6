"""The served GraphQL schema, compared with `schema.graphql`: a change of this surface is a visible line in a diff."""

import os
from pathlib import Path

from tests.support.world import World

GOLDEN = Path(__file__).with_name("schema.graphql")


async def test_the_served_schema_is_the_one_that_was_reviewed(world: World) -> None:
    served = (await (await world.sign_in()).get("/v1/schema")).text
    if os.environ.get("LUMIO_GOLDEN") == "write":
        GOLDEN.write_text(served, "utf-8")
    assert served == GOLDEN.read_text("utf-8")
