"""A deployment that comes to nothing: refused, interrupted, or wrong before anything is sent."""

import hashlib
import signal
import subprocess
import time
from typing import Any

import pytest

from tests.cli.conftest import REFUSED
from tests.support.http_server import Asked, Reply, Script
from tests.support.projects import MADE, PATH, write_project
from tests.support.terminal import PATIENCE, Lumio, new_key


def test_a_revoked_key_ends_with_4_and_says_where_to_make_a_new_one(project: Lumio, server: Script) -> None:
    server.on(f"POST {PATH}", Reply(401, REFUSED, {"X-Request-Id": "req-401"}))
    done = project("deploy")
    assert done.code == 4
    expected = (
        "Error: The key was refused: it may have been revoked or mistyped.\n"
        f"  Make a new one at {server.origin}/dashboard/account/security/api-keys,"
        " then run lumio login --token …\n"
        "  Request id: req-401\n"
    )
    assert done.stderr.endswith(expected)
    assert done.stdout == ""


@pytest.mark.parametrize(
    ("status", "code", "exit_code", "said"),
    [
        (403, "forbidden", 4, "lumio whoami"),
        (404, "not_found", 1, "lumio extensions list"),
        (409, "conflict", 1, "raise version in lumio.config.json"),
        (413, "payload_too_large", 1, "--no-source"),
        (422, "validation_error", 1, "lumio.config.json"),
        (429, "rate_limited", 1, "Try again in 900 s"),
        (503, "unavailable", 1, "Try again in 900 s"),
    ],
)
def test_each_refusal_says_what_to_run_next(
    project: Lumio, server: Script, status: int, code: str, exit_code: int, said: str
) -> None:
    problem = {"error": {"code": code, "message": "because", "status": status}}
    server.on(f"POST {PATH}", Reply(status, problem, {"Retry-After": "900", "X-Request-Id": "req-9"}))
    done = project("deploy")
    assert done.code == exit_code
    assert said in done.stderr
    assert "req-9" in done.stderr


def _interrupt(project: Lumio, server: Script, number: int) -> tuple[int, str]:
    process = project.start("deploy", stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)
    with process:
        assert server.started.wait(PATIENCE)
        time.sleep(0.3)
        process.send_signal(number)
        out, err = process.communicate(timeout=PATIENCE)
    assert out == b""
    return process.returncode, err.decode()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["SIGINT", "SIGTERM"])
def test_an_interrupted_upload_ends_with_130_and_there_is_no_version(
    project: Lumio, server: Script, number: int
) -> None:
    (project.folder / ".lumio-dist" / "large.bin").write_bytes(_incompressible(24 * 1024 * 1024))
    server.reading.clear()
    code, said = _interrupt(project, server, number)
    server.reading.set()
    assert code == 130
    assert "Interrupted, no version was made" in said
    assert "Traceback" not in said
    time.sleep(0.3)
    assert server.paths("POST") == []  # the request never was complete


def _incompressible(size: int) -> bytes:
    return hashlib.shake_128(b"lumio").digest(size)


def test_an_interruption_after_everything_was_sent_does_not_claim_that_there_is_no_version(
    project: Lumio, server: Script
) -> None:
    def slow(_: Asked) -> Reply:
        time.sleep(2)
        return Reply(201, MADE)

    server.on(f"POST {PATH}", slow)
    code, said = _interrupt(project, server, signal.SIGINT)
    assert code == 130
    assert "no version was made" not in said
    assert "the version may exist" in said


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"version": "1.2"}, "version: must be a semantic version such as 1.2.0"),
        ({"name": "x" * 256}, "name: must have at most 255 characters (has 256)"),
        ({"description": "x" * 1001}, "description: must have at most 1000 characters (has 1001)"),
        ({"targets": ["moon"]}, "targets: must list at least one of editor, layer, interactive"),
        ({"visibility": "secret"}, "visibility: must be one of private, unlisted, public, paid"),
        ({"pricing": {"type": "one_time", "amount": 0}}, "pricing: must have an amount above 0"),
        ({"visibilty": "public"}, "visibilty: is not a known field; did you mean visibility?"),
        ({"extensionId": "../../me"}, "extensionId: must be the id of an extension"),
        ({"name": None}, "name: is missing"),
    ],
)
def test_a_mistake_in_the_project_file_is_named_before_anything_is_sent(
    project: Lumio, server: Script, changes: dict[str, Any], said: str
) -> None:
    write_project(project, **changes)
    done = project("deploy")
    assert done.code == 1
    assert f"  {said}" in done.stderr
    assert server.asked == []


def test_a_key_in_the_project_file_is_refused_and_not_shown(project: Lumio, server: Script) -> None:
    key = new_key()
    write_project(project, description=f"use {key}")
    done = project("deploy")
    assert done.code == 1
    assert "description: holds a key" in done.stderr
    assert key not in done.both
    assert server.asked == []


def test_a_project_without_an_extension_is_told_how_to_make_one(project: Lumio, server: Script) -> None:
    (project.folder / "lumio.config.json").write_text('{"name": "Clock", "version": "1.0.0"}')
    done = project("deploy")
    assert done.code == 1
    assert 'lumio extensions create --name "Clock"' in done.stderr
    assert server.asked == []


@pytest.mark.parametrize("state", ["missing", "empty"])
def test_nothing_built_is_said_and_nothing_is_sent(project: Lumio, server: Script, state: str) -> None:
    (project.folder / ".lumio-dist" / "index.html").unlink()
    if state == "missing":
        (project.folder / ".lumio-dist").rmdir()
    done = project("deploy")
    assert done.code == 1
    assert "Build the extension first" in done.stderr
    assert server.asked == []


def test_a_folder_without_a_project_is_sent_to_init(lumio: Lumio) -> None:
    done = lumio("deploy")
    assert done.code == 1
    assert "lumio init" in done.stderr


@pytest.mark.parametrize("text", ["{", "[]", '{"name": "a", "name": "b"}', "\x00"])
def test_a_damaged_project_file_is_an_error_and_no_traceback(project: Lumio, text: str) -> None:
    (project.folder / "lumio.config.json").write_text(text)
    done = project("deploy")
    assert done.code == 1
    assert "lumio.config.json is not" in done.stderr
    assert "Traceback" not in done.stderr
