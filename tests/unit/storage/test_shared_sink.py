"""Several workers, one file, one writer: what is answered is on disk, and batches of all of them share a commit."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import pytest_asyncio

from lumio.kernel.errors import Unavailable
from lumio.kernel.metrics import COMMITS
from lumio.server.writing import NAME, Writer, listen
from lumio.storage.dialect import SqliteDialect
from lumio.storage.events import NAMES
from lumio.storage.journal import Journal
from lumio.storage.packing import FRAME_MAX, Packed, pack, take_from, to_bytes
from lumio.storage.shared_sink import SharedSink
from lumio.storage.sinks import SqliteFile
from lumio.storage.turns import BlockingTurns
from tests.support.ground import Ground, fact


class Scribe:
    """The writer's loop in a thread of the test, which can be held up and be killed."""

    def __init__(self, folder: Path, database: Path) -> None:
        folder.mkdir(mode=0o700, parents=True)
        self.socket = folder / NAME
        self.listening = listen(folder)
        self.database = database
        self.turn = threading.Lock()
        self.begin()

    def begin(self) -> None:
        """Start a writer on the socket that is there."""
        self.writer = Writer(self.listening, SqliteFile(self.database), BlockingTurns(self.database))
        self.thread = threading.Thread(target=self._live, args=(self.writer,))
        self.thread.start()

    def _live(self, writer: Writer) -> None:
        writer._file.open()
        while not writer.told:
            with self.turn:
                if not writer.told:
                    writer.turn()
            time.sleep(0.001)  # whoever wants to hold it up gets the lock now
        writer._file.close()

    def die(self) -> None:
        """End it with everything that it has in hand, as a kill does."""
        self.writer.told = True
        self.thread.join()
        for key in list(self.writer._ready.get_map().values()):
            if key.data is not None:
                key.data.connection.close()
        self.writer._ready.close()

    @property
    def commits(self) -> int:
        """How often it has committed."""
        return sum(self.writer.metrics.figures().counts.get(COMMITS, {}).values())


@pytest.fixture
def scribe(ground: Ground, tmp_path: Path) -> Iterator[Scribe]:
    if not isinstance(ground.database.dialect, SqliteDialect):
        pytest.skip("there each worker writes for itself")
    made = Scribe(tmp_path / ("deep" * 30) / "run", ground.database.dialect.path)
    yield made
    made.die()
    made.listening.close()


@asynccontextmanager
async def held(scribe: Scribe) -> AsyncIterator[None]:
    """Hold the writer up between two turns."""
    await asyncio.to_thread(scribe.turn.acquire)
    try:
        yield
    finally:
        scribe.turn.release()


@pytest_asyncio.fixture
async def journals(ground: Ground, scribe: Scribe) -> AsyncIterator[list[Journal]]:
    """Give the journals of three workers."""
    made = [Journal(ground.database, f"node-t/{number}", 2, SharedSink(scribe.socket)) for number in (1, 2, 3)]
    for one in made:
        await one.open()
    yield made
    for one in made:
        await one.close()


async def test_append_returns_only_when_another_connection_can_read_the_row(
    ground: Ground, scribe: Scribe, journals: list[Journal]
) -> None:
    for number in range(1, 4):
        async with held(scribe):
            task = asyncio.create_task(journals[0].append(fact()))
            await asyncio.sleep(0.05)
            assert not task.done()
            assert await ground.told() == number - 1
        await task
        assert await ground.told() == number


async def test_what_all_workers_sent_meanwhile_is_one_commit(
    ground: Ground, scribe: Scribe, journals: list[Journal]
) -> None:
    await asyncio.gather(*[one.append(fact()) for one in journals])
    before = scribe.commits
    async with held(scribe):
        tasks = [asyncio.create_task(one.append(fact(label=str(n)))) for one in journals for n in range(40)]
        await asyncio.sleep(0.1)
    await asyncio.gather(*tasks)
    assert scribe.commits - before == 1
    assert await ground.told() == 3 + 3 * 40


async def test_a_writer_that_dies_fails_what_it_had_and_its_successor_takes_what_comes(
    ground: Ground, scribe: Scribe, journals: list[Journal]
) -> None:
    await journals[0].append(fact())
    async with held(scribe):
        lost = asyncio.create_task(journals[0].append(fact()))
        await asyncio.sleep(0.05)
        scribe.writer.told = True
    scribe.die()
    with pytest.raises(Unavailable):
        await lost
    waits = [asyncio.create_task(one.append(fact())) for one in journals]
    await asyncio.sleep(0.1)
    assert not any(task.done() for task in waits)
    scribe.begin()
    await asyncio.gather(*waits)
    assert await ground.told() == 1 + len(journals)


async def test_while_nobody_writes_whoever_waits_gets_an_error_within_its_limit(
    ground: Ground, scribe: Scribe
) -> None:
    journal = Journal(ground.database, "node-t/4", 0.2, SharedSink(scribe.socket))
    await journal.open()
    async with held(scribe):
        with pytest.raises(Unavailable):
            await journal.append(fact())
    await journal.append(fact())  # what was late became durable after all: the answers are still told apart
    await journal.close()
    assert await ground.told() == 2


async def test_a_batch_that_the_disk_refuses_fails_and_the_next_one_does_not(
    ground: Ground, scribe: Scribe, journals: list[Journal]
) -> None:
    async with ground.database.writing() as connection:
        stop = "CREATE TRIGGER no_more BEFORE INSERT ON audit_hot BEGIN SELECT RAISE(ABORT, 'no right'); END"
        await connection.exec_driver_sql(stop)
        await connection.commit()
    with pytest.raises(Unavailable, match="no right"):
        await journals[0].append(fact())
    async with ground.database.writing() as connection:
        await connection.exec_driver_sql("DROP TRIGGER no_more")
        await connection.commit()
    await journals[0].append(fact())
    assert await ground.told() == 1


async def test_nobody_but_the_owner_may_connect_however_deep_the_folder_lies(scribe: Scribe) -> None:
    assert len(str(scribe.socket)) > 107
    assert scribe.socket.stat().st_mode & 0o777 == 0o600


def test_what_is_unpacked_is_what_was_packed_or_nothing_while_a_part_is_missing() -> None:
    told = fact(label="żółć 😀 \x00").row("node-t/1")
    rows = [tuple(told[name] for name in NAMES)]
    packed, arrived = pack(rows, []), bytearray()
    sent = to_bytes(packed)
    for byte in sent[:-1]:
        arrived.append(byte)
        assert take_from(arrived) is None
    arrived += sent[-1:] + sent
    assert (take_from(arrived), take_from(arrived), take_from(arrived)) == (packed, packed, None)
    with pytest.raises(ValueError, match="no batch"):
        take_from(bytearray(b"GET / HTTP/1.1\r\n"))
    assert len(to_bytes(Packed("", ""))) < FRAME_MAX
