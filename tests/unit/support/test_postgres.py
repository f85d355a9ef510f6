"""The tests' own PostgreSQL: it serves, copies and goes away.

Promise: the rest of the suite may trust its database, and a killed run leaves nothing behind.
"""

import subprocess
import sys
import time
from pathlib import Path

import asyncpg
import psutil
import pytest

from tests.house.tree import ROOT
from tests.support.postgres import PostgresServer, postgres_server

__all__ = ["postgres_server"]

KILLED_RUN = """
import os, signal
from tests.support.postgres import PostgresServer
server = PostgresServer()
server.start()
print(server.url("postgres").partition("host=")[2], flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


async def _value(url: str, query: str) -> object:
    connection = await asyncpg.connect(url.replace("+asyncpg", ""))
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()


async def test_a_database_is_a_copy_of_its_template(postgres_server: PostgresServer) -> None:
    template = postgres_server.create("template_of_test")
    await _value(template, "CREATE TABLE marks AS SELECT 42 AS mark")
    copy = postgres_server.create("copy_of_test", template="template_of_test")
    assert await _value(copy, "SELECT mark FROM marks") == 42
    await _value(copy, "UPDATE marks SET mark = 1")
    assert await _value(template, "SELECT mark FROM marks") == 42
    postgres_server.drop("copy_of_test")
    postgres_server.drop("template_of_test")


async def test_a_renewed_database_has_the_rows_of_its_template_and_nothing_else(
    postgres_server: PostgresServer,
) -> None:
    template = postgres_server.create("template_to_renew")
    await _value(template, "CREATE TABLE marks AS SELECT 42 AS mark")
    url = postgres_server.renew("renewed", "template_to_renew")
    kept_open = await asyncpg.connect(url.replace("+asyncpg", ""))
    await _value(url, "INSERT INTO marks VALUES (43)")
    await _value(url, "CREATE TABLE beside AS SELECT 1 AS one")
    assert postgres_server.renew("renewed", "template_to_renew") == url
    assert await _value(url, "SELECT array_agg(mark) FROM marks") == [42]
    assert await _value(url, "SELECT to_regclass('beside') IS NULL")
    assert kept_open.is_closed() or await _refused(kept_open)
    await _value(url, "ALTER TABLE marks RENAME TO lost")
    postgres_server.renew("renewed", "template_to_renew")
    assert await _value(url, "SELECT array_agg(mark) FROM marks") == [42]
    postgres_server.drop("renewed")
    postgres_server.drop("template_to_renew")


async def _refused(connection: asyncpg.Connection) -> bool:
    with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError, OSError)):
        await connection.fetchval("SELECT 1")
    return True


async def test_a_dropped_database_is_gone_though_somebody_was_connected(
    postgres_server: PostgresServer,
) -> None:
    url = postgres_server.create("dropped_by_test")
    connection = await asyncpg.connect(url.replace("+asyncpg", ""))
    postgres_server.drop("dropped_by_test")
    with pytest.raises(asyncpg.InvalidCatalogNameError):
        await _value(url, "SELECT 1")
    connection.terminate()
    postgres_server.drop("dropped_by_test")


@pytest.mark.parametrize("name", ["", "Upper", 'a"; DROP DATABASE postgres; --', "a" * 64])
def test_a_name_that_is_not_plain_is_refused(postgres_server: PostgresServer, name: str) -> None:
    with pytest.raises(ValueError, match="plain"):
        postgres_server.create(name)


def test_a_template_that_is_not_there_is_an_error_in_words(postgres_server: PostgresServer) -> None:
    with pytest.raises(RuntimeError, match="does not exist"):
        postgres_server.create("orphan_of_test", template="never_made")


def test_stopping_removes_the_folder_and_the_processes() -> None:
    with PostgresServer() as server:
        folder = _folder(server)
        assert _processes(folder)
    assert not folder.exists()
    assert not _processes(folder)


def test_a_killed_run_leaves_nothing_behind() -> None:
    run = subprocess.run(
        [sys.executable, "-c", KILLED_RUN], cwd=ROOT, capture_output=True, text=True, check=False, timeout=60
    )
    folder = Path(run.stdout.strip())
    assert folder.name.startswith("lumio-pg-"), run.stderr
    deadline = time.monotonic() + 30
    while folder.exists() or _processes(folder):
        assert time.monotonic() < deadline, "the server outlived the run that started it"
        time.sleep(0.1)


def _folder(server: PostgresServer) -> Path:
    return Path(server.url("postgres").partition("host=")[2])


def _processes(folder: Path) -> list[int]:
    running = psutil.process_iter(attrs=("pid", "cmdline"))
    return [one.info["pid"] for one in running if str(folder) in (one.info["cmdline"] or [])]
