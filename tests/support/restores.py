"""Yesterday's backup, and putting it back as an operator does: a file's copy, or pg_dump and psql."""

import shutil
import subprocess
import sys
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from sqlite3 import connect

from sqlalchemy.engine import make_url
from typer.testing import CliRunner, Result

from lumio.server.main import app
from lumio.settings import Settings
from tests.support.postgres import programs

PROGRAM = Path(sys.executable).with_name("lumio-server")
SECONDS = 60


class Backup:
    """The state that a database had when this was made."""

    def __init__(self, settings: Settings, file: Path) -> None:
        self._url = make_url(settings.database_url)
        self._file = file
        if self._is_sqlite:
            with closing(connect(str(self._url.database))) as source, closing(connect(file)) as copy:
                source.backup(copy)
        else:
            self._run("pg_dump", "--file", str(file))

    def put_back(self) -> None:
        """Put it in the place of the database: on SQLite nobody has that open, on PostgreSQL servers may run."""
        if not self._is_sqlite:
            empty = ["-c", "DROP SCHEMA public CASCADE", "-c", "CREATE SCHEMA public"]
            self._run("psql", "-Xq1", "-v", "ON_ERROR_STOP=1", *empty, "-f", str(self._file))
            return
        database = Path(str(self._url.database))
        for beside in ("-wal", "-shm"):
            database.with_name(database.name + beside).unlink(missing_ok=True)
        shutil.copy(self._file, database)

    @property
    def _is_sqlite(self) -> bool:
        return self._url.get_backend_name() == "sqlite"

    def _run(self, program: str, *words: str) -> None:
        place = ["-h", str(self._url.query["host"]), "-U", "postgres", "-d", str(self._url.database)]
        command = [str(programs() / program), *words, *place]
        done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=SECONDS)
        assert done.returncode == 0, done.stderr


def operate(variables: Mapping[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    """Run `lumio-server` as a process of its own; return how it ended and what it said."""
    return subprocess.run(
        [str(PROGRAM), *words],
        env={"PATH": "/usr/bin:/bin", "COLUMNS": "200", **variables},
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS,
    )


def operate_here(variables: Mapping[str, str], *words: str) -> Result:
    """Run a verb of `lumio-server` in this process, which spares its start; never `serve`. On a thread of its own."""
    return CliRunner().invoke(app, list(words), env=dict(variables))


def variables_of(settings: Settings) -> dict[str, str]:
    """Return the variables of an installation."""
    return {
        "LUMIO_DATA_DIR": str(settings.data_dir),
        "LUMIO_DATABASE_URL": settings.database_url,
        "LUMIO_LEASE_SECONDS": "2",
    }
