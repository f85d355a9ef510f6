"""The outbox: a message leaves only with its change, once at a time, and is sealed until then."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import time_machine
from sqlalchemy import make_url, select, update

from lumio.crypto import opaque
from lumio.crypto.sealing import Sealer
from lumio.kernel import clock
from lumio.storage.outbox import ATTEMPTS_MAX, BATCH, LEASE, Delivery, Outbox, messages
from lumio.storage.unit import Unit
from tests.support.ground import Ground, fact


@pytest.fixture
def outbox(ground: Ground) -> Outbox:
    return Outbox(ground.database, Sealer(ground.ring, "outbox"))


@pytest.fixture
def moved() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(clock.now(), tick=False) as traveller:
        yield traveller


async def post(ground: Ground, outbox: Outbox, *texts: str) -> None:
    async def step(unit: Unit) -> None:
        unit.record(fact())
        for text in texts:
            unit.post(outbox.message("mail", {"text": text}))

    await ground.units.run(step)


async def test_a_message_can_be_claimed_only_after_the_commit(ground: Ground, outbox: Outbox) -> None:
    if not ground.database.dialect.single_writer:

        async def step(unit: Unit) -> None:
            unit.post(outbox.message("mail", {"text": "a"}))
            await unit.seal()
            assert await outbox.claim() == []

        await ground.units.run(step)
    else:
        await post(ground, outbox, "a")
    assert [one.content for one in await outbox.claim()] == [{"text": "a"}]


async def test_a_message_of_a_unit_that_failed_is_never_sent(ground: Ground, outbox: Outbox) -> None:
    async def step(unit: Unit) -> None:
        unit.post(outbox.message("mail", {"text": "a"}))
        await unit.seal()
        raise LookupError

    with pytest.raises(LookupError):
        await ground.units.run(step)
    assert await outbox.claim() == []


async def test_two_senders_never_have_the_same_message(ground: Ground, outbox: Outbox) -> None:
    await post(ground, outbox, *map(str, range(3 * BATCH)))
    taken: list[Delivery] = []
    for batch in await asyncio.gather(*[outbox.claim() for _ in range(6)]):
        taken += batch
    for _ in range(3):
        taken += await outbox.claim()
    assert sorted(int(one.content["text"]) for one in taken) == list(range(3 * BATCH))


async def test_a_sender_that_dies_leaves_its_messages_to_others_after_the_lease(
    ground: Ground, outbox: Outbox, moved: time_machine.Traveller
) -> None:
    await post(ground, outbox, "a")
    assert len(await outbox.claim()) == 1
    moved.shift(LEASE - timedelta(seconds=1))
    assert await outbox.claim() == []
    moved.shift(timedelta(seconds=2))
    (again,) = await outbox.claim()
    assert again.attempts == 2


async def test_a_sent_message_is_gone(ground: Ground, outbox: Outbox, moved: time_machine.Traveller) -> None:
    await post(ground, outbox, "a")
    (delivery,) = await outbox.claim()
    await outbox.sent(delivery)
    moved.shift(timedelta(days=1))
    assert await outbox.claim() == []
    assert await ground.rows(select(messages.c.id)) == []


async def test_a_message_that_fails_is_tried_again_with_growing_pauses_and_given_up_at_last(
    ground: Ground, outbox: Outbox, moved: time_machine.Traveller
) -> None:
    await post(ground, outbox, "a")
    pauses: list[timedelta] = []
    kept = True
    while kept:
        (delivery,) = await outbox.claim()
        kept = await outbox.failed(delivery)
        if kept:
            assert await outbox.claim() == []
            (row,) = await ground.rows(select(messages.c.due_at))
            pauses.append(row.due_at - clock.now())
            moved.shift(pauses[-1])
    assert len(pauses) == ATTEMPTS_MAX - 1
    assert pauses == sorted(pauses)
    assert pauses[0] >= timedelta(seconds=5)
    assert pauses[-1] <= timedelta(hours=1)
    assert await ground.rows(select(messages.c.id)) == []


async def test_the_oldest_message_goes_first(ground: Ground, outbox: Outbox, moved: time_machine.Traveller) -> None:
    for text in "abc":
        await post(ground, outbox, text)
        moved.shift(timedelta(seconds=1))
    assert [one.content["text"] for one in await outbox.claim()] == ["a", "b", "c"]


def _bytes_of(path: Path) -> bytes:
    return b"".join(part.read_bytes() for part in sorted(path.parent.glob(path.name + "*")))


async def test_a_link_in_a_waiting_mail_cannot_be_read_in_the_database(ground: Ground, outbox: Outbox) -> None:
    code = opaque.mint(opaque.PASSWORD_RESET).text
    await post(ground, outbox, f"https://lumio.example/reset/{code}")
    rows = await ground.rows(select(messages))
    assert code.encode() not in b"".join(bytes(row.sealed) for row in rows)
    assert code not in str(rows)
    if ground.database.dialect.single_writer:
        path = Path(make_url(ground.settings.database_url).database or "")
        content = _bytes_of(path)
        assert rows[0].id.encode() in content  # the search would find what is there
        assert code.encode() not in content
        assert b"/reset/" not in content


async def test_a_message_moved_to_another_row_cannot_be_opened(ground: Ground, outbox: Outbox) -> None:
    await post(ground, outbox, "mine", "other")
    mine, other = await ground.rows(select(messages))

    async def swap(unit: Unit) -> None:
        await unit.execute(update(messages).where(messages.c.id == mine.id).values(sealed=other.sealed))

    await ground.units.run(swap)
    with pytest.raises(ValueError, match="does not belong here"):
        await outbox.claim()
