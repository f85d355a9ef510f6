"""The front door: what it answers in place of the commands is what they would say, and costs next to nothing."""

import resource
import subprocess
import sys
from collections.abc import Sequence

import pytest

from lumio.cli import front, main
from tests.support.terminal import Lumio

ANSWERED = [
    (),
    ("--help",),
    ("-h",),
    ("keys", "--help"),
    ("keys", "revoke", "-h"),
    ("--version",),
    ("deplyo",),
    ("quux",),
    ("keys", "rvoke"),
    ("team", "quux"),
]
LEFT = [
    ("keys",),
    ("whoami", "--offline"),
    ("deploy", "--help", "--json"),
    ("--json", "deplyo"),
    ("deplyo", "--json"),
    ("keyz", "list"),
    ("completion", "bash"),
    ("--version", "keys"),
    ("nö",),
    ("lm_dev_" + "0" * 57,),
]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """What reached the commands behind the front door."""
    reached: list[object] = []

    def run(arguments: Sequence[str]) -> int:
        reached.append(list(arguments))
        return 0

    monkeypatch.setattr(main, "run", run)
    return reached


@pytest.mark.parametrize("arguments", ANSWERED, ids=" ".join)
def test_the_front_door_says_to_the_letter_what_the_commands_say(
    arguments: tuple[str, ...], capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    code, said = main.run(arguments), capfd.readouterr()
    monkeypatch.delattr(main, "run")
    assert (front.run(arguments), capfd.readouterr()) == (code, said)


@pytest.mark.parametrize("arguments", LEFT, ids=" ".join)
def test_all_else_is_left_to_the_commands(asked: list[object], arguments: tuple[str, ...]) -> None:
    assert front.run(arguments) == 0
    assert asked == [list(arguments)]


@pytest.mark.parametrize(
    ("variable", "value"), [("COLUMNS", "79"), ("_LUMIO_COMPLETE", "complete_bash")], ids=["narrow", "completion"]
)
def test_a_narrow_terminal_and_a_shell_that_completes_are_answered_by_the_commands(
    asked: list[object], monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv(variable, value)
    assert front.run(["--help"]) == 0
    assert asked == [["--help"]]


def test_a_reader_that_goes_away_ends_the_help_without_a_word(lumio: Lumio) -> None:
    with lumio.start("--help", stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.close()
        _, said = process.communicate(timeout=30)
    assert (process.returncode, said) == (1, b"")


@pytest.mark.parametrize("arguments", [("--help",), ("--version",)], ids=" ".join)
def test_help_takes_at_most_five_times_the_processor_time_of_an_empty_program(
    lumio: Lumio, arguments: tuple[str, ...]
) -> None:
    def spent(command: list[str]) -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(command, env=lumio.environment, cwd=lumio.folder, check=True, capture_output=True, timeout=30)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    entry = "import re, sys; from lumio.cli.front import main; main()"
    rounds = [
        (spent([sys.executable, "-c", "pass"]), spent([sys.executable, "-c", entry, *arguments])) for _ in range(6)
    ]
    assert min(ours for _, ours in rounds) <= 5 * min(empty for empty, _ in rounds)
