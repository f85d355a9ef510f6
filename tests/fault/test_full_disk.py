"""A disk that is full under a running server: nothing is answered that could not be recorded, and it heals by itself.

The server's own process meets a limit on the size of its files, so each write really fails in the file system.
"""

import resource
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import psutil
import pytest

from lumio.audit.reserve import BYTES, Reserve
from tests.support.serving import LiveServer, live_server, living

ME, KEYS = "/v1/users/me", "/v1/api-keys"


@contextmanager
def full_disk(server: LiveServer) -> Iterator[None]:
    """Let no process of the server write past the first page of any file, until the block ends."""
    processes = living(server.leader)
    before = [resource.prlimit(process, resource.RLIMIT_FSIZE) for process in processes]
    for process in processes:
        resource.prlimit(process, resource.RLIMIT_FSIZE, (1, before[0][1]))
    try:
        yield
    finally:
        for process, limits in zip(processes, before, strict=True):
            if psutil.pid_exists(process):
                resource.prlimit(process, resource.RLIMIT_FSIZE, limits)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[LiveServer]:
    with live_server({"LUMIO_DATA_DIR": str(tmp_path / "data")}) as running:
        yield running


def test_a_full_disk_answers_503_within_five_seconds_changes_nothing_and_heals_by_itself(server: LiveServer) -> None:
    with server.client() as anonymous:
        form = {"code": server.set_up_code, "email": "robin@example.com", "password": "violet-otter-sings-9-times",
                "display_name": "Robin Vale", "account_name": "Acme"}  # fmt: skip
        anonymous.post("/v1/setup", json=form).raise_for_status()
        proof = {name: form[name] for name in ("email", "password")}
        session = anonymous.post("/v1/auth/login", json=proof).raise_for_status().json()["data"]["access_token"]
        with server.client(session) as robin:
            robin.post(KEYS, json={"label": "before"}).raise_for_status()
            with full_disk(server):
                wrong = {"Authorization": "Bearer nonsense"}
                asking: list[Callable[[], httpx2.Response]] = [
                    lambda: robin.get(ME),
                    lambda: robin.post(KEYS, json={"label": "during"}),
                    lambda: anonymous.get(ME, headers=wrong),
                ]
                for ask in asking:
                    started = time.monotonic()
                    answer = ask()
                    assert answer.status_code == 503, answer.text
                    assert time.monotonic() - started < 5.5
                    assert "disk" not in answer.text
                assert anonymous.get("/healthz").status_code == 200
                assert anonymous.get("/login").status_code == 200
            healed = robin.get(ME)
            assert healed.status_code == 200, healed.text
            labels = [one["label"] for one in robin.get(KEYS).json()["data"]]
            assert labels == ["before"]
            robin.post(KEYS, json={"label": "after"}).raise_for_status()


def test_the_reserve_holds_64_mib_and_gives_them_back(tmp_path: Path) -> None:
    reserve = Reserve(tmp_path / "data" / "audit-reserve")
    assert reserve.keep()
    assert reserve.keep()
    held = (tmp_path / "data" / "audit-reserve").stat()
    assert held.st_blocks * 512 >= BYTES == 64 * 1024 * 1024
    assert held.st_mode & 0o077 == 0
    reserve.give_back()
    reserve.give_back()
    assert not list((tmp_path / "data").iterdir())
