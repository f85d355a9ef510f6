"""Yesterday's backup brings nothing back to life that was revoked since (I9, product I5, threat 51)."""

import asyncio
import json
import os
import stat
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import httpx2
import pytest

from lumio.settings import Settings
from tests.support import popouts, system_keys
from tests.support.restores import Backup, operate, operate_here, variables_of
from tests.support.serving import LiveServer
from tests.support.teams import ANNA, make_team
from tests.support.world import OPERATOR, PASSWORD, opened

ME = "/v1/users/me"
SQLITE = pytest.mark.parametrize("template", ["sqlite"], indirect=True)
POSTGRES = pytest.mark.parametrize("template", ["postgresql"], indirect=True)


def session(server: LiveServer) -> httpx2.Client:
    """Return a client that has just signed in as the Owner."""
    with server.client() as client:
        answer = client.post("/v1/auth/login", json={"email": OPERATOR, "password": PASSWORD})
    return server.client(answer.json()["data"]["access_token"])


def status(server: LiveServer, credential: str) -> int:
    with server.client(credential) as client:
        return client.get(ME).status_code


@SQLITE
async def test_a_server_on_yesterdays_file_refuses_what_was_revoked_since_and_says_why(
    settings: Settings, tmp_path: Path
) -> None:
    async with opened(settings) as world:
        team = await make_team(world)
        key, other = [await world.mint_key(team.robin, label) for label in ("ci-laptop", "ci-other")]
        annas = (await world.mint_key(team.anna))["key"]
        bot = await system_keys.mint(team.robin)
    server, copy = LiveServer(variables_of(settings)), tmp_path / "yesterday.db"
    try:
        await asyncio.to_thread(server.start)
        taken = await asyncio.to_thread(operate_here, server.settings, "backup", str(copy), "--json")
        assert (taken.exit_code, json.loads(taken.stdout)["bundles"]) == (0, []), taken.output
        assert stat.S_IMODE(copy.stat().st_mode) == 0o600
        with session(server) as robin:
            assert robin.delete(f"/v1/api-keys/{key['id']}").json()["data"]["effective"]
            assert robin.delete(f"{system_keys.KEYS}/{bot['id']}").status_code == 200
            assert robin.patch(team.member(ANNA), json={"role": "member"}).status_code == 200
        in_use = await asyncio.to_thread(operate_here, server.settings, "restore", str(copy), "--yes")
        assert (in_use.exit_code, "stop it first" in in_use.output) == (1, True), in_use.output
        server.kill()
        by_hand(copy, settings)
        await asyncio.to_thread(server.start)
        refused = [status(server, one) for one in (key["key"], bot["key"], annas, other["key"])]
        assert refused == [401, 401, 401, 200]
        assert "older than its journal of revocations" in server.stderr
        with session(server) as robin:
            log = robin.get("/v1/audit-log", params={"event": "api_key.revoked"}).json()["data"]
            assert [(one["target"]["id"], one["detail"]["reason"]) for one in log] == [(key["id"], "replayed")]
            assert robin.post(f"{team.member(ANNA)}/confirm").json()["data"]["role"] == "admin"
        assert status(server, annas) == 200
    finally:
        await asyncio.to_thread(server.stop)
    again = await asyncio.to_thread(operate, server.settings, "restore", str(copy), "--yes", "--json")
    done = json.loads(again.stdout)
    # The lost rows of both lives: two keys, the role, and what was done again and confirmed in the second.
    assert (again.returncode, done["epoch"], done["again"]) == (0, 3, {"key": 2, "role": 1}), again.stderr
    assert all(map(os.path.exists, done["kept"]))
    assert len(done["kept"]) == 2
    await asyncio.to_thread(_confirm_everything, server.settings)


