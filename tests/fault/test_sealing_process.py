"""The sealer beside the server: it seals within a second or so, comes back when it is killed, and ends with it."""

import os
import signal
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

import psutil

from tests.support.serving import live_server, living

PATIENCE_SECONDS = 20


def until(true: Callable[[], object]) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not true():
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.05)


def test_it_seals_comes_back_when_it_is_killed_and_ends_with_the_server(tmp_path: Path) -> None:
    data = tmp_path / "data"

    def count(table: str) -> int:
        with sqlite3.connect(data / "lumio.db") as database:
            found = database.execute(f"SELECT count(*) FROM {table}").fetchone()[0]  # noqa: S608
        database.close()
        return int(found)

    with live_server({"LUMIO_DATA_DIR": str(data)}) as server:
        leader = server.leader
        children = psutil.Process(leader).children()
        proof = {"email": "robin@example.com", "password": "violet-otter-sings-9-times"}
        names = {"display_name": "Robin Vale", "account_name": "Acme"}
        with server.client() as robin:
            robin.post("/v1/setup", json={"code": server.set_up_code, **proof, **names}).raise_for_status()
            until(lambda: count("audit_log") > 0 and count("audit_hot") == 0)
            before = count("audit_log")
            sealer = next(one for one in children if not one.children() and not one.net_connections())
            os.kill(sealer.pid, signal.SIGKILL)
            robin.post("/v1/auth/login", json=proof).raise_for_status()
            until(lambda: count("audit_log") > before and count("audit_hot") == 0)
    assert living(leader) == []
    assert count("audit_hot") == 0
