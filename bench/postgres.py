"""A durable PostgreSQL for the bench, on the wheel that the tests use.

Promise: no figure comes from a server that does not wait for its disk: it is asked, and the bench ends if not.
"""

import subprocess
import sys
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

from tests.support.postgres import programs

KEEPER = Path(__file__).with_name("postgres_keeper.py")
SECONDS = 60
DURABLE = ("fsync", "synchronous_commit", "full_page_writes")


class DurablePostgres:
    """One server; a context manager. `first` is the id of its first process."""

    def __init__(self) -> None:
        self.first = 0
        self._socket = ""
        self._keeper: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        """Start the server; make sure that it is durable.

        Raises:
            RuntimeError: it did not start; its own words stand above in the output.
        """
        folder = tempfile.mkdtemp(prefix="lumio-bench-pg-")
        command = [sys.executable, "-W", "ignore", str(KEEPER), folder]
        self._keeper = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
        )
        assert self._keeper.stdout is not None
        self._socket, _, first = self._keeper.stdout.readline().strip().partition("\t")
        if not first:
            self.__exit__(None, None, None)
            raise RuntimeError("PostgreSQL did not start")
        self.first = int(first)
        settings = {name: self.ask(f"SHOW {name}") for name in DURABLE}
        assert set(settings.values()) == {"on"}, f"not durable: {settings}"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop the server and remove its folder."""
        keeper, self._keeper = self._keeper, None
        if keeper is not None:
            keeper.communicate(timeout=SECONDS)

    def create(self, name: str) -> str:
        """Make an empty database; return its URL for SQLAlchemy."""
        self.ask(f'CREATE DATABASE "{name}" TEMPLATE template0')
        return f"postgresql+asyncpg://postgres@/{name}?host={quote(self._socket)}"

    def ask(self, statement: str, database: str = "postgres") -> str:
        """Run one statement; return what it says, unaligned.

        Raises:
            RuntimeError: PostgreSQL refused; the error has its words.
        """
        command = [str(programs() / "psql"), "-XqAt", "-v", "ON_ERROR_STOP=1", "-h", self._socket, "-U", "postgres"]
        answer = subprocess.run(
            [*command, "-d", database], input=statement, capture_output=True, text=True, check=False, timeout=600
        )
        if answer.returncode:
            raise RuntimeError(answer.stderr.strip())
        return answer.stdout.strip()
