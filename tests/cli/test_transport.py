"""Where the key may travel, and what happens when a server refuses, is busy, or goes away."""

from collections.abc import Iterator

import pytest

from lumio.cli.client import Call, Client
from lumio.cli.errors import CommandError
from lumio.cli.origin import is_loopback, parse_origin
from tests.cli.conftest import ME, REFUSED
from tests.support.http_server import Reply, Script
from tests.support.terminal import Lumio, new_key

BUSY = Reply(503, {"code": "unavailable", "detail": "not fresh enough to answer"}, {"Retry-After": "0"})


@pytest.fixture
def pauses() -> list[float]:
    """How long the client slept, instead of sleeping."""
    return []


@pytest.fixture
def client(server: Script, key: str, pauses: list[float]) -> Iterator[Client]:
    made = Client(server.origin, key, sleep=pauses.append)
    yield made
    made.close()


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_to_another_host_is_not_followed_and_gets_no_header(
    signed_in: Lumio, server: Script, other_server: Script, status: int
) -> None:
    server.on("GET /v1/users/me", Reply(status, None, {"Location": f"{other_server.origin}/v1/users/me"}))
    done = signed_in("whoami")
    assert done.code == 1
    assert other_server.origin in done.stderr
    assert other_server.asked == []


def test_a_redirect_on_the_same_host_is_not_followed_either(signed_in: Lumio, server: Script) -> None:
    server.on("GET /v1/users/me", Reply(302, None, {"Location": "/elsewhere"}))
    assert signed_in("whoami").code == 1
    assert server.paths("GET") == ["/v1/users/me"]


def test_a_stored_key_is_not_sent_to_another_server(signed_in: Lumio, other_server: Script) -> None:
    done = signed_in("extensions", "list", "--server", other_server.origin)
    assert done.code == 4
    assert other_server.asked == []


def test_a_server_named_by_the_project_file_alone_never_gets_the_key_of_the_environment(
    lumio: Lumio, key: str
) -> None:
    (lumio.folder / "lumio.config.json").write_text('{"server": "https://collector.example"}')
    lumio.variables["LUMIO_TOKEN"] = key
    done = lumio("extensions", "list")
    assert done.code == 1
    assert "The key was not sent to https://collector.example" in done.stderr
    assert "LUMIO_SERVER=https://collector.example" in done.stderr


def test_signing_in_inside_such_a_project_does_not_send_the_key_there_either(lumio: Lumio, key: str) -> None:
    (lumio.folder / "lumio.config.json").write_text('{"server": "https://collector.example"}')
    done = lumio("login", "--with-token", stdin=key)
    assert done.code == 1
    assert "was not sent" in done.stderr


def test_a_proxy_of_the_environment_sees_nothing_of_a_server_on_this_machine(
    signed_in: Lumio, server: Script, other_server: Script
) -> None:
    signed_in.variables |= {"HTTP_PROXY": other_server.origin, "ALL_PROXY": other_server.origin}
    assert signed_in("extensions", "list").code == 1  # the script has no list: 404
    assert other_server.asked == []
    assert server.paths("GET") == ["/developer/v1/extensions"]


@pytest.mark.parametrize(
    "text",
    [
        "http://example.com",
        "http://10.0.0.1:8000",
        "http://localhost.example.com",
        "http://127.0.0.1.example.com",
        "ftp://localhost",
        "localhost:8000",
        "https://",
        "https://user:word@example.com",
        "https://@example.com",
        "https://example.com/path",
        "https://example.com?x=1",
        "https://example.com#x",
        "https://example.com:99999",
        "https://[::1",
    ],
)
def test_an_address_that_is_not_safe_for_a_key_is_wrong_usage(text: str) -> None:
    with pytest.raises(CommandError) as caught:
        parse_origin(text)
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    ("text", "origin"),
    [
        ("https://Example.com/", "https://example.com"),
        ("https://example.com:443", "https://example.com"),
        ("http://localhost:8000/", "http://localhost:8000"),
        ("http://127.9.9.9", "http://127.9.9.9"),
        ("http://[::1]:80", "http://[::1]"),
    ],
)
def test_an_address_has_one_form(text: str, origin: str) -> None:
    assert parse_origin(text) == origin


