"""What the command line says of itself: `help.txt` is what the front door prints in place of the commands."""

import io
from collections.abc import Iterator
from contextlib import redirect_stdout
from typing import Any

import pytest
from typer.main import get_command

from lumio.cli import front, main
from tests.golden.conftest import FOLDER, Golden

KEPT = "../../src/lumio/cli/help.txt"


def _commands(group: Any, words: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    yield words
    for name, inner in getattr(group, "commands", {}).items():
        yield from _commands(inner, (*words, name))


def _says(words: tuple[str, ...]) -> str:
    with redirect_stdout(io.StringIO()) as said:
        assert main.run([*words, "--help"]) == 0
    return said.getvalue()


@pytest.fixture
def helps(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    monkeypatch.setenv("COLUMNS", str(front.FULL_WIDTH))
    return {" ".join(words): _says(words) for words in _commands(get_command(main.app))}


def test_the_help_that_is_kept_is_what_every_command_says(helps: dict[str, str], golden: Golden) -> None:
    assert len(helps) > 20
    golden(KEPT, front.written(helps))
    assert front.kept_help() == helps
    assert (FOLDER / KEPT).samefile(front.__file__.replace("front.py", "help.txt"))


def test_a_wider_terminal_changes_nothing(helps: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "300")
    assert all(_says(tuple(words.split())) == said for words, said in helps.items())
