"""The journal's writer for several workers on one SQLite file, as a process of its own beside them.

Promise: a batch is answered when it is on disk and never before, and whatever arrived from all workers while the
previous commit ran is the next commit. The socket outlives this process, since the parent keeps it: what workers
send while nobody writes waits for the next writer.
"""

import os
import selectors
import signal
import socket
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread

import structlog

from lumio.kernel import clock
from lumio.kernel.board import POST_SECONDS, Board, resident_bytes
from lumio.kernel.errors import Unavailable
from lumio.kernel.metrics import COMMITS, MEMORY, Metrics
from lumio.settings import Settings
from lumio.storage.packing import Packed, answer, take_from
from lumio.storage.shared_sink import short_path
from lumio.storage.sinks import SqliteFile
from lumio.storage.turns import BlockingTurns

log = structlog.get_logger()
TURN_SECONDS = 0.2
CHUNK = 256 * 1024
BACKLOG = 64
NAME = "journal.sock"


def listen(folder: Path) -> socket.socket:
    """Return the socket that workers find as `journal.sock` in the folder; nobody but this user may connect."""
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o177)
    try:
        with short_path(folder / NAME) as path:
            listening.bind(path)
    finally:
        os.umask(before)
    listening.listen(BACKLOG)
    listening.setblocking(False)
    return listening


@dataclass(slots=True)
class _Worker:
    """One worker's connection, and what of its next batch has arrived."""

    connection: socket.socket
    arrived: bytearray = field(default_factory=bytearray)


class Writer:
    """Serves the workers until it is told to end, or has nobody left to serve."""

    def __init__(self, listening: socket.socket, file: SqliteFile, turns: AbstractContextManager[None]) -> None:
        """Accept workers on `listening`, commit to `file` when it is its turn."""
        self._listening = listening
        self._file = file
        self._turns = turns
        self._ready = selectors.DefaultSelector()
        self._ready.register(listening, selectors.EVENT_READ)
        self.told = False
        self.metrics = Metrics()

    @property
    def alone(self) -> bool:
        """Whether no worker is connected."""
        return len(self._ready.get_map()) == 1

    def turn(self) -> None:
        """Wait a moment for batches and commit those that came, all together."""
        waiting: list[tuple[_Worker, Packed]] = []
        for key, _ in self._ready.select(TURN_SECONDS):
            if key.data is None:
                self._accept()
            elif (batch := self._receive(key.data)) is not None:
                waiting.append((key.data, batch))
        if not waiting:
            return
        said = answer(self._commit([batch for _, batch in waiting]))
        for worker, _ in waiting:
            self._tell(worker, said)

    def _accept(self) -> None:
        connection, _ = self._listening.accept()
        connection.setblocking(False)
        self._ready.register(connection, selectors.EVENT_READ, _Worker(connection))

    def _receive(self, worker: _Worker) -> Packed | None:
        try:
            while part := worker.connection.recv(CHUNK):
                worker.arrived += part
                if (batch := take_from(worker.arrived)) is not None:
                    return batch
        except BlockingIOError:
            return None
        except (OSError, ValueError) as error:
            log.warning("a worker's connection broke", error=str(error))
        self._forget(worker)
        return None

    def _commit(self, batches: list[Packed]) -> str:
        try:
            with self._turns:
                self._file.write(batches)
            self.metrics.count(COMMITS)
        except Unavailable as error:
            return error.internal
        return ""

    def _tell(self, worker: _Worker, said: bytes) -> None:
        try:
            worker.connection.sendall(said)
        except OSError:  # it died, or no longer waits
            self._forget(worker)

    def _forget(self, worker: _Worker) -> None:
        self._ready.unregister(worker.connection)
        worker.connection.close()


def write(settings: Settings, parent: int, listening: socket.socket, path: Path) -> None:
    """Write until SIGTERM; without a parent, until no worker is left."""
    file = SqliteFile(path)
    writer = Writer(listening, file, BlockingTurns(path))

    def tell(*_: object) -> None:
        writer.told = True

    signal.signal(signal.SIGTERM, tell)
    board = Board(settings.run_dir, "journal-writer")
    Thread(target=_post, args=(writer.metrics, board), daemon=True).start()  # beside: no commit waits for figures
    file.open()
    try:
        while not writer.told and (os.getppid() == parent or not writer.alone):
            writer.turn()
        writer.turn()  # the workers have ended: what they sent last is here
    finally:
        file.close()


def _post(metrics: Metrics, board: Board) -> None:
    """Put this process's figures on the board again and again."""
    before = board.mine()
    if before is not None:
        metrics.go_on_from(before)
    metrics.gauge(MEMORY, resident_bytes)
    while True:
        board.post(metrics.figures())
        clock.sleep(POST_SECONDS)
