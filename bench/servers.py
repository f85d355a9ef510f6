"""The two servers that are compared: started on free ports of loopback, stopped when the block ends."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import MappingProxyType

import httpx2

START_SECONDS = 60
STOP_SECONDS = 15
PASSWORD = "amber-heron-reads-7-maps"  # noqa: S105 - of an installation that lives for seconds
NOTHING: Mapping[str, str] = MappingProxyType({})
LINK = re.compile(rb"/setup/(lm_set_\S+)")


def free_port() -> int:
    """Return a port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(command: Sequence[str], port: int, printed: Path, variables: dict[str, str]) -> Iterator[None]:
    """Run a server until the block ends; what it prints goes into a file."""
    with printed.open("wb") as out:
        process = subprocess.Popen(
            command, env=variables, stdout=out, stderr=subprocess.STDOUT, start_new_session=True
        )
    try:
        _wait(process, port, printed)
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(STOP_SECONDS)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(STOP_SECONDS)


def _wait(process: "subprocess.Popen[bytes]", port: int, printed: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    message = f"the server did not start; it said:\n{printed.read_text()}"
    raise RuntimeError(message)


@contextmanager
def bare(folder: Path) -> Iterator[int]:
    """Serve the yardstick; give its port."""
    port = free_port()
    command = [sys.executable, "-m", "granian", "--interface", "asgi", "--factory", "--workers", "1", "--no-ws"]
    where = ["--host", "127.0.0.1", "--port", str(port), "--log-level", "critical", "bench.bare:application"]
    with running([*command, *where], port, folder / "bare.log", environment(folder, {})):
        yield port


def environment(folder: Path, more: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of an installation in `folder`, with nothing of the caller's own."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("LUMIO_")}
    return own | {"LUMIO_DATA_DIR": str(folder), "LUMIO_RATE_API_KEY": "1000000000", **more}


@contextmanager
def again(folder: Path, more: Mapping[str, str]) -> Iterator[int]:
    """Serve the installation in `folder`; give its port."""
    port = free_port()
    program = str(Path(sys.executable).with_name("lumio-server"))
    with running([program, "serve", "--port", str(port)], port, folder / "ours.log", environment(folder, more)):
        yield port


@contextmanager
def ours(folder: Path, more: Mapping[str, str] = NOTHING) -> Iterator[tuple[int, str]]:
    """Serve a fresh installation, on SQLite unless told otherwise; give its port and a developer key of it."""
    with again(folder, more) as port:
        printed = folder / "ours.log"
        found = LINK.search(printed.read_bytes())
        assert found is not None, printed.read_text()
        yield port, _key(f"http://127.0.0.1:{port}", found.group(1).decode())


def client(port: int, key: str) -> httpx2.Client:
    """Return a client that presents a key."""
    headers = {"Authorization": f"Bearer {key}"}
    return httpx2.Client(base_url=f"http://127.0.0.1:{port}", headers=headers, trust_env=False, timeout=120)


def _key(address: str, code: str) -> str:
    """Set the installation up and mint a key, as people do."""
    person = {"email": "bench@example.com", "password": PASSWORD}
    names = {"display_name": "Bench", "account_name": "Bench"}
    with httpx2.Client(base_url=address, trust_env=False, timeout=30) as client:
        client.post("/v1/setup", json={"code": code, **person, **names}).raise_for_status()
        pair = client.post("/v1/auth/login", json=person).raise_for_status().json()["data"]
        client.headers["Authorization"] = f"Bearer {pair['access_token']}"
        made = client.post("/v1/api-keys", json={"label": "bench"}).raise_for_status()
        return str(made.json()["data"]["key"])
