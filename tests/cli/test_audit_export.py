"""`lumio audit export`: a file, whole or not at all."""

import stat
from pathlib import Path

import pytest

from tests.support.http_server import Reply, Script
from tests.support.terminal import Lumio

ROUTE = "GET /v1/audit-log/export"
WHOLE = b'{"event":"a"}\n' * 3000 + b'{"statement":"export","count":3000}\n'
AS_CSV = b"timestamp,event\r\na,b\r\n#" + WHOLE.splitlines(keepends=True)[-1]


def test_a_file_is_written_byte_for_byte_and_for_its_owner_only(signed_in: Lumio, server: Script) -> None:
    server.on(ROUTE, Reply(200, WHOLE))
    done = signed_in("audit", "export", "-o", "log.ndjson", "--event", "api_key.*")
    assert (done.code, done.stdout) == (0, "")
    assert "3000 events are in log.ndjson" in done.stderr
    made = signed_in.folder / "log.ndjson"
    assert made.read_bytes() == WHOLE
    assert stat.S_IMODE(made.stat().st_mode) == 0o600
    assert server.paths("GET")[0] == "/v1/audit-log/export?format=ndjson&event=api_key.%2A"


def test_without_a_file_it_goes_to_stdout(signed_in: Lumio, server: Script) -> None:
    for form, content in (("ndjson", WHOLE), ("csv", AS_CSV)):
        server.on(ROUTE, Reply(200, content))
        done = signed_in("audit", "export", "--format", form)
        assert (done.code, done.stdout.encode()) == (0, content)


@pytest.mark.parametrize(
    "content", [b"", WHOLE[:-1], WHOLE[:-40], b'{"event":"a"}\n'], ids=["nothing", "no end", "half a line", "one"]
)
def test_a_file_that_ends_too_early_is_an_error_and_no_file(signed_in: Lumio, server: Script, content: bytes) -> None:
    server.on(ROUTE, Reply(200, content))
    done = signed_in("audit", "export", "-o", "log.ndjson")
    assert done.code == 1
    assert "not whole" in done.stderr
    assert names(signed_in.folder) == []


def test_a_connection_that_breaks_is_an_error_and_leaves_the_old_file(signed_in: Lumio, server: Script) -> None:
    old = signed_in.folder / "log.ndjson"
    old.write_bytes(b"old")
    server.on(ROUTE, Reply(200, WHOLE, {"Content-Length": str(len(WHOLE) + 10), "Connection": "close"}))
    done = signed_in("audit", "export", "-o", "log.ndjson")
    assert done.code == 1
    assert old.read_bytes() == b"old"
    assert names(signed_in.folder) == ["log.ndjson"]


def test_a_refusal_says_why(signed_in: Lumio, server: Script) -> None:
    problem = {"code": "forbidden", "detail": "This needs audit-log:read.", "status": 403, "request_id": "req-7"}
    server.on(ROUTE, Reply(403, problem))
    done = signed_in("audit", "export", "-o", "log.ndjson")
    assert done.code == 4
    assert "audit-log:read" in done.stderr
    assert signed_in("audit", "export", "--format", "xlsx").code == 2
    assert names(signed_in.folder) == []


def names(folder: Path) -> list[str]:
    """Return what lies in a folder."""
    return sorted(path.name for path in folder.iterdir())