def test_only_this_machine_counts_as_loopback() -> None:
    assert is_loopback("http://[::1]:8000")
    assert not is_loopback("http://128.0.0.1")


@pytest.mark.parametrize("path", ["@elsewhere.example", ".elsewhere.example/", "x", "0/x"])
def test_a_path_cannot_turn_into_another_host(server: Script, client: Client, path: str) -> None:
    with pytest.raises(CommandError) as caught:
        client.get(path)
    assert caught.value.code == "foreign_address"
    assert server.asked == []


def test_two_slashes_stay_on_the_same_host(server: Script, client: Client) -> None:
    with pytest.raises(CommandError) as caught:
        client.get("//elsewhere.example/x")
    assert caught.value.status == 404
    assert server.asked[0].headers["host"] == server.origin.removeprefix("http://")


def test_a_reading_request_is_repeated_until_a_busy_server_answers(
    server: Script, client: Client, pauses: list[float]
) -> None:
    server.on("GET /x", BUSY, Reply(0, cut=True), Reply(200, {"done": True}))
    assert client.get("/x").body == {"done": True}
    assert len(pauses) == 2


def test_a_changing_request_is_never_repeated_by_itself(server: Script, client: Client, pauses: list[float]) -> None:
    server.on("POST /x", BUSY, Reply(200, {}))
    with pytest.raises(CommandError):
        client.post("/x", {})
    assert (len(server.asked), pauses) == (1, [])


def test_a_changing_request_that_broke_says_that_its_end_is_unknown(server: Script, client: Client) -> None:
    server.on("DELETE /x", Reply(0, cut=True))
    with pytest.raises(CommandError, match="not known whether the server did it"):
        client.delete("/x")
    assert len(server.asked) == 1


def test_a_request_with_an_idempotency_key_waits_for_its_twin(
    server: Script, client: Client, pauses: list[float]
) -> None:
    running = Reply(409, {"error": {"code": "conflict", "message": "still running"}}, {"Retry-After": "1"})
    server.on("POST /x", running, Reply(201, {"id": "ver_1"}))
    assert client.send(Call("POST", "/x", again=True)).body == {"id": "ver_1"}
    assert pauses == [1.0]


def test_a_plain_conflict_is_not_repeated(server: Script, client: Client, pauses: list[float]) -> None:
    server.on("POST /x", Reply(409, {"error": {"code": "conflict", "message": "exists"}}))
    with pytest.raises(CommandError):
        client.send(Call("POST", "/x", again=True))
    assert pauses == []


def test_a_server_that_asks_for_a_long_wait_is_not_waited_for(
    server: Script, client: Client, pauses: list[float]
) -> None:
    server.on("GET /x", Reply(429, {"code": "rate_limited"}, {"Retry-After": "55"}))
    with pytest.raises(CommandError) as caught:
        client.get("/x")
    assert caught.value.next_step == "Try again in 55 s"
    assert pauses == []


def test_nobody_at_the_address_is_said_as_such(lumio: Lumio, key: str) -> None:
    lumio.variables |= {"LUMIO_TOKEN": key, "LUMIO_SERVER": "http://127.0.0.1:9"}
    done = lumio("extensions", "list", "--json")
    assert done.code == 1
    assert done.error["code"] == "unreachable"


def _developer(code: str, status: int) -> Reply:
    headers = {"X-Request-Id": "req-77"}
    return Reply(status, {"error": {"code": code, "message": "the server's words", "status": status}}, headers)


