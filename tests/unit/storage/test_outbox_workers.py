"""The outbox between several workers: looking costs no lock, and a lease that is over is another sender's."""

from collections.abc import Iterator
from datetime import timedelta
from email.message import EmailMessage

import pytest
import time_machine
from sqlalchemy import select

from lumio.crypto.sealing import Sealer
from lumio.kernel import clock
from lumio.storage.outbox import LEASE, Outbox, messages
from lumio.storage.unit import Unit
from lumio.surface.mail.sender import MAIL, Sender
from tests.support.ground import Ground, fact


@pytest.fixture
def outbox(ground: Ground) -> Outbox:
    return Outbox(ground.database, Sealer(ground.ring, "outbox"))


@pytest.fixture
def moved() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(clock.now(), tick=False) as traveller:
        yield traveller


class SlowPost:
    """A mail server that takes its time."""

    def __init__(self, moved: time_machine.Traveller, takes: timedelta) -> None:
        self.taken: list[str] = []
        self._moved = moved
        self._takes = takes

    async def deliver(self, message: EmailMessage, name: str) -> None:  # noqa: ARG002
        """Take a message."""
        self._moved.shift(self._takes)
        self.taken.append(str(message["Subject"]))


async def post(ground: Ground, outbox: Outbox, *subjects: str) -> None:
    async def step(unit: Unit) -> None:
        unit.record(fact())
        for subject in subjects:
            unit.post(outbox.message(MAIL, {"to": "robin@example.com", "subject": subject, "text": "x"}))

    await ground.units.run(step)


async def test_a_look_into_an_empty_outbox_takes_no_lock(
    ground: Ground, outbox: Outbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ground.database, "writing", lambda: pytest.fail("it asked for the lock of all writers"))
    assert await outbox.claim() == []
    assert await outbox.waiting() == 0


async def test_what_a_slow_sender_had_no_time_for_is_sent_once_by_the_next(
    ground: Ground, outbox: Outbox, moved: time_machine.Traveller
) -> None:
    subjects = [f"mail {number}" for number in range(5)]
    await post(ground, outbox, *subjects)
    slow, quick = SlowPost(moved, LEASE / 2), SlowPost(moved, timedelta(0))
    await Sender(outbox, slow, "lumio@example.com").run_once()
    assert slow.taken == subjects[:2]
    assert await outbox.waiting() == 3
    moved.shift(timedelta(seconds=1))
    await Sender(outbox, quick, "lumio@example.com").run_once()
    assert sorted(slow.taken + quick.taken) == subjects
    assert await outbox.waiting() == 0


async def test_a_failure_of_one_whose_lease_is_over_takes_nothing_from_the_next(
    ground: Ground, outbox: Outbox, moved: time_machine.Traveller
) -> None:
    await post(ground, outbox, "mail")
    (late,) = await outbox.claim()
    moved.shift(LEASE + timedelta(seconds=1))
    (mine,) = await outbox.claim()
    assert await outbox.failed(late)
    (row,) = await ground.rows(select(messages.c.claimed_until, messages.c.attempts))
    assert (row.claimed_until, row.attempts) == (mine.until, 2)
