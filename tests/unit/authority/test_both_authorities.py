"""What both authorities keep: a revocation counts from its commit, and whatever cannot be known is Unavailable.

On SQLite the ground has a LocalAuthority, on PostgreSQL a LeasedAuthority; each test runs on both.
"""

import asyncio
import shutil
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import pytest
from sqlalchemy import delete, make_url, select

from lumio.authority import feed
from lumio.authority.interface import Loaded
from lumio.authority.subjects import Ending, Receipt, Subject
from lumio.kernel.errors import Unavailable
from lumio.storage.hot import HotReader
from lumio.storage.unit import Unit
from tests.support.ground import LEASE, Ground, fact


def ended(*names: str) -> list[Ending]:
    return [Ending(Subject("key", name), "ended", "robin", "revoked") for name in names]


async def end(ground: Ground, *names: str) -> Receipt:
    return await ground.units.run(lambda unit: ground.authority.end(unit, ended(*names)))


async def is_ended(ground: Ground, name: str, seq: int) -> bool:
    return await ground.units.run(
        lambda unit: ground.authority.ended_within(unit, [Subject("account", "a"), Subject("key", name)], seq)
    )


def path_of(ground: Ground) -> Path:
    return Path(make_url(ground.settings.database_url).database or "")


async def feed_rows(ground: Ground) -> Sequence[tuple[int, str]]:
    rows = await ground.rows(select(feed.revocations).order_by(feed.revocations.c.seq))
    return [(row.seq, row.subject_id) for row in rows]


async def test_a_revocation_counts_from_its_commit_and_not_before(ground: Ground) -> None:
    before = await ground.authority.stamp()

    async def step(unit: Unit) -> None:
        await ground.authority.end(unit, ended("a"))
        assert await ground.authority.stamp() == before
        assert await ground.authority.unchanged(before, [Subject("key", "a")])

    await ground.units.run(step)
    assert not await ground.authority.unchanged(before, [Subject("key", "a")])
    assert await reached(ground, before + 1)
    assert await is_ended(ground, "a", before)
    assert not await is_ended(ground, "b", before)
    assert not await is_ended(ground, "a", before + 1)


async def test_a_revocation_that_was_rolled_back_leaves_no_number_behind(ground: Ground) -> None:
    async def step(unit: Unit) -> None:
        await ground.authority.end(unit, ended("a"))
        raise LookupError

    before = await ground.authority.stamp()
    with pytest.raises(LookupError):
        await ground.units.run(step)
    assert await ground.authority.stamp() == before
    assert await ground.authority.unchanged(before, [Subject("key", "a")])
    assert (await end(ground, "b")).seq == before + 1


async def test_the_receipt_has_the_last_number_and_the_rows_have_all_of_them(ground: Ground) -> None:
    before = await ground.authority.stamp()
    receipt = await end(ground, "a", "b", "c")
    assert receipt.seq == before + 3
    assert await ground.authority.effective(receipt.seq, 0)
    assert list(await feed_rows(ground))[-3:] == [(before + 1, "a"), (before + 2, "b"), (before + 3, "c")]


async def test_number_order_is_commit_order(ground: Ground) -> None:
    committed: list[int] = []

    async def one(name: str) -> None:
        async def step(unit: Unit) -> int:
            await asyncio.sleep(0.001 * (len(name) % 3))
            receipt = await ground.authority.end(unit, ended(name))

            async def note() -> None:
                committed.append(receipt.seq)

            unit.after_commit.append(note)
            return receipt.seq

        await ground.units.run(step)

    before = await ground.authority.stamp()
    await asyncio.gather(*[one("k" * number) for number in range(1, 13)])
    numbers = [seq for seq, _ in await feed_rows(ground) if seq > before]
    assert numbers == list(range(before + 1, before + 13))
    assert sorted(committed) == numbers


async def test_a_reader_that_has_seen_a_number_never_sees_a_smaller_one_appear(ground: Ground) -> None:
    done = asyncio.Event()
    seen: list[list[int]] = []

    async def watch() -> None:
        while not done.is_set():
            seen.append([seq for seq, _ in await feed_rows(ground)])

    watching = asyncio.create_task(watch())
    await asyncio.gather(*[end(ground, f"key-{number}") for number in range(20)])
    done.set()
    await watching
    for numbers in seen:
        assert numbers == list(range(numbers[0], numbers[0] + len(numbers))) if numbers else True


