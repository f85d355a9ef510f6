"""`lumio-server audit`: what an operator types, and what the exit code says."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import func, select, update
from typer.testing import CliRunner, Result

from lumio.audit.verdict import Outcome
from lumio.server.main import app
from lumio.storage.events import events
from lumio.storage.sealed import log
from tests.support.audit_log import ACCOUNTS, Log
from tests.support.ground import Ground

Command = Callable[..., Result]


@pytest.fixture
async def kept(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> Log:
    made = Log(ground)
    await made.fill(monkeypatch)
    return made


@pytest.fixture
def command(ground: Ground) -> Command:
    """Run `lumio-server audit …` on the database of the test, in this process."""
    settings = ground.settings
    mine = {"LUMIO_DATA_DIR": str(settings.data_dir), "LUMIO_DATABASE_URL": settings.database_url}

    def run(*words: str, **more: str) -> Result:
        return CliRunner().invoke(app, ["audit", *words], env={**mine, **more})

    return run


async def test_verify_says_how_it_ended_in_words_in_json_and_by_its_exit_code(kept: Log, command: Command) -> None:
    whole = await asyncio.to_thread(command, "verify")
    assert whole.exit_code == 0, whole.stderr
    assert whole.stdout.startswith("intact: ")
    await kept.do(update(log).where(log.c.position == 9).values(result="failure"))
    altered = await asyncio.to_thread(command, "verify")
    assert (altered.exit_code, "first bad position: 9" in altered.stdout) == (1, True)
    told = json.loads((await asyncio.to_thread(command, "verify", "--json")).stdout)
    assert (told["outcome"], told["position"]) == ("altered", 9)
    mine = (await kept.row(9))["account_id"]
    (other,) = {*ACCOUNTS} - {mine}
    assert (await asyncio.to_thread(command, "verify", "--account", mine)).exit_code == 1
    assert (await asyncio.to_thread(command, "verify", "--account", "nobody")).exit_code == 2
    assert (await asyncio.to_thread(command, "verify", "--account", other)).exit_code == 0


async def test_verify_uses_a_copy_of_the_heads_when_one_is_named(
    kept: Log, command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = tmp_path / "heads-elsewhere.ndjson"
    await kept.fill(monkeypatch)
    elsewhere.write_bytes(kept.heads.path.read_bytes())
    first = kept.heads.path.read_text().splitlines()[0]
    kept.heads.path.write_text(first + "\n")
    assert (await asyncio.to_thread(command, "verify")).exit_code == Outcome.INCOMPLETE
    assert (await asyncio.to_thread(command, "verify", "--against", str(elsewhere))).exit_code == Outcome.INTACT


@pytest.mark.parametrize(
    "wrong",
    [
        {"LUMIO_DATABASE_URL": "sqlite+aiosqlite:////proc/nowhere/lumio.db"},
        {"LUMIO_ROOT_SECRET_FILE": "/nowhere/root.secret"},
        {"LUMIO_DATABASE_URL": "postgresql+asyncpg://nobody@127.0.0.1:1/nothing"},
    ],
    ids=["file", "root", "server"],
)
async def test_what_cannot_be_read_ends_with_three(kept: Log, command: Command, wrong: dict[str, str]) -> None:
    answer = await asyncio.to_thread(lambda: command("verify", **wrong))
    assert answer.exit_code == Outcome.UNREADABLE, answer.stdout + answer.stderr
    assert "Traceback" not in answer.stderr


async def test_a_hold_is_placed_listed_and_released_and_each_step_is_told(kept: Log, command: Command) -> None:
    assert "No account" in (await asyncio.to_thread(command, "holds")).stdout
    assert (await asyncio.to_thread(command, "hold", "account-a", "--reason", "case 17")).exit_code == 0
    again = await asyncio.to_thread(command, "hold", "account-a", "--reason", "case 18")
    assert (again.exit_code, "already" in again.stderr) == (1, True)
    (found,) = json.loads((await asyncio.to_thread(command, "holds", "--json")).stdout)
    assert (found["account"], found["reason"]) == ("account-a", "case 17")
    assert (await asyncio.to_thread(command, "release", "account-a")).exit_code == 0
    assert (await asyncio.to_thread(command, "release", "account-a")).exit_code == 1
    assert await kept.ground.told("audit_log.held") == 1
    assert await kept.ground.told("audit_log.released") == 1


async def test_an_erasure_asks_first_and_leaves_the_log_intact(kept: Log, command: Command) -> None:
    (row,) = await kept.ground.rows(
        select(events.c.actor_id).where(events.c.actor_type == "user", events.c.actor_id.is_not(None)).limit(1)
    )
    asked = await asyncio.to_thread(command, "erase", row.actor_id)
    assert asked.exit_code == 1
    gone = await asyncio.to_thread(command, "erase", row.actor_id, "--yes")
    assert gone.exit_code == 0, gone.stderr
    assert "Erased the personal fields of" in gone.stdout
    ((left,),) = await kept.ground.rows(
        select(func.count()).select_from(log).where(log.c.actor_id == row.actor_id, log.c.salt.is_not(None))
    )
    assert left == 0
    whole = await asyncio.to_thread(command, "verify")
    assert (whole.exit_code, "erased personal fields" in whole.stdout) == (0, True)


async def test_a_purge_on_a_young_log_purges_nothing(kept: Log, command: Command) -> None:
    told = await asyncio.to_thread(command, "purge", "--json")
    assert json.loads(told.stdout) == {"days": 0, "events": 0, "refused": None}
    assert (await kept.verify()).outcome is Outcome.INTACT
