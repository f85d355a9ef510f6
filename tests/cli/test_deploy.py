"""A deployment: what is sent, and what is said of it."""

import gzip
import hashlib
import json
import re
from email import message_from_bytes

import pytest

from tests.support.http_server import Asked, Reply, Script
from tests.support.projects import EXTENSION, MADE, PATH, PROJECT
from tests.support.terminal import Lumio


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


@pytest.mark.parametrize(
    ("status", "said"),
    [
        ("published", "Version 1.2.0 of Clock is published already. Nothing new was made."),
        (
            "superseded",
            "Version 1.2.0 of Clock was published before; a newer one is current. Nothing new was made.",
        ),
        ("draft", "Draft 1.2.0 of Clock is there. Publish it with: lumio publish 1.2.0"),
    ],
)
def test_a_build_that_was_deployed_before_is_told_as_it_stands_now(
    project: Lumio, server: Script, status: str, said: str
) -> None:
    server.on(f"GET {PATH}/{MADE['id']}", Reply(200, {**MADE, "status": status}))
    done = project("deploy")
    assert done.code == 0
    assert said in done.stderr
    assert done.stdout.startswith("ver_51c0 ")
    assert project("deploy", "--json").json["status"] == status


def test_where_the_version_cannot_be_asked_again_the_answer_of_its_making_stands(
    project: Lumio, server: Script
) -> None:
    server.on(
        f"GET {PATH}/{MADE['id']}", Reply(403, {"error": {"code": "forbidden", "message": "no", "status": 403}})
    )
    done = project("deploy")
    assert done.code == 0
    assert "Draft 1.2.0 of Clock is there." in done.stderr