@pytest.mark.parametrize(
    ("reply", "exit_code", "said"),
    [
        (Reply(401, REFUSED, {"X-Request-Id": "req-77"}), 4, "it may have been revoked or mistyped"),
        (_developer("unauthorized", 401), 4, "then run lumio login --token …"),
        (_developer("forbidden", 403), 4, "the server's words"),
        (_developer("two_factor_required", 403), 4, "/dashboard/account/security/two-factor"),
        (_developer("step_up_required", 403), 4, "in the browser"),
        (_developer("not_found", 404), 1, "There is no such thing"),
        (_developer("conflict", 409), 1, "the server's words"),
        (_developer("payload_too_large", 413), 1, "too large"),
        (_developer("validation_error", 422), 1, "the server's words"),
        (_developer("internal_error", 500), 1, "The server failed (500)"),
        (Reply(502, b"<html>bad gateway</html>", {"X-Request-Id": "req-77"}), 1, "The server failed (502)"),
    ],
    ids=str,
)
def test_every_refusal_has_its_exit_code_a_sentence_and_the_request_id(
    server: Script, client: Client, reply: Reply, exit_code: int, said: str
) -> None:
    server.on("GET /x", reply)
    with pytest.raises(CommandError) as caught:
        client.get("/x")
    error = caught.value
    assert (error.exit_code, error.request_id) == (exit_code, "req-77")
    assert said in f"{error} {error.next_step}"
    assert error.what
    assert error.next_step


def test_rejected_fields_are_listed(signed_in: Lumio, server: Script) -> None:
    errors = [{"field": "slug", "rule": "pattern", "message": "must be lower case"}]
    server.on("POST /developer/v1/extensions", Reply(422, {"code": "validation_error", "errors": errors}))
    done = signed_in("extensions", "create", "--name", "X", "--slug", "UP")
    assert "  slug: must be lower case" in done.stderr
    assert signed_in("extensions", "create", "--name", "X", "--json").error["errors"][0]["field"] == "slug"


def test_an_answer_that_is_no_json_is_not_taken_for_success(signed_in: Lumio, server: Script) -> None:
    server.on("GET /v1/users/me", Reply(200, b"<html>hello</html>"))
    done = signed_in("whoami")
    assert done.code == 1
    assert "not understood" in done.stderr


def test_flag_beats_variable_beats_profile(signed_in: Lumio, server: Script, key: str) -> None:
    flag, variable = new_key(), new_key()

    def sent(*arguments: str) -> tuple[str, str]:
        server.asked.clear()
        source = signed_in("whoami", "--json", *arguments).json["source"]
        return server.asked[0].headers["authorization"].removeprefix("Bearer "), source

    assert sent() == (key, f"profile default ({signed_in.config / 'credentials.json'})")
    signed_in.variables["LUMIO_TOKEN"] = variable
    assert sent() == (variable, "LUMIO_TOKEN")
    assert sent("--token", flag) == (flag, "--token")


def test_whoami_shows_who_where_and_from_what(signed_in: Lumio, server: Script) -> None:
    said = signed_in("whoami").stdout
    for part in (
        "ci-github-actions",
        "ada@example.com",
        "Acme (acme)",
        "Owner",
        server.origin,
        "credentials.json",
    ):
        assert part in said
    answer = signed_in("whoami", "--json").json
    assert answer["account"] == ME["account"]
    assert answer["verified"] is True


def test_an_empty_variable_is_no_key_and_is_named(lumio: Lumio, server: Script) -> None:
    lumio.variables |= {"LUMIO_TOKEN": " ", "LUMIO_SERVER": server.origin}
    done = lumio("extensions", "list")
    assert done.code == 4
    assert "LUMIO_TOKEN is set but empty" in done.stderr


def test_a_variable_with_something_else_in_it_is_not_sent(lumio: Lumio, server: Script) -> None:
    lumio.variables |= {"LUMIO_TOKEN": "ghp_0123456789", "LUMIO_SERVER": server.origin}
    done = lumio("extensions", "list")
    assert done.code == 4
    assert server.asked == []
    assert "ghp_0123456789" not in done.both


def test_offline_whoami_says_what_is_stored_and_asks_nobody(signed_in: Lumio, server: Script) -> None:
    done = signed_in("whoami", "--offline")
    assert done.code == 0
    assert "ci-github-actions" in done.stdout
    assert "credentials.json" in done.stdout
    assert server.asked == []
