"""Two roles on PostgreSQL: the one that serves can add to the audit log, and can never change it (threat 39)."""

import asyncio
import subprocess
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import httpx2
import pytest
import pytest_asyncio
from sqlalchemy import delete, table, text
from sqlalchemy.engine import make_url
from typer.testing import CliRunner

from lumio.audit.sealer import DAY
from lumio.kernel import clock
from lumio.kernel.errors import Unavailable
from lumio.server.main import app
from lumio.settings import Settings
from tests.house.tree import ROOT
from tests.support.postgres import programs
from tests.support.world import World, opened

pytestmark = pytest.mark.parametrize("template", ["postgresql"], indirect=True)
ROLES = ROOT / "deploy" / "postgres" / "roles.sql"
SERVING = "lumio_serving"


@pytest.fixture
def apart(settings: Settings) -> Settings:
    """Settings whose serving role is another than the owner of the schema."""
    url = make_url(settings.database_url)
    name, place = str(url.database), str(url.query["host"])
    psql = [str(programs() / "psql"), "-Xq", "-h", place, "-U", "postgres", "-d", name, "-v", "ON_ERROR_STOP=1"]
    make = f"DO $$ BEGIN CREATE ROLE {SERVING} LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$;"
    subprocess.run([*psql, "-c", make], check=True, capture_output=True, timeout=60)
    subprocess.run([*psql, "-v", f"serving={SERVING}", "-f", str(ROLES)], check=True, capture_output=True, timeout=60)
    return replace(settings, database_url=settings.database_url.replace("postgres@", f"{SERVING}@"))


@pytest_asyncio.fixture
async def serving(apart: Settings) -> AsyncIterator[World]:
    async with opened(apart) as world:
        yield world


async def test_the_serving_role_serves_and_seals(serving: World) -> None:
    robin = await serving.sign_in()
    made = await serving.mint_key(robin)
    assert (await serving.bearer(made["key"]).get("/v1/users/me")).status_code == 200
    assert (await serving.bearer("nonsense").get("/v1/users/me")).status_code == 401
    async with asyncio.timeout(10):  # the house seals by itself too: while it does, this sealer has nothing to do
        while "api_key.created" not in await sealed(serving, robin):
            await serving.house.sealer.run(everything=True)


async def sealed(world: World, reader: httpx2.AsyncClient) -> set[str]:
    return {one["event"] for one in await world.log(reader) if one["position"] is not None}


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_log SET result = 'failure'",
        "DELETE FROM audit_log",
        "DELETE FROM audit_seal",
        "UPDATE audit_seal SET leaf = ''",
        "TRUNCATE audit_log",
        "UPDATE audit_hot SET result = 'failure'",
        "UPDATE audit_checkpoint SET statement = ''",
        "INSERT INTO audit_hold VALUES ('a', 'b', 1)",
        "SELECT lumio_audit_drop(20000)",
        "DROP TABLE audit_log",
    ],
)
async def test_the_serving_role_cannot(serving: World, statement: str) -> None:
    await serving.house.sealer.run(everything=True)
    with pytest.raises(Unavailable, match=r"permission denied|must be owner"):
        await serving.house.units.run(lambda unit: unit.execute(text(statement)))


async def test_the_serving_role_cannot_reach_a_day_past_the_whole_log(serving: World) -> None:
    await serving.house.sealer.run(everything=True)
    day = clock.to_micros(clock.now()) // DAY
    with pytest.raises(Unavailable, match="permission denied"):
        await serving.house.units.run(lambda unit: unit.execute(delete(table(f"audit_log_{day}"))))


def test_the_doctor_tells_one_role_from_two(apart: Settings, settings: Settings, tmp_path: Path) -> None:
    for given, sign in ((settings, "warning  roles"), (apart, "ok       roles")):
        variables = {"LUMIO_DATA_DIR": str(given.data_dir), "LUMIO_DATABASE_URL": given.database_url}
        told = CliRunner().invoke(app, ["doctor"], env=variables)
        assert sign in told.stdout, told.stdout
        assert told.exit_code == 0
    broken = {"LUMIO_DATA_DIR": str(tmp_path), "LUMIO_DATABASE_URL": f"sqlite+aiosqlite:///{tmp_path}/new.db"}
    told = CliRunner().invoke(app, ["doctor"], env=broken)
    assert (told.exit_code, "lumio-server migrate" in told.stdout) == (1, True)
