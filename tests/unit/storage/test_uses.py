"""Last uses: few a transaction, and none lost to a database that is away."""

from collections.abc import Mapping
from datetime import timedelta

import pytest
from sqlalchemy import select

from lumio.kernel import clock
from lumio.kernel.errors import Unavailable
from lumio.keys.store import keys
from lumio.storage import uses as uses_module
from lumio.storage.unit import Units
from lumio.storage.uses import SLICE, LastUse, Uses
from tests.support.ground import Ground
from tests.support.world import World

pytestmark = pytest.mark.usefixtures("restless")


@pytest.fixture
def restless(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uses_module, "REST_SECONDS", 0.0)


async def test_many_are_written_a_slice_a_unit_and_the_newest_of_each(ground: Ground) -> None:
    uses, written = Uses[int](), list[Mapping[str, int]]()

    async def write(_units: Units, part: Mapping[str, int]) -> None:
        written.append(part)

    for number in range(2 * SLICE + 1):
        uses.note(f"key-{number}", 0)
        uses.note(f"key-{number}", number)
    await uses.flush(ground.units, write)
    assert [len(part) for part in written] == [SLICE, SLICE, 1]
    assert {name: use for part in written for name, use in part.items()} == {
        f"key-{number}": number for number in range(2 * SLICE + 1)
    }
    assert len(uses) == 0


async def test_what_could_not_be_written_is_noted_still_and_a_newer_use_stays_the_newer(ground: Ground) -> None:
    uses = Uses[str]()
    for number in range(SLICE + 2):
        uses.note(f"key-{number}", "old")
    parts = 0

    async def fail_at_second(_units: Units, _part: Mapping[str, str]) -> None:
        nonlocal parts
        parts += 1
        if parts == 2:
            uses.note(f"key-{SLICE}", "new")
            raise Unavailable("away")

    with pytest.raises(Unavailable):
        await uses.flush(ground.units, fail_at_second)
    left: dict[str, str] = {}

    async def write(_units: Units, part: Mapping[str, str]) -> None:
        left.update(part)

    await uses.flush(ground.units, write)
    assert left == {f"key-{SLICE}": "new", f"key-{SLICE + 1}": "old"}


async def test_a_last_use_moves_forward_only_and_only_in_a_row_that_lives(world: World) -> None:
    robin = await world.sign_in()
    used, untouched, ended = [(await world.mint_key(robin, label))["id"] for label in ("used", "untouched", "ended")]
    await robin.delete(f"/v1/api-keys/{ended}")
    last_use, units = LastUse(keys, keys.c.revoked_at.is_(None), ip="last_used_ip"), world.house.units
    first, later = clock.now(), clock.now() + timedelta(hours=1)
    for use in ((first, "192.0.2.1"), (later, "192.0.2.2"), (first, "192.0.2.3"), (later, "192.0.2.4")):
        await last_use.write(units, {used: use, ended: use, "nobody": use})
    found = select(keys.c.id, keys.c.last_used_at, keys.c.last_used_ip)
    rows = await units.read(lambda view: view.execute(found))
    assert {row.id: (row.last_used_at, row.last_used_ip) for row in rows} == {
        used: (later, "192.0.2.2"), untouched: (None, None), ended: (None, None)
    }  # fmt: skip
