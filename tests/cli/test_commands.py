"""The lists, and the commands that change one thing."""

import json
import os
import subprocess

import pytest

from tests.cli.conftest import EVENT, ME
from tests.support.http_server import Asked, Reply, Script
from tests.support.projects import EXTENSION, PATH, write_project
from tests.support.terminal import Lumio, new_key

VERSIONS = [
    {"id": "ver_2", "version": "1.1.0", "status": "draft", "createdAt": "2026-11-21T10:00:00Z"},
    {"id": "ver_1", "version": "1.0.0", "status": "published", "createdAt": "2026-11-20T10:00:00Z"},
]


def test_publish_takes_a_number_or_an_id(signed_in: Lumio, server: Script) -> None:
    write_project(signed_in)
    server.on(f"GET {PATH}", Reply(200, {"versions": VERSIONS}))
    server.on(f"POST {PATH}/ver_2/publish", Reply(200, {**VERSIONS[0], "status": "published"}))
    for wanted in ("1.1.0", "ver_2"):
        done = signed_in("publish", wanted)
        assert done.code == 0, done.stderr
        assert done.stdout == "ver_2 published\n"
    assert server.paths("POST") == [f"{PATH}/ver_2/publish"] * 2


def test_a_member_who_publishes_is_told_which_roles_can(signed_in: Lumio, server: Script) -> None:
    write_project(signed_in)
    server.on("GET /v1/users/me", Reply(200, {"data": {**ME, "role": "member"}}))
    server.on(f"GET {PATH}", Reply(200, {"versions": VERSIONS}))
    problem = {"error": {"code": "forbidden", "message": "no", "status": 403}}
    server.on(f"POST {PATH}/ver_2/publish", Reply(403, problem, {"X-Request-Id": "req-3"}))
    done = signed_in("publish", "1.1.0")
    assert done.code == 4
    assert "your role here is Member" in done.stderr
    assert "Owners and Admins can publish" in done.stderr
    assert "req-3" in done.stderr


def test_a_version_that_is_not_there_is_answered_with_those_that_are(signed_in: Lumio, server: Script) -> None:
    write_project(signed_in)
    server.on(f"GET {PATH}", Reply(200, {"versions": VERSIONS}))
    done = signed_in("publish", "9.9.9")
    assert done.code == 1
    assert "there are 1.1.0, 1.0.0" in done.stderr


@pytest.mark.parametrize("wanted", ["latest", "../me", "1.0"])
def test_what_cannot_be_a_version_is_wrong_usage(signed_in: Lumio, server: Script, wanted: str) -> None:
    write_project(signed_in)
    assert signed_in("publish", wanted).code == 2
    assert server.asked == []


def test_lists_are_tabs_in_a_pipe_and_objects_in_json(signed_in: Lumio, server: Script) -> None:
    write_project(signed_in)
    server.on(f"GET {PATH}", Reply(200, {"versions": VERSIONS}))
    lines = signed_in("versions", "list").stdout.splitlines()
    assert lines[0].split("\t")[:3] == ["ID", "VERSION", "STATUS"]
    assert lines[1].split("\t")[:3] == ["ver_2", "1.1.0", "draft"]
    assert signed_in("versions", "list", "--json").json == {"versions": VERSIONS}


def test_a_list_on_a_terminal_is_a_table(signed_in: Lumio, server: Script) -> None:
    write_project(signed_in)
    server.on(f"GET {PATH}", Reply(200, {"versions": VERSIONS}))
    said = signed_in.on_terminal("versions", "list").stdout
    assert "─" in said
    assert "ver_2" in said


def test_the_versions_of_another_extension_can_be_named(signed_in: Lumio, server: Script) -> None:
    server.on(f"GET {PATH}", Reply(200, {"versions": VERSIONS}))
    assert signed_in("versions", "list").code == 2
    assert signed_in("versions", "list", "--extension", EXTENSION).code == 0
    assert signed_in("versions", "list", "--extension", "../../v1/users/me").code == 2


def test_a_new_extension_is_written_into_the_project_when_asked_to(signed_in: Lumio, server: Script) -> None:
    (signed_in.folder / "lumio.config.json").write_text('{"name": "Clock", "version": "1.0.0"}')
    server.on("POST /developer/v1/extensions", Reply(201, {"id": EXTENSION, "name": "Clock"}))
    assert signed_in("extensions", "create", "--name", "Clock").stdout == f"{EXTENSION}\n"
    assert "extensionId" not in (signed_in.folder / "lumio.config.json").read_text()
    assert signed_in("extensions", "create", "--name", "Clock", "--write").code == 0
    content = json.loads((signed_in.folder / "lumio.config.json").read_text())
    assert content == {"name": "Clock", "version": "1.0.0", "extensionId": EXTENSION}
    assert server.asked[-1].json == {"name": "Clock"} or server.asked[-1].method == "GET"


