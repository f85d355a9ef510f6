"""Exports for tests: a log with every sort of row in it, and the two verifiers that read them."""

import importlib.util
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx2
from sqlalchemy import func, select, update

from lumio.audit.export_check import check_export
from lumio.crypto.chain import commitments, pack
from lumio.storage.events import hot, tally
from lumio.storage.sealed import log
from tests.house.tree import ROOT
from tests.support.world import World

SCRIPT = ROOT / "docs" / "security" / "verify_audit_export.py"
HOSTILE = "=HYPERLINK(1)\r\n\x1b[31m\u202e\\x41'"


def script() -> ModuleType:
    """Return the customers' verifier as a module."""
    spec = importlib.util.spec_from_file_location("verify_audit_export", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def by_script(path: Path, key: str | None) -> int:
    """Return the exit code of the customers' verifier."""
    module = script()
    try:
        with path.open("rb") as file:
            module.check(file, key)
    except SystemExit as left:
        return int(str(left.code))
    except (ValueError, KeyError, TypeError, IndexError, AttributeError):
        return 3
    return 0


def by_house(path: Path, key: str) -> int:
    """Return the exit code of our own check."""
    return int(check_export(path, (key,)).outcome)


async def public_key(client: httpx2.AsyncClient) -> str:
    """Return the key that the installation publishes."""
    return str((await client.get("/.well-known/lumio-audit-keys.json")).json()["keys"][-1])


async def lively(world: World) -> httpx2.AsyncClient:
    """Fill the log: hostile labels, a second account between, an erased row, rows that wait; return the operator."""
    robin = await world.sign_in()
    await world.new_person("dana@example.com")
    for number in range(4):
        made = await world.mint_key(robin, f"{HOSTILE}{number}")
        await world.bearer(made["key"]).get("/v1/users/me")
        await world.sign_in("dana@example.com")
    await seal(world)
    await erase(world, 6)
    await world.mint_key(robin, "waits")
    return robin


async def seal(world: World) -> None:
    """Seal all there is, however often the house's own sealer was faster."""
    waiting = 1
    while waiting:
        await world.house.sealer.run(everything=True)
        async with world.house.database.reading() as connection:
            counts = [await connection.scalar(select(func.count()).select_from(table)) for table in (hot, tally)]
        waiting = sum(filter(None, counts))


async def erase(world: World, position: int) -> None:
    """Do to one row what an erasure does: its fields and its salt go, their commitments stay."""

    async def step(unit: Any) -> None:
        row = (await unit.execute(log.select().where(log.c.position == position))).mappings().one()
        gone = dict.fromkeys(("actor_label", "ip", "user_agent", "detail", "salt"))
        kept = pack(commitments(row, row["salt"]))
        await unit.execute(update(log).where(log.c.position == position).values(**gone, commitments=kept))

    await world.house.units.run(step)


async def exported(client: httpx2.AsyncClient, path: str = "/v1/audit-log/export", **query: str) -> bytes:
    """Return a whole export."""
    answer = await client.get(path, params=query)
    assert answer.status_code == 200, answer.text
    return answer.content


def rows_of(content: bytes) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Return the events and the last line of an NDJSON export."""
    *rows, said = map(json.loads, content.splitlines())
    return rows, said
