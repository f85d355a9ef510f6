"""Runs `lumio` as its own process, with a home of its own, in a pipe or on a real pseudo-terminal."""

import fcntl
import json
import os
import pty
import select
import subprocess
import sys
import termios
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lumio.crypto import opaque
from tests.house.tree import ROOT

PATIENCE = 30.0  # seconds until a run is given up
_NO_KEYRING = "keyring.backends.fail.Keyring"


def new_key() -> str:
    """Make a well-formed developer key."""
    return opaque.mint(opaque.DEVELOPER_KEY).text


@dataclass(frozen=True)
class Ran:
    """How a run ended."""

    code: int
    stdout: str
    stderr: str

    @property
    def json(self) -> Any:
        """The result as JSON."""
        return json.loads(self.stdout)

    @property
    def error(self) -> Any:
        """The error as JSON."""
        return json.loads(self.stderr)["error"]

    @property
    def both(self) -> str:
        """Everything that was said."""
        return self.stdout + self.stderr


@dataclass
class Lumio:
    """The command line with its own home and working folder."""

    home: Path
    folder: Path
    variables: dict[str, str] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        """Only what a run needs: nothing of the machine's own environment gets in."""
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.home),
            "XDG_CONFIG_HOME": str(self.home / "config"),
            "XDG_STATE_HOME": str(self.home / "state"),
            "PYTHON_KEYRING_BACKEND": _NO_KEYRING,
            "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT)]),
            "PYTHONWARNINGS": "error",
            "TERM": "xterm-256color",
            "COLUMNS": "120",
            **self.variables,
        }

    @property
    def config(self) -> Path:
        """The folder with profiles and credentials."""
        return self.home / "config" / "lumio"

    def start(self, *arguments: str, **options: Any) -> subprocess.Popen[bytes]:
        """Start a run and return the process."""
        command = [sys.executable, "-m", "lumio.cli.front", *arguments]
        return subprocess.Popen(command, cwd=self.folder, env=self.environment, **options)

    def __call__(self, *arguments: str, stdin: str = "") -> Ran:
        """Run in a pipe."""
        pipe = subprocess.PIPE
        with self.start(*arguments, stdin=pipe, stdout=pipe, stderr=pipe) as process:
            out, err = process.communicate(stdin.encode(), timeout=PATIENCE)
        return Ran(process.returncode, out.decode(), err.decode())

    def on_terminal(self, *arguments: str, typed: str = "") -> Ran:
        """Run on a pseudo-terminal; stdout and stderr come back as one."""
        ours, theirs = pty.openpty()
        process = self.start(
            *arguments,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
            preexec_fn=_take_terminal,
        )
        os.close(theirs)
        said, left = bytearray(), typed.encode()
        while _readable(ours):
            try:
                said += os.read(ours, 4096)
            except OSError:  # the other side is closed: the run is over
                break
            if left and said.rstrip(b" ").endswith((b":", b"]", b"?")):
                line, _, left = left.partition(b"\n")
                os.write(ours, line + b"\n")
        process.wait(timeout=PATIENCE)
        os.close(ours)
        return Ran(process.returncode, said.decode(), "")


def _take_terminal() -> None:
    """Make stdin the controlling terminal, so that typing Ctrl-C sends SIGINT."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def _readable(descriptor: int) -> bool:
    return bool(select.select([descriptor], [], [], PATIENCE)[0])