async def test_a_status_is_stamped_with_a_number_that_it_includes(ground: Ground) -> None:
    async def load(_hot: HotReader) -> Loaded[str]:
        await end(ground, "meanwhile")
        return Loaded("facts", (Subject("key", "a"),))

    before = await ground.authority.stamp()
    status = await ground.authority.status("a", load)
    assert status is not None
    assert (status.facts, status.seq) == ("facts", before)
    assert not await ground.authority.unchanged(status.seq, [Subject("key", "meanwhile")])


async def test_a_status_that_ended_while_it_was_read_is_read_again(ground: Ground) -> None:
    state = {"a": "alive"}

    async def load(_hot: HotReader) -> Loaded[str]:
        seen = state["a"]
        if seen == "alive":
            state["a"] = "ended"
            await end(ground, "a")
        return Loaded(seen, (Subject("key", "a"),))

    first = await ground.authority.status("a", load)
    assert first is not None
    still = await ground.authority.unchanged(first.seq, [Subject("key", "a")])
    assert first.facts == "ended" or not still
    second = await ground.authority.status("a", load)
    assert second is not None
    assert second.facts == "ended"


async def test_a_file_is_read_again_after_any_commit_and_only_then(ground: Ground) -> None:
    if not ground.database.dialect.single_writer:
        pytest.skip("a fleet learns of a change by the feed")
    loads: list[int] = []

    async def load(_hot: HotReader) -> Loaded[int]:
        loads.append(len(loads))
        return Loaded(len(loads), (Subject("key", "a"),))

    for _ in range(3):
        await asyncio.sleep(0)
        await ground.authority.status("a", load)
    assert len(loads) == 1
    await ground.units.run(lambda unit: ground.make(unit, "of nobody's feed"))
    assert await ground.authority.status("a", load) == (2, await ground.authority.stamp())


async def test_nothing_loaded_is_no_status(ground: Ground) -> None:
    async def load(_hot: HotReader) -> None:
        return None

    assert await ground.authority.status("a", load) is None


async def test_a_unit_takes_nothing_more_once_it_has_ended_something(ground: Ground) -> None:
    async def step(unit: Unit) -> None:
        await ground.authority.end(unit, ended("a"))
        with pytest.raises(RuntimeError):
            unit.record(fact())
        with pytest.raises(RuntimeError):
            await ground.make(unit, "late")

    await ground.units.run(step)


async def reached(ground: Ground, seq: int) -> bool:
    """Wait until the feed has brought a number to this node."""
    for _ in range(500):
        if await ground.authority.stamp() >= seq:
            break
        await asyncio.sleep(0.01)
    return await ground.authority.stamp() == seq


async def test_a_missing_counter_is_unavailable_and_no_number(ground: Ground) -> None:
    await ground.units.run(lambda unit: unit.execute(delete(feed.counter)))
    await unavailable(ground)


async def test_an_unreadable_feed_is_unavailable(ground: Ground) -> None:
    async with ground.database.writing() as connection:
        await connection.exec_driver_sql("DROP TABLE revocation_counter")
        await connection.commit()
    await unavailable(ground)


async def unavailable(ground: Ground) -> None:
    """See the authority refuse: at once from a file, within its lease from afar."""
    async with asyncio.timeout(LEASE + 1):
        while ground.authority.fresh():
            with suppress(Unavailable):
                await ground.authority.stamp()
                await asyncio.sleep(0.05)
                continue
            break
    with pytest.raises(Unavailable):
        await ground.authority.stamp()
    with pytest.raises(Unavailable):
        await ground.authority.unchanged(2**40, [])


@pytest.mark.parametrize("way", ["replaced", "removed", "renamed"])
async def test_a_database_file_that_is_not_the_opened_one_any_more_is_unavailable(ground: Ground, way: str) -> None:
    if not ground.database.dialect.single_writer:
        pytest.skip("a server has no file to be swapped")
    path = path_of(ground)
    match way:
        case "replaced":
            shutil.copy(path, path.with_name("yesterday.db"))
            path.with_name("yesterday.db").replace(path)
        case "removed":
            path.unlink()
        case _:
            path.rename(path.with_name("elsewhere.db"))
    with pytest.raises(Unavailable, match="replaced"):
        await ground.authority.stamp()


async def test_two_endings_of_the_same_subjects_in_any_order_both_end(ground: Ground) -> None:
    await asyncio.gather(*[end(ground, "a", "b"), end(ground, "b", "a"), end(ground, "a"), end(ground, "b")])
    assert await is_ended(ground, "a", 0)
    assert await is_ended(ground, "b", 0)
