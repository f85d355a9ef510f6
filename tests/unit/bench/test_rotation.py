"""What a load sends: the bytes of each request, and their order."""

import shutil
import socket
import subprocess
from collections import Counter
from pathlib import Path

import pytest

from bench.driving import SCRIPT
from bench.rotation import Turns, keep, post, read, request


def test_every_credential_is_used_as_often_as_every_other_one() -> None:
    turns = Turns([b"a", b"b", b"c"])
    used = Counter(turns() for _ in range(10))
    assert max(used.values()) - min(used.values()) <= 1
    assert [turns() for _ in range(3)] == [b"b", b"c", b"a"]


def test_a_request_carries_its_credential_where_it_may_travel() -> None:
    sent = request("/v1/x", "k" * 8)
    assert sent.startswith(b"GET /v1/x HTTP/1.1\r\nHost: ")
    assert sent.endswith(b"\r\n\r\n")
    assert sent.count(b"\r\nAuthorization: Bearer kkkkkkkk\r\n") == 1
    assert b"\r\nx-api-key: kk\r\n" in request("/", "kk", scheme="", header="x-api-key")
    assert b"Authorization" not in request("/?token=x")


def test_a_post_tells_the_length_of_its_body() -> None:
    sent = post("/v1/x", "k", b'{"a": 1}')
    head, _, body = sent.partition(b"\r\n\r\n")
    assert (body, b"Content-Length: 8" in head) == (b'{"a": 1}', True)


def test_a_file_gives_back_the_requests_that_were_kept(tmp_path: Path) -> None:
    requests = [request(f"/{number}", "k") for number in range(3)]
    assert read(keep(tmp_path / "requests", requests)) == requests


TRIED_OUT = """
dofile("%s")
local read = init
function init(arguments)
  read(arguments)
  local file = io.open(arguments[2], "wb")
  for _ = 1, 4 do file:write(request()) end
  file:close()
  os.exit(0)
end
"""


@pytest.mark.skipif(shutil.which("wrk") is None, reason="wrk is not installed; the bench installs it where it can")
def test_wrk_sends_the_same_bytes_in_the_same_order(tmp_path: Path) -> None:
    requests = [request(f"/{number}", "k") for number in range(3)]
    script, sent = tmp_path / "tried.lua", tmp_path / "sent"
    script.write_text(TRIED_OUT % SCRIPT)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        address = f"http://127.0.0.1:{listening.getsockname()[1]}/"
        words = [address, "--", str(keep(tmp_path / "requests", requests)), str(sent)]
        subprocess.run(["wrk", "-t1", "-c1", "-d1s", "-s", str(script), *words], check=True, capture_output=True)
    assert sent.read_bytes() == b"".join([*requests, requests[0]])
