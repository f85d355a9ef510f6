"""A real `lumio-server serve`, as a process of its own on a free port of loopback.

Promise: the block gets a server that is ready, and nothing of it runs after the block, whatever happened.
"""

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx2
import psutil

PROGRAM = Path(sys.executable).with_name("lumio-server")
START_SECONDS = 60
STOP_SECONDS = 15
_SET_UP = re.compile(r"^(http\S+/setup/(lm_set_\S+))$", re.MULTILINE)


def free_port() -> int:
    """Return a port of loopback that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def living(group: int) -> list[int]:
    """Return the processes of a group that still run; what was killed and only waits for its reaper does not."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.NoSuchProcess, ProcessLookupError):
            if os.getpgid(process.pid) == group and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process.pid)
    return found


@dataclass(slots=True)
class LiveServer:
    """One installation: a data folder, a port, and the process that serves it while there is one.

    `settings` are environment variables, `LUMIO_DATA_DIR` among them; nothing of the caller's environment that
    starts with LUMIO_ reaches the server.
    """

    settings: Mapping[str, str]
    port: int = field(default_factory=free_port)
    _process: subprocess.Popen[bytes] | None = None
    _printed: bytearray = field(default_factory=bytearray)
    _logged: bytearray = field(default_factory=bytearray)

    @property
    def base_url(self) -> str:
        """The public address, as the pages know it."""
        return f"http://localhost:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        """The variables that the server gets."""
        own = {name: value for name, value in os.environ.items() if not name.startswith("LUMIO_")}
        return own | dict(self.settings)

    @property
    def leader(self) -> int:
        """The id of the process group that the server and its workers form."""
        if self._process is None:
            message = "the server is not running"
            raise LookupError(message)
        return self._process.pid

    @property
    def stdout(self) -> str:
        """What the server printed since it was started last."""
        return self._printed.decode("utf-8", "replace")

    @property
    def stderr(self) -> str:
        """The log since the server was started last."""
        return self._logged.decode("utf-8", "replace")

    @property
    def set_up_link(self) -> str:
        """The one-time link of an installation that nobody operates yet."""
        found = _SET_UP.search(self.stdout)
        if found is None:
            message = "the server printed no set-up link"
            raise LookupError(message)
        return found[1]

    @property
    def set_up_code(self) -> str:
        """The code at the end of the link."""
        return self.set_up_link.rpartition("/")[2]

    def client(self, credential: str | None = None, timeout: float = 30) -> httpx2.Client:
        """Return a client that talks to the server over the network, without a proxy."""
        headers = {} if credential is None else {"Authorization": f"Bearer {credential}"}
        return httpx2.Client(base_url=self.base_url, headers=headers, timeout=timeout, trust_env=False)

    def start(self) -> None:
        """Start and wait until the server is ready.

        Raises:
            RuntimeError: it ended, or did not become ready in time; the error has its last words.
        """
        self._printed, self._logged = bytearray(), bytearray()
        self._process = subprocess.Popen(
            [str(PROGRAM), "serve", "--port", str(self.port)],
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,  # the server and its workers can be ended together
        )
        _drain(self._process.stdout, self._printed)
        _drain(self._process.stderr, self._logged)
        try:
            self._wait_until_ready()
        except BaseException:
            self.kill()
            raise

    def kill(self) -> None:
        """End the server and its workers at once, as a power cut would."""
        process, self._process = self._process, None
        if process is None:
            return
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(STOP_SECONDS)
        deadline = time.monotonic() + STOP_SECONDS
        while living(process.pid) and time.monotonic() < deadline:
            time.sleep(0.01)

    def stop(self) -> None:
        """Ask the server to stop and wait for it; what is left of it after that is killed."""
        process = self._process
        if process is not None and process.poll() is None:
            process.send_signal(signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                process.wait(STOP_SECONDS)
        self.kill()

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        with self.client(timeout=2) as client:
            while time.monotonic() < deadline:
                if self._process is None or self._process.poll() is not None:
                    break
                with suppress(httpx2.TransportError):
                    if client.get("/readyz").is_success:
                        return
                time.sleep(0.02)
        message = f"lumio-server is not ready; it said:\n{self.stdout}{self.stderr}"
        raise RuntimeError(message)


def _drain(pipe: object, into: bytearray) -> None:
    """Read a pipe to its end in the background, so that a full pipe never stops the server."""

    def read() -> None:
        with pipe as opened:  # type: ignore[attr-defined]
            while part := opened.read1(65536):
                into.extend(part)

    threading.Thread(target=read, daemon=True).start()


@contextmanager
def live_server(settings: Mapping[str, str]) -> Iterator[LiveServer]:
    """Serve with these settings until the block ends.

    Args:
        settings: environment variables; `LUMIO_DATA_DIR` names a folder of the test's own.
    """
    server = LiveServer(settings)
    try:
        server.start()
        yield server
    finally:
        server.stop()
