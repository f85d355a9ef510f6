"""A database is held against the whole journal or against none: what cannot be read is never taken for empty."""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pytest
import pytest_asyncio
from sqlalchemy import delete, select, update
from structlog.testing import capture_logs

from lumio.authority import feed, nodes
from lumio.authority.ledger import Ledger
from lumio.authority.ledger_file import LedgerFile
from lumio.authority.reconciliation import Reconciliation
from lumio.authority.subjects import Ending, Entry, Subject
from lumio.kernel import clock
from lumio.kernel.errors import Unavailable
from lumio.storage.unit import Unit
from tests.support.ground import Ground

HIGH = 5_000_000
"""A number far above what one leap reaches."""


def row(seq: int, epoch: int, reason: str = "revoked") -> Entry:
    moment = clock.now() - timedelta(seconds=10)
    return Entry(seq, Ending(Subject("key", f"k-{epoch}-{seq}"), "ended", "robin", reason), moment, epoch)


async def do_again(_unit: Unit, rows: Sequence[Entry]) -> int:
    return len(rows)


@pytest.fixture
def file(tmp_path: Path) -> LedgerFile:
    return LedgerFile(tmp_path / "journal")


@pytest_asyncio.fixture
async def outside(ground: Ground, file: LedgerFile) -> Reconciliation:
    """A fresh database beside a journal."""

    async def empty(unit: Unit) -> None:
        await unit.execute(delete(feed.revocations))
        await unit.execute(update(feed.counter).values(n=0, epoch=1))

    await ground.units.run(empty)
    found = Reconciliation(Ledger(file), ground.units)
    found.entrust({"key": do_again})
    return found


async def state(ground: Ground) -> tuple[int, int]:
    (found,) = await ground.rows(select(feed.counter))
    return found.n, found.epoch


async def test_a_journal_that_cannot_be_read_is_no_empty_one(outside: Reconciliation, file: LedgerFile) -> None:
    file.path.mkdir(parents=True)
    with pytest.raises(Unavailable, match="cannot be read"):
        await outside.run()


async def test_a_journal_that_cannot_be_read_to_its_end_changes_nothing(
    outside: Reconciliation, ground: Ground, file: LedgerFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    file.append([row(1, 1)])

    def fail() -> None:
        raise OSError(5, "no such luck")

    monkeypatch.setattr(file, "rows", fail)
    with pytest.raises(Unavailable, match=r"cannot be read: .*no such luck"):
        await outside.run()
    assert await state(ground) == (0, 1)


async def test_a_row_that_a_crash_left_out_is_noted_though_later_ones_are(
    outside: Reconciliation, ground: Ground, file: LedgerFile
) -> None:
    endings = [Ending(Subject("key", name), "ended", "robin", "revoked") for name in ("a", "b")]
    await ground.units.run(lambda unit: ground.authority.end(unit, endings))
    await outside.run()
    first, second = file.path.read_bytes().splitlines(keepends=True)
    file.path.write_bytes(second)
    await Reconciliation(Ledger(LedgerFile(file.path.parent)), ground.units).run()
    assert file.path.read_bytes() == second + first


async def test_a_damaged_line_is_said_where_the_operator_looks(outside: Reconciliation, file: LedgerFile) -> None:
    file.append([row(1, 1)])
    with file.path.open("ab") as opened:
        opened.write(b"{}\n")
    with capture_logs() as said:
        assert (await outside.run()).lost == 1
    assert [one["lines"] for one in said if "journal of revocations cannot be read" in one["event"]] == [1]


async def test_numbers_go_on_above_what_a_node_has_applied_though_nobody_noted_it(
    outside: Reconciliation, ground: Ground, file: LedgerFile
) -> None:
    moment = clock.now()
    node = {
        "node_id": "n-1", "name": "n", "boot_id": "b", "region": "eu", "registered_at": moment, "beat": 1,
        "beat_at": moment, "applied_seq": HIGH, "applied_at": moment, "lease_seconds": 2.0,
    }  # fmt: skip
    await ground.units.run(lambda unit: unit.execute(nodes.nodes.insert(), node))
    file.append([row(1, 1)])
    assert (await outside.run()).seq > HIGH


async def test_numbers_go_on_above_the_highest_of_every_epoch_and_epochs_above_the_newest(
    outside: Reconciliation, ground: Ground, file: LedgerFile
) -> None:
    file.append([row(HIGH, 1), row(7, 6, "replayed: revoked")])
    found = await outside.run()
    assert (found.lost, found.epoch) == (2, 7)
    assert found.seq > HIGH
    assert await state(ground) == (found.seq, 7)
    above = await ground.rows(select(feed.revocations.c.reason).where(feed.revocations.c.seq > HIGH))
    assert [one.reason for one in above] == ["replayed: revoked"] * 2
