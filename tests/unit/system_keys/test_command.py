"""`lumio-server system-keys create`: a key from the machine itself, printed once."""

import asyncio
import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from lumio.crypto import opaque
from lumio.storage.migrate import upgrade
from tests.support.restores import operate_here

PROGRAM = Path(sys.executable).with_name("lumio-server")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A data folder with a database of the newest schema."""
    asyncio.run(upgrade(f"sqlite+aiosqlite:///{tmp_path / 'lumio.db'}"))
    return tmp_path


def run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(PROGRAM), "system-keys", *words],
        env={"LUMIO_DATA_DIR": str(folder), "PATH": "/usr/bin:/bin", "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
        timeout=90,
    )


def select(folder: Path, query: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(folder / "lumio.db")) as connection:
        return connection.execute(query).fetchall()


def test_the_key_stands_alone_on_stdout_and_its_making_in_the_log(folder: Path) -> None:
    done = run(folder, "create", "--label", "kick-bot-prod", "--profile", "deployer")
    assert done.returncode == 0, done.stderr
    key = done.stdout.removesuffix("\n")
    assert opaque.is_well_formed(key, opaque.SYSTEM_KEY)
    assert key not in done.stderr
    ((label, permissions, lookup_id),) = select(folder, "SELECT label, permissions, lookup_id FROM system_keys")
    assert (label, json.loads(str(permissions)), lookup_id) == (
        "kick-bot-prod", ["extensions:deploy", "extensions:read"], key[7:19],
    )  # fmt: skip
    ((event, actor, detail),) = select(folder, "SELECT event, actor_type, detail FROM audit_event")
    assert (event, actor) == ("api_key.created", "system")
    assert json.loads(str(detail))["label"] == "kick-bot-prod"


def test_json_has_the_fields_of_the_interface_and_a_label_in_use_is_a_warning(folder: Path) -> None:
    assert operate_here({"LUMIO_DATA_DIR": str(folder)}, "system-keys", "create", "--label", "bot").exit_code == 0
    done = run(folder, "create", "--label", "bot", "--json")
    assert done.returncode == 0, done.stderr
    made = json.loads(done.stdout)
    assert list(made) == ["id", "label", "permissions", "key", "created_at", "warnings"]
    assert made["permissions"] == ["auth:introspect", "extensions:read", "members:read", "system-connections:use"]
    assert len(made["warnings"]) == 1
    assert made["created_at"].endswith("Z")


def test_bad_input_makes_nothing_and_says_why(folder: Path) -> None:
    unknown = run(folder, "create", "--label", "bot", "--profile", "root")
    assert unknown.returncode == 1
    assert unknown.stderr.startswith("error: --profile: There is no such profile; there are: service")
    secret = opaque.mint(opaque.SYSTEM_KEY).text
    held = run(folder, "create", "--label", secret)
    assert held.returncode == 1
    assert secret not in held.stdout + held.stderr
    assert operate_here({"LUMIO_DATA_DIR": str(folder)}, "system-keys", "create").exit_code == 2
    assert select(folder, "SELECT id FROM system_keys") == []
    for done in (unknown, held):
        assert "Traceback" not in done.stderr


def test_a_database_without_its_tables_is_told_in_a_sentence(tmp_path: Path) -> None:
    done = run(tmp_path, "create", "--label", "bot")
    assert done.returncode == 1
    assert "lumio-server migrate" in done.stderr
    assert "Traceback" not in done.stderr
