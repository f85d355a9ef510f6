"""Writing the project file."""

import json

import pytest

from lumio.cli.project import FIELDS, mistakes
from lumio.cli.rules import is_semver
from tests.support.terminal import Lumio


def _written(lumio: Lumio) -> object:
    return json.loads((lumio.folder / "lumio.config.json").read_text())


def test_flags_write_a_file_that_passes_the_checks_of_deploy(lumio: Lumio) -> None:
    done = lumio(
        "init", "--name", "Clock", "--description", "Tells the time", "--category", "Tools",
        "--target", "layer", "--target", "editor", "--visibility", "unlisted",
        "--extension-id", "ext_1", "--version", "0.3.0",
    )  # fmt: skip
    assert done.code == 0, done.stderr
    values = {
        "extensionId": "ext_1",
        "name": "Clock",
        "description": "Tells the time",
        "category": "Tools",
        "version": "0.3.0",
        "targets": ["layer", "editor"],
        "visibility": "unlisted",
    }
    assert _written(lumio) == values
    assert mistakes(values, ("name", "version")) == []


def test_a_terminal_is_asked_and_a_wrong_answer_is_asked_again(lumio: Lumio) -> None:
    done = lumio.on_terminal("init", typed="Clock\n\nTools\nlatest\n1.0.0\nlayer\n")
    assert done.code == 0, done.stdout
    assert "version must be a semantic version" in done.stdout
    assert _written(lumio) == {"name": "Clock", "category": "Tools", "version": "1.0.0", "targets": ["layer"]}


def test_without_a_terminal_the_name_must_be_a_flag(lumio: Lumio) -> None:
    assert lumio("init").code == 2
    assert not (lumio.folder / "lumio.config.json").exists()


def test_a_file_that_exists_is_kept_unless_forced(lumio: Lumio) -> None:
    path = lumio.folder / "lumio.config.json"
    path.write_text("mine")
    assert lumio("init", "--name", "Clock").code == 1
    assert path.read_text() == "mine"
    assert lumio("init", "--name", "Clock", "--force").code == 0
    assert json.loads(path.read_text())["name"] == "Clock"


@pytest.mark.parametrize(
    "arguments",
    [
        ("--version", "1"),
        ("--target", "moon"),
        ("--visibility", "secret"),
        ("--extension-id", "x"),
        ("--description", "x" * 1001),
    ],
    ids=lambda arguments: arguments[0],
)
def test_a_wrong_flag_is_wrong_usage_and_writes_nothing(lumio: Lumio, arguments: tuple[str, str]) -> None:
    done = lumio("init", "--name", "Clock", *arguments)
    assert done.code == 2
    assert not (lumio.folder / "lumio.config.json").exists()


def test_the_server_is_written_only_when_it_was_named(lumio: Lumio) -> None:
    assert lumio("init", "--name", "Clock", "--server", "https://lumio.example.com").code == 0
    written = _written(lumio)
    assert isinstance(written, dict)
    assert written["server"] == "https://lumio.example.com"


@pytest.mark.parametrize(
    "text", ["0.0.0", "1.2.3", "1.0.0-alpha.1", "1.0.0-0a.b", "1.0.0+build.5", "10.20.30-rc.1+x"]
)
def test_a_semantic_version_is_taken(text: str) -> None:
    assert is_semver(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1",
        "1.2",
        "v1.2.3",
        "01.2.3",
        "1.2.3-",
        "1.2.3-01",
        "1.2.3+",
        "1.2.3\n",
        "\uff11.2.3",
        "1.2.3.4",
        "1.2.3-a..b",
    ],
)
def test_anything_else_is_not(text: str) -> None:
    assert not is_semver(text)


@pytest.mark.parametrize(
    ("price", "fits"),
    [
        ({"type": "free"}, True),
        ({"type": "one_time", "amount": 499, "currency": "EUR"}, True),
        ({"type": "subscription", "amount": 4.99, "currency": "EUR", "interval": "month"}, True),
        ({"type": "subscription", "amount": 4.99, "currency": "EUR"}, False),
        ({"type": "one_time", "amount": True, "currency": "EUR"}, False),
        ({"type": "one_time", "amount": 1, "currency": "eur"}, False),
        ({"type": "free", "colour": "red"}, False),
        ({}, False),
        ("free", False),
    ],
    ids=str,
)
def test_a_price_is_whole_or_refused(price: object, fits: bool) -> None:
    assert (FIELDS["pricing"](price) is None) is fits
