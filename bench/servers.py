"""Servers that are measured: started on free ports of loopback, stopped when the block ends."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType

import httpx2

START_SECONDS = 60
STOP_SECONDS = 15
LAST_LINES = 4
PASSWORD = "amber-heron-reads-7-maps"  # noqa: S105 - of an installation that lives for seconds
EMAIL = "bench@example.com"
NOTHING: Mapping[str, str] = MappingProxyType({})
LINK = re.compile(rb"/setup/(lm_set_\S+)")
LIFTED = "1000000000"
RATES = ("API_KEY", "SESSION", "OAUTH", "POPOUT_TOKEN", "ANONYMOUS")


@dataclass(frozen=True, slots=True)
class Served:
    """A running server: its port, and the process from which its others descend."""

    port: int
    root: int


def free_port() -> int:
    """Return a port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(
    command: Sequence[str], port: int, printed: Path, variables: Mapping[str, str], folder: Path | None = None
) -> Iterator[Served]:
    """Run a server, in `folder` where one is named, until the block ends; what it prints goes into a file.

    Raises:
        RuntimeError: it did not start; the error has what it printed.
    """
    with printed.open("wb") as out:
        process = subprocess.Popen(
            [*_bound(), *command],
            env=dict(variables),
            cwd=folder,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        _wait(process, port, printed)
        yield Served(port, process.pid)
    finally:
        process.send_signal(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(STOP_SECONDS)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(STOP_SECONDS)


@cache
def _bound() -> Sequence[str]:
    """Return the words before a command that make it end with the bench, however that ends (prctl(2))."""
    setpriv = shutil.which("setpriv")
    return () if setpriv is None else (setpriv, "--pdeathsig", "TERM", "--")


def _wait(process: "subprocess.Popen[bytes]", port: int, printed: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.02)
    last = " ".join(printed.read_text(errors="replace").split("\n")[-LAST_LINES:]).strip()
    raise RuntimeError(f"the server did not start; its last words: {last or 'none'}")


def environment(folder: Path, more: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of an installation in `folder`, rate limits lifted, with nothing of the caller's own."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("LUMIO_")}
    lifted = {f"LUMIO_RATE_{name}": LIFTED for name in RATES}
    return own | lifted | {"LUMIO_DATA_DIR": str(folder), **more}


def program(name: str) -> str:
    """Return the path of a command of the product."""
    return str(Path(sys.executable).with_name(name))


@cache
def takes_workers() -> bool:
    """Tell whether this build can serve with more than one worker."""
    said = subprocess.run([program("lumio-server"), "serve", "--help"], capture_output=True, text=True, check=True)
    return "--workers" in said.stdout


@contextmanager
def serving(folder: Path, more: Mapping[str, str], workers: int = 1) -> Iterator[Served]:
    """Serve the installation in `folder`."""
    port = free_port()
    asked = ["--workers", str(workers)] if takes_workers() else []
    assert asked or workers == 1, "this build serves with one worker only"
    command = [program("lumio-server"), "serve", "--port", str(port), *asked]
    with running(command, port, folder / "ours.log", environment(folder, more)) as served:
        wait_until_ready(served.port)
        yield served


def wait_until_ready(port: int) -> None:
    """Wait until /readyz says so. Raises TimeoutError."""
    deadline = time.monotonic() + START_SECONDS
    with httpx2.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=START_SECONDS) as asker:
        while time.monotonic() < deadline:
            with suppress(httpx2.TransportError):
                if asker.get("/readyz").is_success:
                    return
            time.sleep(0.01)
    raise TimeoutError("the server is not ready")


@contextmanager
def again(folder: Path, more: Mapping[str, str]) -> Iterator[int]:
    """Serve the installation in `folder`; give its port."""
    with serving(folder, more) as served:
        yield served.port


@contextmanager
def ours(folder: Path, more: Mapping[str, str] = NOTHING) -> Iterator[tuple[int, str]]:
    """Serve a fresh installation, on SQLite unless told otherwise; give its port and a developer key of it."""
    with serving(folder, more) as served:
        with client(served.port, set_up(served.port, folder)) as person:
            made = person.post("/v1/api-keys", json={"label": "bench"}).raise_for_status()
        yield served.port, str(made.json()["data"]["key"])


def client(port: int, credential: str) -> httpx2.Client:
    """Return a client that presents a credential."""
    headers = {"Authorization": f"Bearer {credential}"} if credential else {}
    return httpx2.Client(base_url=f"http://127.0.0.1:{port}", headers=headers, trust_env=False, timeout=120)


def set_up(port: int, folder: Path) -> str:
    """Set a fresh installation up as people do, by the link that it printed; return an access token."""
    printed = (folder / "ours.log").read_bytes()
    found = LINK.search(printed)
    assert found is not None, printed.decode()
    names = {"display_name": "Bench", "account_name": "Bench", "email": EMAIL, "password": PASSWORD}
    with client(port, "") as stranger:
        stranger.post("/v1/setup", json={"code": found.group(1).decode(), **names}).raise_for_status()
    return sign_in(port)


def sign_in(port: int) -> str:
    """Return an access token of the person who set the installation up."""
    with client(port, "") as stranger:
        pair = stranger.post("/v1/auth/login", json={"email": EMAIL, "password": PASSWORD}).raise_for_status()
    return str(pair.json()["data"]["access_token"])
