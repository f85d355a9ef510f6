"""A deployment: what is sent, what is said, and what an interruption leaves behind."""

import gzip
import hashlib
import json
import re
import signal
import subprocess
import time
from email import message_from_bytes
from typing import Any

import pytest

from tests.cli.conftest import REFUSED
from tests.support.http_server import Asked, Reply, Script
from tests.support.terminal import PATIENCE, Lumio, new_key

EXTENSION = "ext_7f3a"
PATH = f"/developer/v1/extensions/{EXTENSION}/versions"
MADE = {"id": "ver_51c0", "version": "1.2.0", "status": "draft", "artifacts": []}
PROJECT = {"extensionId": EXTENSION, "name": "Clock", "version": "1.2.0", "targets": ["layer"]}


def write_project(lumio: Lumio, **changes: object) -> None:
    (lumio.folder / "lumio.config.json").write_text(json.dumps({**PROJECT, **changes}))


@pytest.fixture
def project(signed_in: Lumio, server: Script) -> Lumio:
    """A built extension in the working folder, and a server that takes it."""
    write_project(signed_in, server=server.origin)
    built = signed_in.folder / ".lumio-dist"
    built.mkdir()
    (built / "index.html").write_text("<h1>Clock</h1>")
    (signed_in.folder / "main.ts").write_text("export {}")
    server.on(f"POST {PATH}", Reply(201, MADE))
    return signed_in


def _parts(asked: Asked) -> dict[str, bytes]:
    head = f"Content-Type: {asked.headers['content-type']}\r\n\r\n".encode()
    message = message_from_bytes(head + asked.body)
    parts: dict[str, bytes] = {}
    for part in message.get_payload():
        name = part.get_param("name", header="content-disposition")  # type: ignore[union-attr]
        parts[str(name)] = part.get_payload(decode=True)  # type: ignore[union-attr,assignment]
    return parts


def _sent(server: Script) -> Asked:
    return next(each for each in server.asked if each.method == "POST")


def test_manifest_bundle_source_and_words_are_sent(project: Lumio, server: Script) -> None:
    done = project("deploy", "-d", "Faster", "--breaking")
    assert done.code == 0, done.stderr
    parts = _parts(_sent(server))
    assert json.loads(parts["manifest"]) == PROJECT
    assert (parts["description"], parts["breaking"]) == (b"Faster", b"true")
    for name in ("bundle", "source"):
        assert gzip.decompress(parts[name])
    assert b"main.ts" in gzip.decompress(parts["source"])
    assert b"main.ts" not in gzip.decompress(parts["bundle"])


def test_the_last_line_of_stdout_is_the_id_and_the_address(project: Lumio, server: Script) -> None:
    done = project("deploy")
    assert done.stdout == f"ver_51c0 {server.origin}/dashboard/extensions/{EXTENSION}\n"


def test_with_json_stdout_is_the_version_and_stderr_is_empty(project: Lumio, server: Script) -> None:
    done = project("deploy", "--json")
    assert done.json == {**MADE, "url": f"{server.origin}/dashboard/extensions/{EXTENSION}"}
    assert done.stderr == ""


def test_no_source_leaves_the_source_at_home(project: Lumio, server: Script) -> None:
    assert project("deploy", "--no-source").code == 0
    assert "source" not in _parts(_sent(server))


def test_a_version_on_the_command_line_wins_over_the_file(project: Lumio, server: Script) -> None:
    assert project("deploy", "-v", "2.0.0").code == 0
    assert json.loads(_parts(_sent(server))["manifest"])["version"] == "2.0.0"


def test_the_same_build_is_the_same_request_byte_for_byte(project: Lumio, server: Script) -> None:
    for _ in range(2):
        assert project("deploy").code == 0
    first, second = (each for each in server.asked if each.method == "POST")
    assert first.headers["idempotency-key"] == second.headers["idempotency-key"]
    assert first.headers["content-type"] == second.headers["content-type"]
    assert first.body == second.body


def test_the_idempotency_key_begins_with_the_digest_of_manifest_and_bundle(project: Lumio, server: Script) -> None:
    assert project("deploy").code == 0
    asked = _sent(server)
    parts = _parts(asked)
    digests = hashlib.sha256(parts["manifest"]).digest() + hashlib.sha256(parts["bundle"]).digest()
    assert asked.headers["idempotency-key"].startswith(hashlib.sha256(digests).hexdigest())


@pytest.mark.parametrize("change", ["build", "version", "words", "source"])
def test_whatever_changes_the_request_changes_its_idempotency_key(
    project: Lumio, server: Script, change: str
) -> None:
    assert project("deploy").code == 0
    arguments = {"version": ["-v", "1.2.1"], "words": ["-d", "x"], "source": ["--no-source"]}.get(change, [])
    if change == "build":
        (project.folder / ".lumio-dist" / "index.html").write_text("<h1>Other</h1>")
    assert project("deploy", *arguments).code == 0
    first, second = (each.headers["idempotency-key"] for each in server.asked if each.method == "POST")
    assert first != second


def test_a_broken_connection_is_tried_again_with_the_same_key(project: Lumio, server: Script) -> None:
    server.on(f"POST {PATH}", Reply(cut=True), Reply(201, MADE))
    done = project("deploy")
    assert done.code == 0, done.stderr
    first, second = (each for each in server.asked if each.method == "POST")
    assert (first.headers["idempotency-key"], first.body) == (second.headers["idempotency-key"], second.body)


def test_in_ci_progress_is_plain_lines_with_a_time_in_front(project: Lumio, server: Script) -> None:
    project.variables["CI"] = "true"
    done = project.on_terminal("deploy")
    assert done.code == 0
    lines = done.stdout.replace("\r\n", "\n").strip().split("\n")
    assert lines[-1].startswith("ver_51c0 ")
    for line in lines[:-1]:
        assert re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ \S", line), line
    assert "\x1b" not in done.stdout


def test_on_a_terminal_a_bar_is_drawn(project: Lumio, server: Script) -> None:
    done = project.on_terminal("deploy")
    assert done.code == 0
    assert "Uploading" in done.stdout
    assert "\x1b[" in done.stdout


@pytest.mark.parametrize("variables", [{"TERM": "dumb"}, {"NO_COLOR": "1"}], ids=["dumb", "no color"])
def test_a_terminal_that_wants_no_escapes_gets_none(project: Lumio, variables: dict[str, str]) -> None:
    project.variables |= variables
    done = project.on_terminal("deploy")
    assert done.code == 0
    assert "\x1b" not in done.stdout


def test_quiet_says_the_result_only(project: Lumio) -> None:
    done = project("deploy", "--quiet")
    assert done.stderr == ""
    assert done.stdout.startswith("ver_51c0 ")


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
