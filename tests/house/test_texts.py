"""Locks, registries and paths: what the files of the project say about the world outside.

Promise: every requirement is one exact version with its hashes, and no file names a mirror or a machine.
"""

import re
import tomllib
from collections.abc import Callable, Iterator

import pytest

from tests.house.rules import texts
from tests.house.tree import ROOT, Finding, project_files

TextRule = Callable[[str, str], Iterator[Finding]]
DIGEST = "0" * 64
LOCKS = [path for path in project_files() if re.fullmatch(r"(.*/)?requirements[\w-]*\.txt", path)]
WISHES = [path for path in project_files() if re.fullmatch(r"(.*/)?requirements[\w-]*\.in", path)]


def _texts() -> Iterator[tuple[str, str]]:
    for path in project_files():
        raw = (ROOT / path).read_bytes()
        if b"\0" not in raw[:4096]:
            yield path, raw.decode("utf-8", "replace")


def _read(path: str) -> str:
    return (ROOT / path).read_text("utf-8")


def _wished(path: str) -> set[str]:
    lines = (line.partition("#")[0].strip() for line in _read(path).splitlines())
    return {line for line in lines if line and not line.startswith("-r")}


def _locked(path: str) -> dict[str, str]:
    return dict(re.findall(r"^([a-z0-9-]+)(?:\[[\w,-]+\])?==([^\s;]+)", _read(path), re.MULTILINE))


@pytest.mark.parametrize("rule", [texts.registry_hosts, texts.machine_paths])
def test_no_file_names_a_registry_or_a_machine(rule: TextRule) -> None:
    broken = [str(found) for path, text in _texts() for found in rule(path, text)]
    assert not broken, "\n" + "\n".join(broken)


def test_all_locks_are_known() -> None:
    assert {"requirements.txt", "requirements-dev.txt", "tools/requirements-installer.txt"} <= set(LOCKS)
    assert {path.removesuffix(".in") for path in WISHES} == {path.removesuffix(".txt") for path in LOCKS}


@pytest.mark.parametrize("path", LOCKS)
def test_every_requirement_is_locked_by_hash(path: str) -> None:
    assert not [str(found) for found in texts.loose_lock(path, _read(path))]


@pytest.mark.parametrize("path", WISHES)
def test_a_requirement_is_asked_for_by_name(path: str) -> None:
    assert not [str(found) for found in texts.placed_requirement(path, _read(path))]


@pytest.mark.parametrize("path", WISHES)
def test_the_lock_has_everything_that_was_asked_for(path: str) -> None:
    names = {re.split(r"[=<>\[;! ]", wish)[0] for wish in _wished(path)}
    assert names <= set(_locked(path.removesuffix(".in") + ".txt"))


def test_the_product_runs_on_the_versions_it_was_tested_with() -> None:
    tested = _locked("requirements-dev.txt")
    assert {name: tested.get(name) for name in _locked("requirements.txt")} == _locked("requirements.txt")


def test_the_package_depends_on_what_requirements_in_names() -> None:
    project = tomllib.loads(_read("pyproject.toml"))["project"]
    assert set(project["dependencies"]) == _wished("requirements.in")


def test_no_lock_that_carries_hosts_is_kept() -> None:
    assert not [path for path in project_files() if path.endswith(("uv.lock", "pylock.toml"))]


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        (texts.registry_hosts, f"index = {texts.REGISTRIES[0]}"),
        (texts.registry_hosts, f"FILES.{texts.REGISTRIES[1].upper()}"),
        (texts.machine_paths, "see /" + "root/lumio/x"),
        (texts.machine_paths, 'path = "/' + 'home/someone/lumio"'),
        (texts.loose_lock, "flask>=3"),
        (texts.loose_lock, "flask==3.0"),
        (texts.loose_lock, f"--index-url mirror\nflask==3.0 --hash=sha256:{DIGEST}"),
        (texts.loose_lock, f"flask @ https://mirror/flask.whl --hash=sha256:{DIGEST}"),
        (texts.loose_lock, f"flask==3.0 \\\n    --hash=sha256:{DIGEST} --find-links x"),
        (texts.placed_requirement, "--extra-index-url mirror"),
        (texts.placed_requirement, "-e ."),
        (texts.placed_requirement, "flask @ file:///wheels/flask.whl"),
        (texts.placed_requirement, "./wheels/flask.whl"),
    ],
)
def test_the_rule_finds_a_violation(rule: TextRule, text: str) -> None:
    assert list(rule("x", text))


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        (texts.machine_paths, "GET /v1/work/1 and https://x.example/root/ and ./work/x"),
        (
            texts.loose_lock,
            f"# via x\nflask[async]==3.0 ; python_version < '4' \\\n  --hash=sha256:{DIGEST}\n",
        ),
        (texts.placed_requirement, "# what we need\n-r requirements.in\nflask[async]==3.*\n"),
    ],
)
def test_the_rule_lets_honest_text_pass(rule: TextRule, text: str) -> None:
    assert not list(rule("x", text))
