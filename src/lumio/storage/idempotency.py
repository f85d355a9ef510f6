"""Repetitions of a create: the first answer is kept in the unit of the change, for a day.

Promise: the same `Idempotency-Key` never makes a second thing, also when both requests run at once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Boolean, Column, String, Table, Text, delete, insert, select, update

from lumio.kernel import clock
from lumio.storage.columns import Moment, metadata
from lumio.storage.unit import Unit

KEPT = timedelta(hours=24)

answers = Table(
    "idempotency",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("body_digest", String(64), nullable=False),
    Column("answer", Text),
    Column("target_id", String(64)),
    Column("revealing", Boolean, nullable=False),
    Column("created_at", Moment, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Kept:
    """What is known of an earlier request with the same name."""

    body_digest: str
    answer: str | None
    target_id: str | None


async def find(unit: Unit, name: str) -> Kept | None:
    """Return the earlier answer under `name`, when it is younger than a day."""
    found = await unit.execute(select(answers).where(answers.c.name == name))
    row = found.first()
    if row is not None and row.created_at < clock.now() - KEPT:
        await unit.execute(delete(answers).where(answers.c.name == name))
        return None
    return None if row is None else Kept(row.body_digest, row.answer, row.target_id)


async def claim(unit: Unit, name: str, body_digest: str, *, revealing: bool) -> None:
    """Take the name; a second unit with the same name waits here and then breaks the key's constraint."""
    row = {"name": name, "body_digest": body_digest, "revealing": revealing, "created_at": clock.now()}
    await unit.execute(insert(answers), row)


async def keep(unit: Unit, name: str, answer: str | None, target_id: str | None) -> None:
    """Keep the answer beside the change."""
    await unit.execute(update(answers).where(answers.c.name == name).values(answer=answer, target_id=target_id))


async def forget_target(unit: Unit, target_ids: Sequence[str]) -> None:
    """Drop the answers that made things which are gone now: the same request may make them anew."""
    await unit.execute(delete(answers).where(answers.c.target_id.in_(target_ids)))


async def forget_old(unit: Unit) -> None:
    """Drop the answers older than a day."""
    await unit.execute(delete(answers).where(answers.c.created_at < clock.now() - KEPT))
