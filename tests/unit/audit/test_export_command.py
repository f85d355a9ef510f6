"""`lumio-server audit export`: at the machine itself."""

import asyncio
import os
import stat
import subprocess
import sys
from pathlib import Path

from typer.testing import Result

from lumio.settings import Settings
from tests.support.exports import by_house, by_script, lively, public_key
from tests.support.restores import operate_here
from tests.support.world import World

PROGRAM = Path(sys.executable).with_name("lumio-server")


def variables(settings: Settings) -> dict[str, str]:
    """Name the world's database."""
    return {"LUMIO_DATA_DIR": str(settings.data_dir), "LUMIO_DATABASE_URL": settings.database_url}


async def run(settings: Settings, *words: str) -> subprocess.CompletedProcess[bytes]:
    """Run the command on the world's database; the world goes on meanwhile."""
    return await asyncio.to_thread(
        subprocess.run,
        [str(PROGRAM), "audit", "export", *words],
        env={"PATH": os.defpath, "COLUMNS": "200", **variables(settings)},
        capture_output=True,
        check=False,
        timeout=90,
    )


async def run_here(settings: Settings, *words: str) -> Result:
    """Run it in this process, which spares its start; it ends by itself, not by an exception that nobody met."""
    done = await asyncio.to_thread(operate_here, variables(settings), "audit", "export", *words)
    assert isinstance(done.exception, SystemExit)
    return done


async def test_the_file_proves_itself_and_its_making_stands_in_the_log(world: World, tmp_path: Path) -> None:
    robin = await lively(world)
    key, account = await public_key(robin), await world.account_id(robin)
    path, settings = tmp_path / "out.csv", world.house.settings
    done = await run(settings, "--account", account, "--format", "csv", "--output", str(path))
    assert (done.returncode, done.stdout) == (0, b""), done.stderr
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert (by_house(path, key), by_script(path, key)) == (0, 0)
    (told,) = await world.log(robin, event="audit_log.exported")
    assert (told["actor"], told["actor_type"]) == ("lumio", "system")

    piped = await run(settings)
    path.write_bytes(piped.stdout)
    assert (piped.returncode, by_house(path, key)) == (0, 0)
    assert b'"account":"all"' in piped.stdout.splitlines()[-1]


async def test_what_cannot_be_taken_out_is_told_and_nothing_is_written(world: World, tmp_path: Path) -> None:
    settings = world.house.settings
    wrong = await run_here(settings, "--since", "yesterday")
    assert (wrong.exit_code, wrong.stdout_bytes) == (2, b"")
    assert b"error: since: Must be a time" in wrong.stderr_bytes
    nowhere = await run(settings, "--output", str(tmp_path / "no" / "such" / "folder"))
    assert nowhere.returncode == 1
    assert b"Traceback" not in nowhere.stderr
    settings.root_secret_file.rename(tmp_path / "away")
    unsigned = await run_here(settings)
    (tmp_path / "away").rename(settings.root_secret_file)
    assert (unsigned.exit_code, unsigned.stdout_bytes) == (1, b"")
