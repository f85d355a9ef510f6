"""Retention: gone by day 91, provable for ever, and nothing early whatever the clock says (threats 39 and 41)."""

import json
import shutil
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import delete, func, select, update
from sqlalchemy.schema import DropTable

from lumio.audit.retention import Purged
from lumio.audit.verdict import Outcome
from lumio.settings import Settings
from lumio.storage.sealed import account_chain, checkpoint, checkpoint_account, held, log, seal, segment
from lumio.storage.unit import Unit
from tests.support.audit_log import Clocks, Log
from tests.support.ground import Ground, closed, fact, laid, things
from tests.support.postgres import PostgresServer
from tests.support.world import HOME, Template

pytestmark = pytest.mark.xdist_group("retention")  # the story is told once

DAYS = 95
WITH_EVENTS = (*range(8), *range(88, DAYS))
"""The days of the story on which something happens."""
TOLD, COPY = "told_story", "copied_story"
"""The story's database on PostgreSQL, and the copy that a test has."""


class Years(Log):
    """A log that grew day by day."""

    def __init__(self, ground: Ground, clocks: Clocks) -> None:
        super().__init__(ground)
        self.clocks = clocks

    async def day(self, number: int) -> None:
        """Let a day pass with two events of two accounts."""
        for account in ("account-a", "account-b", None):
            event = fact("thing.made", label=f"day {number}")
            object.__setattr__(event, "account_id", account)
            object.__setattr__(event, "ts", self.clocks.wall)
            await self.ground.journal.append(event)
        await self.seal()
        self.clocks.passes(days=1)

    async def days_kept(self) -> int:
        """Count the runs that are kept."""
        ((count,),) = await self.ground.rows(select(func.count()).select_from(segment))
        return int(count)


@dataclass(frozen=True, slots=True)
class Story:
    """The log after all its days, told once for the module: what stands on disk, and what the clocks say."""

    settings: Settings
    kept: Path
    postgres: PostgresServer | None
    wall: datetime
    uptime: float

    def again(self) -> Settings:
        """Lay it out anew; return its settings."""
        settings = self.settings
        for folder in (settings.data_dir, settings.journal_dir):
            shutil.rmtree(folder, ignore_errors=True)
            shutil.copytree(self.kept / folder.name, folder)
        if self.postgres is None:
            return settings
        self.postgres.drop(COPY)
        return replace(settings, database_url=self.postgres.create(COPY, TOLD))


async def tell(settings: Settings, clocks: Clocks) -> None:
    """Let the days pass, one after the other."""
    ground = await laid(settings)
    made = Years(ground, clocks)
    assert (await made.retention.purge()).days == 0
    for number in range(DAYS):
        if number in WITH_EVENTS:
            await made.day(number)
        else:
            clocks.passes(days=1)
    await made.do(DropTable(things))  # each test lays its own ground
    await closed(ground)


@pytest.fixture(scope="module")
def stories() -> dict[str, Story]:
    return {}


@pytest.fixture
def clocks(monkeypatch: pytest.MonkeyPatch) -> Clocks:
    return Clocks(monkeypatch)


@pytest.fixture
async def story(template: Template, stories: dict[str, Story], tmp_path_factory: pytest.TempPathFactory) -> Story:
    if template.backend not in stories:
        settings, kept = template.fresh(), tmp_path_factory.mktemp("story")
        with pytest.MonkeyPatch.context() as patched:
            clocks = Clocks(patched)
            await tell(settings, clocks)
        for folder in (settings.data_dir, settings.journal_dir):
            shutil.copytree(folder, kept / folder.name)
        if template.postgres is not None:
            template.postgres.drop(TOLD)
            template.postgres.create(TOLD, HOME)
        stories[template.backend] = Story(settings, kept, template.postgres, clocks.wall, clocks.uptime)
    return stories[template.backend]


@pytest.fixture
def settings(story: Story) -> Settings:
    """Those of the ground: it lies on a copy of the story."""
    return story.again()


