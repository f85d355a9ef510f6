"""`lumio-server audit export`: at the machine itself."""

import asyncio
import os
import stat
import subprocess
import sys
from pathlib import Path

from lumio.settings import Settings
from tests.support.exports import by_house, by_script, lively, public_key
from tests.support.world import World

PROGRAM = Path(sys.executable).with_name("lumio-server")


async def run(settings: Settings, *words: str) -> subprocess.CompletedProcess[bytes]:
    """Run the command on the world's database; the world goes on meanwhile."""
    return await asyncio.to_thread(
        subprocess.run,
        [str(PROGRAM), "audit", "export", *words],
        env={
            "LUMIO_DATA_DIR": str(settings.data_dir), "LUMIO_DATABASE_URL": settings.database_url,
            "PATH": os.defpath, "COLUMNS": "200",
        },
        capture_output=True,
        check=False,
        timeout=90,
    )  # fmt: skip


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
    wrong = await run(settings, "--since", "yesterday")
    assert (wrong.returncode, wrong.stdout) == (2, b"")
    assert b"error: since: Must be a time" in wrong.stderr
    nowhere = await run(settings, "--output", str(tmp_path / "no" / "such" / "folder"))
    assert nowhere.returncode == 1
    assert b"Traceback" not in nowhere.stderr
    settings.root_secret_file.rename(tmp_path / "away")
    unsigned = await run(settings)
    (tmp_path / "away").rename(settings.root_secret_file)
    assert (unsigned.returncode, unsigned.stdout) == (1, b"")
