"""The program as a whole: exit codes, help, completion, speed, and what `--debug` may show."""

import os
import re
import subprocess
import sys
import time

import pytest

from lumio.cli import main
from lumio.cli.commands import audit
from tests.cli.conftest import REFUSED
from tests.support.http_server import Reply, Script
from tests.support.terminal import Lumio

COMMANDS = (
    "login",
    "logout",
    "whoami",
    "init",
    "deploy",
    "publish",
    "extensions list",
    "extensions create",
    "versions list",
    "keys list",
    "keys revoke",
    "audit list",
    "audit export",
    "completion",
)
SLOW = (
    "httpx2",
    "pydantic",
    "keyring",
    "rich",
    "tarfile",
    "litestar",
    "msgspec",
    "sqlalchemy",
    "cryptography",
)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(lumio: Lumio, command: str) -> None:
    done = lumio(*command.split(), "--help")
    assert done.code == 0
    assert f"Usage: lumio {command}" in done.stdout
    for option in ("--server", "--profile", "--token", "--json", "--quiet", "--no-color", "--debug"):
        assert option in done.stdout


def test_without_a_command_the_help_with_the_exit_codes_is_shown(lumio: Lumio) -> None:
    done = lumio()
    assert done.code == 0
    for code in ("0 done", "1 failed", "2 wrong usage", "4 not signed in", "130"):
        assert code in done.stdout.replace("\n ", "")


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("deplyo", "deploy"),
        ("whoam", "whoami"),
        ("extension", "extensions"),
        ("keys lst", "list"),
        ("keys rvoke", "revoke"),
    ],
)
def test_a_typing_error_is_answered_with_the_nearest_command(lumio: Lumio, typed: str, meant: str) -> None:
    done = lumio(*typed.split())
    assert done.code == 2
    assert f"Did you mean '{meant}'?\n" in done.stderr


def test_a_wrong_option_is_wrong_usage_also_in_json(lumio: Lumio) -> None:
    assert lumio("whoami", "--jsn").code == 2
    done = lumio("whoami", "--json", "--nothing")
    assert done.code == 2
    assert done.error["code"] == "usage"
    assert done.error["exit_code"] == 2
    assert done.stdout == ""


@pytest.mark.parametrize("arguments", [("--json", "whoami"), ("whoami", "--json")], ids=["before", "after"])
def test_global_options_work_before_and_after_the_command(
    signed_in: Lumio, server: Script, arguments: tuple[str, ...]
) -> None:
    assert signed_in(*arguments).json["label"] == "ci-github-actions"


def test_with_json_an_error_is_one_object_on_stderr(signed_in: Lumio, server: Script) -> None:
    server.on("GET /v1/users/me", Reply(401, REFUSED, {"X-Request-Id": "req-401"}))
    done = signed_in("whoami", "--json")
    assert (done.code, done.stdout) == (4, "")
    assert done.error == {
        "code": "unauthorized",
        "message": "The key was refused: it may have been revoked or mistyped.",
        "next": f"Make a new one at {server.origin}/dashboard/account/security/api-keys,"
        " then run lumio login --token …",
        "status": 401,
        "request_id": "req-401",
        "exit_code": 4,
    }


def test_not_signed_in_is_exit_code_4(lumio: Lumio) -> None:
    done = lumio("whoami")
    assert done.code == 4
    assert "lumio login" in done.stderr


def test_ctrl_c_at_a_prompt_is_130_and_one_sentence(lumio: Lumio, server: Script) -> None:
    done = lumio.on_terminal("login", "--server", server.origin, typed="\x03\n")
    assert done.code == 130
    assert "Interrupted." in done.stdout
    assert "Traceback" not in done.stdout


def test_a_bug_is_no_traceback_unless_debug_is_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], key: str
) -> None:
    def broken(*_: object) -> None:
        secret = key
        raise ZeroDivisionError(secret)

    monkeypatch.setattr(audit, "listed", broken)
    monkeypatch.setenv("LUMIO_TOKEN", key)
    assert main.run(["audit", "list", "--server", "http://127.0.0.1:9"]) == 1
    said = capsys.readouterr().err
    assert "ZeroDivisionError" in said
    assert "--debug" in said
    assert "Traceback" not in said
    assert main.run(["audit", "list", "--server", "http://127.0.0.1:9", "--debug"]) == 1
    said = capsys.readouterr().err
    assert "Traceback" in said
    assert "lm_dev_…" in said
    assert key[7:] not in said