def test_on_a_terminal_the_id_is_offered(signed_in: Lumio, server: Script) -> None:
    (signed_in.folder / "lumio.config.json").write_text('{"name": "Clock", "version": "1.0.0"}')
    server.on("POST /developer/v1/extensions", Reply(201, {"id": EXTENSION, "name": "Clock"}))
    done = signed_in.on_terminal("extensions", "create", "--name", "Clock", typed="y\n")
    assert done.code == 0, done.stdout
    assert EXTENSION in (signed_in.folder / "lumio.config.json").read_text()


def test_the_audit_log_shows_its_five_fields_and_passes_the_filters_on(signed_in: Lumio, server: Script) -> None:
    server.on("GET /v1/audit-log", Reply(200, {"data": [EVENT]}))
    done = signed_in("audit", "list", "--event", "extension.*", "--result", "success", "--limit", "5")
    assert done.stdout.splitlines()[1].split("\t") == list(EVENT.values())
    assert server.paths("GET")[0] == "/v1/audit-log?event=extension.%2A&result=success&limit=5"
    assert signed_in("audit", "list", "--json").json == {"events": [EVENT]}


def test_a_wrong_choice_or_number_is_wrong_usage(signed_in: Lumio, server: Script) -> None:
    assert signed_in("audit", "list", "--result", "maybe").code == 2
    assert signed_in("audit", "list", "--limit", "0").code == 2
    assert signed_in("audit", "list", "--limit", "many").code == 2
    assert server.asked == []


def test_what_a_server_sends_cannot_steer_the_terminal(signed_in: Lumio, server: Script) -> None:
    evil = "\x1b]0;owned\x07\x1b[2J\u202eevil\r\nfake\tline\x00\x9b31m"
    server.on("GET /v1/audit-log", Reply(200, {"data": [{**EVENT, "actor": evil}]}))
    piped, drawn, as_json = (
        signed_in("audit", "list").stdout,
        signed_in.on_terminal("audit", "list").stdout,
        signed_in("audit", "list", "--json").stdout,
    )
    for said in (piped, drawn, as_json):
        for character in "\x1b]0;", "\x07", "\u202e", "\x00", "\x9b":
            assert character not in said.replace("\x1b[1m", "").replace("\x1b[0m", "")
    assert len(piped.splitlines()) == 2
    assert len(piped.splitlines()[1].split("\t")) == 5
    assert json.loads(as_json)["events"][0]["actor"] == evil


def test_a_refusal_cannot_steer_the_terminal_either(signed_in: Lumio, server: Script) -> None:
    problem = {"code": "forbidden", "detail": "\x1b[2J\u202e gone", "request_id": "a\nb"}
    server.on("GET /v1/audit-log", Reply(403, problem))
    said = signed_in("audit", "list").stderr
    assert "\x1b" not in said
    assert "\\u202e" in said
    assert "a\\x0ab" in said


def test_a_key_that_a_server_sends_back_is_not_shown(signed_in: Lumio, server: Script) -> None:
    leaked = new_key()
    server.on("GET /v1/audit-log", Reply(200, {"data": [{**EVENT, "actor": leaked}]}))
    for arguments in ((), ("--json",)):
        said = signed_in("audit", "list", *arguments)
        assert leaked not in said.both
        assert "lm_dev_" in said.stdout


def test_the_key_is_on_no_command_line_while_a_command_runs(signed_in: Lumio, server: Script, key: str) -> None:
    seen: list[bytes] = []

    def look(_: Asked) -> Reply:
        for folder in os.scandir("/proc"):
            if folder.name.isdigit():
                try:
                    with open(f"/proc/{folder.name}/cmdline", "rb") as file:  # noqa: PTH123 - it may vanish meanwhile
                        seen.append(file.read())
                except OSError:
                    continue
        return Reply(200, {"data": [EVENT]})

    server.on("GET /v1/audit-log", look)
    signed_in.variables["LUMIO_TOKEN"] = key
    assert signed_in("audit", "list").code == 0
    assert any(b"lumio.cli.front" in line for line in seen)
    assert not any(key.encode() in line for line in seen)


def test_a_reader_that_goes_away_ends_the_command_quietly(signed_in: Lumio, server: Script) -> None:
    server.on("GET /v1/audit-log", Reply(200, {"data": [EVENT] * 150}))
    with signed_in.start(
        "audit", "list", "--limit", "150", stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.stderr is not None
        assert process.stderr.read() == b""
        assert process.wait(30) == 1
