"""The folder of a running server: empty at the start, a number for each living worker, nothing left at the end."""

import multiprocessing
import os
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import pytest

from lumio.server.run_folder import RunFolder, take_number

Begin = Callable[..., tuple[Any, BaseProcess]]


@pytest.fixture
def begin() -> Iterator[Begin]:
    """Start a function in a process that lives on; give what it said first. All end with the test."""
    context, begun = multiprocessing.get_context("fork"), list[BaseProcess]()

    def start(work: Callable[[Path, Connection], None], folder: Path) -> tuple[Any, BaseProcess]:
        ours, theirs = context.Pipe()
        process = context.Process(target=work, args=(folder, theirs))
        process.start()
        begun.append(process)
        with ours, theirs:
            return ours.recv(), process

    yield start
    for process in begun:
        end(process)


def end(process: BaseProcess) -> None:
    """Kill it and wait until it is gone."""
    process.kill()
    process.join()


def _serve(folder: Path, pipe: Connection) -> None:
    with RunFolder(folder) as made:
        (made.path / "left").write_text("something")
        pipe.send(made.path)
        multiprocessing.Event().wait()


def _work(folder: Path, pipe: Connection) -> None:
    pipe.send(take_number(folder))
    multiprocessing.Event().wait()


def test_what_a_killed_server_left_is_gone_and_a_living_one_keeps_its_own(tmp_path: Path, begin: Begin) -> None:
    left, other = begin(_serve, tmp_path)
    with RunFolder(tmp_path) as folder:
        assert (left / "left").exists()
        assert folder.path != left
        assert folder.path.stat().st_mode & 0o777 == 0o700
    end(other)
    with RunFolder(tmp_path):
        assert [path.name for path in (tmp_path / "run").iterdir()] == [str(os.getpid())]
    assert list((tmp_path / "run").iterdir()) == []


def test_living_workers_have_different_numbers_and_a_successor_gets_the_dead_one_s(
    tmp_path: Path, begin: Begin
) -> None:
    workers = [begin(_work, tmp_path) for _ in range(3)]
    assert [number for number, _ in workers] == [1, 2, 3]
    end(workers[1][1])
    assert begin(_work, tmp_path)[0] == 2
