"""kill -9 before and after each step that a deployment and a key creation take in the database.

Promise: there is no step at which a death leaves a change without its event, or an event without its change.
"""

import asyncio
import json
import subprocess
import sys
from typing import Any

import pytest

from lumio.settings import Settings
from tests.house.tree import ROOT
from tests.support.aftermath import inspect
from tests.support.world import PUBLIC, opened


async def _begin(settings: Settings) -> dict[str, Any]:
    async with opened(settings) as world:
        robin = await world.sign_in()
        minted = await world.mint_key(robin)
        made = await world.bearer(minted["key"]).post("/developer/v1/extensions", json={"name": "Target"})
        session = robin.headers["Authorization"].removeprefix("Bearer ")
        return {"session": session, "key": minted["key"], "extension_id": made.json()["id"]}


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_a_death_at_any_step_leaves_change_and_event_or_neither(settings: Settings) -> None:
    given = asyncio.run(_begin(settings))
    given["settings"] = {
        "LUMIO_DATA_DIR": str(settings.data_dir),
        "LUMIO_DATABASE_URL": settings.database_url,
        "LUMIO_PUBLIC_URL": PUBLIC,
    }
    ran = subprocess.run(
        [sys.executable, "-m", "tests.support.crash_points"],
        cwd=ROOT, input=json.dumps(given), capture_output=True, text=True, check=False, timeout=200,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    steps = json.loads(ran.stdout)
    assert steps["deploy"] > 12, "the deployment was not followed through the database"
    assert steps["mint"] > 6, "the key creation was not followed through the database"

    found = asyncio.run(inspect(settings))
    found.must_agree(f"steps {steps}")
    alive = 2  # the first of all, and the one with nothing left to die at
    assert len(found.rows["version"]) > alive, "no death came after the commit"
    assert len(found.rows["version"]) < steps["deploy"], "no death came before the commit"