def test_debug_shows_requests_but_no_key(signed_in: Lumio, key: str) -> None:
    done = signed_in("whoami", "--debug", "--token", key)
    assert done.code == 0
    assert "debug: GET /v1/users/me" in done.stderr
    assert key not in done.both


def test_the_version_of_the_program_is_shown(lumio: Lumio) -> None:
    done = lumio("--version")
    assert done.code == 0
    assert re.fullmatch(r"lumio \d+\.\d+\.\d+\S*\n", done.stdout)


def _loaded(lumio: Lumio, *arguments: str) -> set[str]:
    run = "import sys; from lumio.cli.front import run; run(sys.argv[1:])"
    command = [sys.executable, "-c", f"{run}; print(*sorted(sys.modules), file=sys.stderr)", *arguments]
    done = subprocess.run(
        command,
        cwd=lumio.folder,
        env=lumio.environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    return {name.partition(".")[0] for name in done.stderr.splitlines()[-1].split()}


@pytest.mark.parametrize("arguments", [("--help",), ("whoami", "--offline"), ("deploy", "--help")], ids=" ".join)
def test_help_and_offline_whoami_load_nothing_slow(signed_in: Lumio, arguments: tuple[str, ...]) -> None:
    assert not _loaded(signed_in, *arguments) & set(SLOW)


def test_whoami_loads_nothing_slow_when_nobody_listens(signed_in: Lumio) -> None:
    signed_in.variables["LUMIO_TOKEN"] = "lm_dev_" + "0" * 51 + "4AVnDl"
    loaded = _loaded(signed_in, "whoami", "--server", "http://127.0.0.1:9")
    assert not loaded & set(SLOW)


def test_offline_whoami_takes_less_than_0_3_seconds_of_the_processor(signed_in: Lumio) -> None:
    def spent() -> float:
        before = os.times()
        assert signed_in("whoami", "--offline").code == 0
        after = os.times()
        return after.children_user + after.children_system - before.children_user - before.children_system

    assert min(spent() for _ in range(4)) < 0.3


def test_offline_whoami_comes_back_at_once_and_names_the_source(signed_in: Lumio, server: Script) -> None:
    began = time.monotonic()
    signed_in.variables["LUMIO_TOKEN"] = "lm_dev_" + "0" * 51 + "4AVnDl"
    done = signed_in("whoami", "--server", "http://127.0.0.1:9")
    assert time.monotonic() - began < 5
    assert done.code == 1
    assert "LUMIO_TOKEN" in done.stdout
    assert "could not be reached" in done.stderr


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_completion_script_is_printed_for_each_shell(lumio: Lumio, shell: str) -> None:
    done = lumio("completion", shell)
    assert done.code == 0
    assert "_LUMIO_COMPLETE" in done.stdout
    assert done.stderr == ""


def test_an_unknown_shell_is_wrong_usage(lumio: Lumio) -> None:
    assert lumio("completion", "tcsh").code == 2


@pytest.mark.parametrize(
    ("words", "expected"),
    [("lumio dep", "deploy"), ("lumio keys re", "revoke"), ("lumio deploy --out", "--outdir")],
)
def test_bash_really_completes(lumio: Lumio, words: str, expected: str) -> None:
    folder = lumio.home / "bin"
    folder.mkdir()
    program = folder / "lumio"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m lumio.cli.front "$@"\n')
    program.chmod(0o755)
    lumio.variables["PATH"] = f"{folder}:{os.environ['PATH']}"
    script = (
        "source <(lumio completion bash); "
        f"COMP_WORDS=({words}); COMP_CWORD=$(( ${{#COMP_WORDS[@]}} - 1 )); "
        '_lumio_completion lumio; printf "%s\\n" "${COMPREPLY[@]}"'
    )
    done = subprocess.run(
        ["bash", "-c", script], env=lumio.environment, capture_output=True, text=True, check=False, timeout=30
    )
    assert expected in done.stdout.split(), done.stderr