@pytest.fixture
async def grown(ground: Ground, story: Story, clocks: Clocks) -> Years:
    clocks.wall, clocks.uptime = story.wall, story.uptime
    return Years(ground, clocks)


async def test_what_is_readable_for_90_days_is_gone_by_day_91_and_the_rest_verifies(grown: Years) -> None:
    oldest = grown.clocks.wall.timestamp() * 1e6 - 91 * 86_400e6
    purged = await grown.retention.purge()
    assert purged.refused is None
    rows = await grown.ground.rows(select(log.c.ts).order_by(log.c.ts))
    assert rows[0].ts >= oldest
    assert len(rows) >= (len(WITH_EVENTS) - 5) * 3
    assert purged.days >= DAYS - 92
    await grown.seal()
    assert (await grown.verify()).outcome is Outcome.INTACT
    for account in ("account-a", "account-b"):
        assert (await grown.verify_account(account)).outcome is Outcome.INTACT


async def test_a_purge_leaves_signed_checkpoints_inside_and_outside_and_tells_of_itself(grown: Years) -> None:
    purged = await grown.retention.purge()
    kept = [json.loads(row.statement) for row in await grown.ground.rows(select(checkpoint))]
    outside = [one for _, one in grown.heads.read() if one and one["statement"] == "checkpoint"]
    assert len(kept) == purged.days
    assert sorted(outside, key=lambda one: one["position"]) == sorted(kept, key=lambda one: one["position"])
    assert all(grown.notary.genuine(one) for one in kept)
    assert sum(one["count"] for one in kept) == purged.events
    assert await grown.ground.told("audit_log.purged") == purged.days


async def test_an_edited_or_removed_checkpoint_is_found(grown: Years) -> None:
    await grown.retention.purge()
    (first, *_, last) = [row.position for row in await grown.ground.rows(select(checkpoint.c.position))]
    (row,) = await grown.ground.rows(select(checkpoint).where(checkpoint.c.position == last))
    edited = json.dumps(json.loads(row.statement) | {"count": 1})
    await grown.do(update(checkpoint).where(checkpoint.c.position == last).values(statement=edited))
    verdict = await grown.verify()
    assert (verdict.outcome, verdict.position) == (Outcome.ALTERED, last)
    await grown.do(update(checkpoint).where(checkpoint.c.position == last).values(statement=row.statement))
    assert (await grown.verify()).outcome is Outcome.INTACT
    await grown.do(update(checkpoint_account).where(checkpoint_account.c.position == last).values(count=99))
    assert (await grown.verify()).outcome is Outcome.ALTERED
    await grown.do(
        update(checkpoint_account).where(checkpoint_account.c.position == last).values(count=(DAYS - 91)),
        delete(checkpoint).where(checkpoint.c.position == first),
    )
    assert (await grown.verify()).outcome is Outcome.ALTERED


async def test_a_day_that_was_changed_is_not_purged_away(grown: Years) -> None:
    (row,) = await grown.ground.rows(select(log.c.position).order_by(log.c.position).offset(4).limit(1))
    await grown.do(update(log).where(log.c.position == row.position).values(result="failure"))
    purged = await grown.retention.purge()
    assert "does not verify" in (purged.refused or "")
    assert (await grown.verify()).position == row.position


@pytest.mark.parametrize("jump", [100, -100])
async def test_a_clock_that_jumps_makes_nothing_go_early(grown: Years, jump: int) -> None:
    await grown.retention.purge()
    before = await grown.days_kept()
    grown.clocks.jump(days=jump)
    await grown.day(DAYS)
    grown.clocks.passes(hours=2)
    purged = await grown.retention.purge()
    assert purged.days == 0
    assert await grown.days_kept() >= before
    grown.clocks.jump(days=-jump)
    await grown.day(DAYS + 1)
    assert (await grown.verify()).outcome is Outcome.INTACT


