"""Turns at one file: one at a time in all processes, nobody is forgotten, nobody waits for ever."""

import asyncio
import multiprocessing
from collections.abc import Callable, Coroutine, Iterator
from multiprocessing.synchronize import Event
from pathlib import Path

import pytest

from lumio.storage import turns
from lumio.storage.turns import BlockingTurns, Turns


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "lumio.db"


@pytest.fixture
def pair(database: Path) -> Iterator[tuple[Turns, Turns]]:
    """Two queues at one file: as apart from each other as those of two processes."""
    made = Turns(database), Turns(database)
    yield made
    for one in made:
        one.close()


async def test_only_one_has_the_turn_and_all_get_it(pair: tuple[Turns, Turns]) -> None:
    inside, most, done = 0, 0, 0

    async def write(queue: Turns) -> None:
        nonlocal inside, most, done
        async with queue:
            inside += 1
            most = max(most, inside)
            await asyncio.sleep(0.002)
            inside -= 1
            done += 1

    await asyncio.gather(*[write(queue) for queue in pair for _ in range(20)])
    assert (most, done) == (1, 40)


async def test_whoever_waits_too_long_goes_ahead_and_takes_no_turn_away(
    pair: tuple[Turns, Turns], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns, "PATIENCE_SECONDS", 0.05)
    first, second = pair
    async with first:
        assert [await _had(second), await _had(second)] == [False, False]
    await _until_free(first)
    monkeypatch.setattr(turns, "PATIENCE_SECONDS", 5.0)
    assert [await _had(second), await _had(first)] == [True, True]


async def _had(queue: Turns) -> bool:
    """Take a turn, and tell whether it was one."""
    async with queue:
        return queue._has


async def _until_free(queue: Turns) -> None:
    """Wait until nobody holds a turn that somebody gave up waiting for."""
    for _ in range(100):
        await asyncio.sleep(0.01)
        if queue._try():
            queue._has = True
            await queue._mine.acquire()
            queue.leave()
            return
    pytest.fail("a turn that nobody wanted any more was kept")


async def test_a_task_that_is_cancelled_while_it_waits_keeps_nothing(pair: tuple[Turns, Turns]) -> None:
    first, second = pair

    async def write() -> None:
        async with second:
            pytest.fail("it was cancelled")

    async with first:
        task = asyncio.create_task(write())
        await asyncio.sleep(0.05)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    await _until_free(first)
    assert await _had(second)


def _noting(queue: Turns, order: list[str]) -> Callable[[str], Coroutine[None, None, None]]:
    """Return what takes a turn, and notes for whom: `journal…` comes first."""

    async def take(name: str) -> None:
        async with queue.first if name.startswith("journal") else queue:
            order.append(name)
            await asyncio.sleep(0.01)

    return take


async def test_the_journal_passes_a_unit_that_waits_for_another_process_and_that_one_is_next(
    pair: tuple[Turns, Turns],
) -> None:
    other, queue = pair
    order: list[str] = []
    take = _noting(queue, order)
    async with other:
        unit = asyncio.create_task(take("unit"))
        await asyncio.sleep(0.03)
        journal = asyncio.create_task(take("journal"))
        await asyncio.sleep(0.03)
        assert order == []
    while not order:  # noqa: ASYNC110 - a look at what others did
        await asyncio.sleep(0.001)
    await asyncio.gather(unit, journal, _noting(other, order)("another process"))
    assert order == ["journal", "unit", "another process"]
    assert await _had(other)


async def test_the_journal_waits_for_one_unit_of_its_process_at_most_and_starves_none(
    pair: tuple[Turns, Turns],
) -> None:
    queue, order = pair[0], list[str]()
    take = _noting(queue, order)

    async def journals() -> None:
        for number in range(6):
            await take(f"journal {number}")

    units = [asyncio.create_task(take(f"unit {number}")) for number in range(4)]
    await asyncio.sleep(0)
    await asyncio.gather(*units, journals())
    assert order == [name for number in range(4) for name in (f"unit {number}", f"journal {number}")] + [
        "journal 4", "journal 5",
    ]  # fmt: skip


async def test_a_journal_that_is_cancelled_or_too_late_leaves_the_turn_to_the_unit(
    pair: tuple[Turns, Turns], monkeypatch: pytest.MonkeyPatch
) -> None:
    other, queue = pair
    order: list[str] = []
    take = _noting(queue, order)
    async with other:
        unit = asyncio.create_task(take("unit"))
        await asyncio.sleep(0.03)
        cancelled = asyncio.create_task(take("journal"))
        await asyncio.sleep(0.03)
        cancelled.cancel()
        await asyncio.gather(cancelled, return_exceptions=True)
        monkeypatch.setattr(turns, "PATIENCE_SECONDS", 0.03)
        await take("journal without a turn")
        monkeypatch.setattr(turns, "PATIENCE_SECONDS", 5.0)
    await unit
    assert order == ["journal without a turn", "unit"]
    assert [await _had(other), await _had(queue)] == [True, True]


def _hold(database: Path, has: Event) -> None:
    with BlockingTurns(database):
        has.set()
        multiprocessing.Event().wait()


async def test_the_turn_of_a_process_that_is_killed_is_free(database: Path) -> None:
    context = multiprocessing.get_context("fork")
    has = context.Event()
    process = context.Process(target=_hold, args=(database, has))
    process.start()
    assert await asyncio.to_thread(has.wait, 30)
    queue = Turns(database)
    waits = asyncio.create_task(queue.__aenter__())
    await asyncio.sleep(0.05)
    assert not waits.done()
    process.kill()
    process.join()
    await waits
    assert queue._has
    await queue.__aexit__()
    queue.close()


async def test_where_no_queue_can_be_there_are_no_turns_and_no_error(tmp_path: Path) -> None:
    queue = Turns(tmp_path / "nowhere" / "lumio.db")
    assert not await _had(queue)
    queue.close()
