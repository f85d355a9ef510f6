"""An export is whole or says what it lacks: while it is written, when the sealer is behind, under a legal hold."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, insert, select

from lumio.audit import exports
from lumio.audit.export_check import check_export
from lumio.audit.model import ExportPlatformLog
from lumio.audit.store import exporting
from lumio.audit.store.sealing import SealStore
from lumio.storage.sealed import held, log
from lumio.storage.sealed import seal as seals
from tests.support.exports import by_house, by_script, exported, lively, public_key, rows_of, seal
from tests.support.world import World

ALL = "/v1/admin/audit-log/export"


def between_slices(monkeypatch: pytest.MonkeyPatch, work: Callable[[], Awaitable[object]]) -> None:
    """Let a file be written three entries a time, and do something before its second slice is read."""
    sealed, asked = exporting.ExportStore.sealed, 0

    async def watched(self: exporting.ExportStore, view: Any, chosen: Any, after: int) -> Any:
        nonlocal asked
        asked += 1
        if asked == 2:
            await work()
        return await sealed(self, view, chosen, after)

    monkeypatch.setattr(exporting, "SLICE", 3)
    monkeypatch.setattr(exporting.ExportStore, "sealed", watched)


async def test_what_is_sealed_while_a_file_is_written_is_in_it_once(
    world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    robin = await lively(world)
    before = {one["id"] for one in await world.log(robin)}
    between_slices(monkeypatch, lambda: seal(world))
    content = await exported(robin)
    rows, said = rows_of(content)
    ids = [row["id"] for row in rows]
    assert len(ids) == len(set(ids)) == said["count"]
    assert before <= set(ids)
    assert None not in {row["position"] for row in rows if row["id"] in before}
    (tmp_path / "x").write_bytes(content)
    assert (said["complete"], by_house(tmp_path / "x", await public_key(robin))) == (True, 0)


async def test_a_file_ends_without_its_last_line_when_its_reader_loses_the_right(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    robin = await lively(world)
    made = await world.mint_key(robin)
    reader = world.bearer(made["key"])
    assert b'"statement"' in await exported(reader)
    between_slices(monkeypatch, lambda: robin.delete(f"/v1/api-keys/{made['id']}"))
    cut = await exported(reader)
    assert 0 < cut.count(b"\n") <= 6
    assert b'"statement"' not in cut


async def unsealed(world: World, robin: Any, monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Stop the sealer, and let more wait for it than one answer of an export holds; return the ids of all rows."""

    async def nothing(*_: object) -> bool:
        return False

    await seal(world)
    monkeypatch.setattr(SealStore, "waits", nothing)
    monkeypatch.setattr(exporting, "WAITING_MAX", 4)
    for number in range(7):
        await world.mint_key(robin, f"late-{number}")
    return {one["id"] for one in await world.log(robin)}


async def test_an_export_waits_for_a_sealer_that_is_behind_and_is_whole(
    world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    robin = await lively(world)
    waits, waiting, asked = SealStore.waits, exporting.ExportStore.waiting, 0
    before = await unsealed(world, robin, monkeypatch)

    async def watched(*given: Any) -> Any:
        nonlocal asked
        asked += 1
        if asked == 2:
            monkeypatch.setattr(SealStore, "waits", waits)
        return await waiting(*given)

    monkeypatch.setattr(exporting.ExportStore, "waiting", watched)
    content = await exported(robin)
    rows, said = rows_of(content)
    ids = [row["id"] for row in rows]
    assert asked > 2
    assert len(ids) == len(set(ids)) == said["count"]
    assert before <= set(ids)
    assert (said["complete"], said["left_out"]) == (True, 0)
    (tmp_path / "x").write_bytes(content)
    key = await public_key(robin)
    assert (by_house(tmp_path / "x", key), by_script(tmp_path / "x", key)) == (0, 0)


async def test_an_export_says_how_many_rows_it_left_out_when_nobody_seals(
    world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    robin = await lively(world)
    before = await unsealed(world, robin, monkeypatch)
    monkeypatch.setattr(exports, "SEALER_SECONDS", 0.0)
    content = await exported(robin)
    rows, said = rows_of(content)
    ids = {row["id"] for row in rows}
    after = {one["id"] for one in await world.log(robin)}
    assert said["complete"] is False
    assert 0 < len(before - ids) <= said["left_out"] <= len(after - ids)
    assert len([row for row in rows if row["position"] is None]) == 4
    (tmp_path / "x").write_bytes(content)
    key = await public_key(robin)
    assert (by_house(tmp_path / "x", key), by_script(tmp_path / "x", key)) == (0, 0)
    assert f"{said['left_out']} more were not sealed yet" in check_export(tmp_path / "x", (key,)).sentence


async def test_the_operators_export_has_the_rows_of_a_legal_hold_too(world: World, tmp_path: Path) -> None:
    robin = await lively(world)
    await seal(world)
    account, key = await world.account_id(robin), await public_key(robin)
    every, _ = rows_of(await exported(robin, ALL))
    kept = [row["id"] for row in every if (row["position"] or 10) <= 9 and row["account_id"] == account]
    await hold_back(world, account, 9)
    for path, filters in ((ALL, {}), (ALL, {"account_id": account})):
        content = await exported(robin, path, **filters)
        rows, said = rows_of(content)
        assert [row["id"] for row in rows[: len(kept)]] == kept
        assert said["complete"]
        (tmp_path / "x").write_bytes(content)
        assert (by_house(tmp_path / "x", key), by_script(tmp_path / "x", key)) == (0, 0)


async def test_the_machines_own_export_has_the_rows_of_a_legal_hold_too(world: World, tmp_path: Path) -> None:
    robin = await lively(world)
    await seal(world)
    account = await world.account_id(robin)
    await hold_back(world, account, 9)
    form = ExportPlatformLog(account_id=account)
    order = await world.house.exports.order_here(form)
    content = b"".join([piece async for piece in world.house.exports.write(order, nobody_stops)])
    rows, said = rows_of(content)
    assert (said["complete"], said["first"]) == (True, 1)
    assert [row["chain"] is None for row in rows[:2]] == [True, True]
    (tmp_path / "x").write_bytes(content)
    key = await public_key(robin)
    assert (by_house(tmp_path / "x", key), by_script(tmp_path / "x", key)) == (0, 0)
    outside, _ = rows_of(await exported(robin))
    assert min(row["position"] for row in outside if row["position"]) > 9


async def nobody_stops() -> None:
    """Go on."""


async def hold_back(world: World, account: str, up_to: int) -> None:
    """Do what a purge does to the rows of an account under hold: keep them apart, and drop the rest."""

    async def step(unit: Any) -> None:
        both = select(log, seals.c.leaf, seals.c.account_prev).join(seals, seals.c.position == log.c.position)
        rows = (await unit.execute(both.where(log.c.position <= up_to, log.c.account_id == account))).mappings()
        await unit.execute(insert(held), [{one.name: row[one.name] for one in held.c} for row in rows])
        await unit.execute(delete(log).where(log.c.position <= up_to))
        await unit.execute(delete(seals).where(seals.c.position <= up_to))

    await world.house.units.run(step)