def _confirm_everything(variables: Mapping[str, str]) -> None:
    found = json.loads(operate_here(variables, "revocations", "list", "--json").stdout)
    assert [member["name"] for one in found for member in one["members"]] == [ANNA]
    looked = operate_here(variables, "doctor").stdout
    assert "withheld since a restore" in looked
    assert "Database and journal of revocations are on one" in looked
    confirmed = operate_here(variables, "revocations", "confirm", "--all", "--yes")
    assert confirmed.exit_code == 0, confirmed.output
    assert "Nothing is withheld." in operate_here(variables, "revocations", "list").stdout


def by_hand(copy: Path, settings: Settings) -> None:
    """Put a copy back without asking anybody."""
    database = settings.data_dir / "lumio.db"
    for beside in ("-wal", "-shm"):
        database.with_name(database.name + beside).unlink(missing_ok=True)
    database.write_bytes(copy.read_bytes())


@POSTGRES
async def test_a_running_node_notices_a_restore_under_it_and_a_node_that_starts_serves_nothing_of_it(
    settings: Settings, tmp_path: Path
) -> None:
    async with opened(settings) as world:
        team = await make_team(world)
        made = await world.mint_key(team.robin)
        key, annas = world.bearer(made["key"]), world.bearer((await world.mint_key(team.anna))["key"])
        popout = await popouts.mint(team.robin)
        backup = await asyncio.to_thread(Backup, settings, tmp_path / "yesterday.sql")
        await team.robin.delete(f"/v1/api-keys/{made['id']}")
        await team.robin.patch(f"/v1/tokens/{popout['id']}", json={"permissions": ["members:read"]})
        await team.robin.patch(team.member(ANNA), json={"role": "member"})
        assert (await statuses(key, annas)) == [401, 200]
        await asyncio.to_thread(backup.put_back)
        async with asyncio.timeout(6):  # 200 for half a second at most, 503 until it is known, 401 from then on
            while await statuses(key, annas) != [401, 401]:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        assert (await popouts.carrying(world, popout["token"]).get("/v1/tokens/me")).status_code == 401
        robin = await world.sign_in()
        assert (await robin.post(f"{team.member(ANNA)}/confirm")).json()["data"]["role"] == "admin"
        assert await statuses(key, annas) == [401, 200]
    await asyncio.to_thread(backup.put_back)
    async with opened(settings) as world:
        assert await statuses(world.bearer(made["key"])) == [401]
        assert await statuses(world.bearer(annas.headers["Authorization"].split()[1])) == [401]


async def statuses(*clients: httpx2.AsyncClient) -> list[int]:
    return [(await client.get(ME)).status_code for client in clients]


@SQLITE
def test_a_start_without_a_journal_that_can_be_written_is_refused(settings: Settings) -> None:
    elsewhere = settings.data_dir / "file"
    elsewhere.write_text("a file where a folder belongs")
    said = operate(variables_of(settings) | {"LUMIO_JOURNAL_DIR": str(elsewhere)}, "serve", "--port", "1")
    assert (said.returncode, "LUMIO_JOURNAL_DIR" in said.stderr) == (1, True), said.stderr


@SQLITE
@pytest.mark.parametrize("spoil", ["text", "cut", "foreign", "beside"])
def test_what_is_no_whole_copy_is_not_put_back(settings: Settings, tmp_path: Path, spoil: str) -> None:
    copy = tmp_path / "copy.db"
    Backup(settings, copy)
    spoiled(copy, spoil)
    before = (settings.data_dir / "lumio.db").read_bytes()
    done = operate_here(variables_of(settings), "restore", str(copy), "--yes")
    assert (done.exit_code, "error: " in done.output) == (1, True), done.output
    assert (settings.data_dir / "lumio.db").read_bytes() == before


def spoiled(copy: Path, how: str) -> None:
    content = copy.read_bytes()
    changes: dict[str, Callable[[], Any]] = {
        "text": lambda: copy.write_text("no database at all"),
        "cut": lambda: copy.write_bytes(content[: len(content) // 2]),
        "foreign": lambda: copy.write_bytes(b""),
        "beside": lambda: copy.with_name("copy.db-wal").write_bytes(b"half of it"),
    }
    changes[how]()