async def test_after_a_restart_under_a_wrong_clock_the_cut_moves_seven_days_an_hour_at_most(grown: Years) -> None:
    await grown.retention.purge()
    before = await grown.days_kept()
    grown.clocks.jump(days=100)
    await grown.day(DAYS)
    grown.clocks.reboot("boot-2")
    assert (await grown.retention.purge()).days == 0
    grown.clocks.passes(hours=1)
    assert (await grown.retention.purge()).days <= 8
    assert await grown.days_kept() >= before - 8


async def test_of_two_machines_one_purges_and_the_other_leaves_its_clock_alone(grown: Years) -> None:
    await grown.retention.purge()
    gone = 0
    for _ in range(24 * 4):
        grown.clocks.passes(hours=1)
        here, uptime = grown.clocks.boot_id, grown.clocks.uptime
        grown.clocks.reboot("another machine")
        assert await grown.retention.purge() == Purged()
        grown.clocks.boot_id, grown.clocks.uptime = here, uptime
        gone += (await grown.retention.purge()).days
    assert gone >= 3


async def test_a_machine_that_was_off_for_long_purges_when_the_operator_vouches_for_its_clock(grown: Years) -> None:
    await grown.retention.purge()
    grown.clocks.jump(days=30)
    grown.clocks.reboot("boot-2")
    refused = await grown.retention.purge()
    assert "--trust-clock" in (refused.refused or "")
    assert (await grown.retention.purge(trust_clock=True)).days == 3


async def test_a_day_from_a_clock_that_ran_ahead_goes_with_its_neighbours(grown: Years) -> None:
    grown.clocks.jump(days=50)
    await grown.day(DAYS)
    grown.clocks.jump(days=-50)
    for number in range(3):
        await grown.day(DAYS + 1 + number)
    grown.clocks.passes(days=94)
    await grown.day(DAYS + 5)
    assert (await grown.retention.purge(trust_clock=True)).refused is None
    assert await grown.days_kept() <= 4
    assert (await grown.verify()).outcome is Outcome.INTACT


async def test_events_on_hold_outlive_the_purge_and_still_prove_themselves(grown: Years) -> None:
    await grown.hold("account-a")
    purged = await grown.retention.purge()
    kept = await grown.ground.rows(select(held.c.account_id))
    assert [row.account_id for row in kept] == ["account-a"] * purged.days
    assert (await grown.verify_account("account-a")).outcome is Outcome.INTACT
    ((count,),) = await grown.ground.rows(
        select(account_chain.c.count).where(account_chain.c.account_id == "account-a")
    )
    assert f"{count} events" in (await grown.verify_account("account-a")).sentence
    await grown.do(update(held).values(event="thing.unmade"))
    assert (await grown.verify_account("account-a")).outcome is Outcome.ALTERED


async def test_a_purge_that_was_cut_off_between_slices_goes_on_and_verifies_meanwhile(
    grown: Years, monkeypatch: pytest.MonkeyPatch
) -> None:
    retention, real = grown.retention, Unit.drop_partition
    tried = 0

    async def cut_off(unit: Unit, first: int, last: int) -> None:
        nonlocal tried
        tried += 1
        raise OSError(28, "No space left on device")

    async def no_room(unit: Unit, day: int) -> bool:
        return False

    monkeypatch.setattr(Unit, "drop_partition", no_room)
    monkeypatch.setattr(retention._store, "drop", cut_off)
    with pytest.raises(Exception, match="space"):
        await retention.purge()
    assert tried == 1
    assert (await grown.verify()).outcome is Outcome.INTACT
    monkeypatch.setattr(Unit, "drop_partition", real)
    assert (await grown.retention.purge(trust_clock=True)).refused is None
    assert (await grown.verify()).outcome is Outcome.INTACT
    ((left,),) = await grown.ground.rows(select(func.min(seal.c.position)))
    ((newest,),) = await grown.ground.rows(select(func.max(checkpoint.c.position)))
    assert left == newest + 1
