"""Signing in: tested here, accepted there, stored last, shown never."""

import os
import re
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from lumio.cli import private_file
from lumio.crypto import opaque
from tests.cli.conftest import REFUSED
from tests.support.http_server import Reply, Script
from tests.support.terminal import Lumio, new_key


def _files(lumio: Lumio) -> list[str]:
    return [path.read_text() for path in lumio.home.rglob("*") if path.is_file()]


def test_a_key_on_stdin_signs_in_and_is_kept_in_a_file_of_mode_0600(lumio: Lumio, server: Script, key: str) -> None:
    done = lumio("--server", server.origin, "login", "--with-token", stdin=f"{key}\n")
    assert done.code == 0
    assert "ci-github-actions" in done.stdout
    path = lumio.config / "credentials.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert key in path.read_text()
    assert server.asked[0].headers["authorization"] == f"Bearer {key}"


def test_the_home_that_other_tests_are_given_is_the_one_that_a_sign_in_leaves(
    signed_in: Lumio, server: Script, key: str, tmp_path: Path
) -> None:
    (tmp_path / "anew").mkdir()
    anew = Lumio(tmp_path / "anew", signed_in.folder, signed_in.variables)
    assert anew("login", "--with-token", stdin=key).code == 0
    assert _tree(signed_in.home) == _tree(anew.home)


def _tree(home: Path) -> dict[str, tuple[int, str]]:
    """Return mode and text of each file and folder, without the moment of the sign-in."""
    moment = re.compile(r'"signed_in_at": "[^"]+"')
    return {
        str(path.relative_to(home)): (path.stat().st_mode, moment.sub("", path.read_text() if path.is_file() else ""))
        for path in home.rglob("*")
    }


@pytest.mark.parametrize("arguments", [("--token", "-"), ("--with-token",)])
def test_both_ways_of_reading_stdin_work(lumio: Lumio, server: Script, key: str, arguments: tuple[str, ...]) -> None:
    assert lumio("login", *arguments, "--server", server.origin, stdin=key).code == 0


def test_login_token_with_a_key_works_and_says_nothing_about_history_in_a_pipe(
    lumio: Lumio, server: Script, key: str
) -> None:
    done = lumio("login", "--token", key, "--server", server.origin)
    assert done.code == 0
    assert "history" not in done.stderr


def test_on_a_terminal_the_key_as_an_argument_draws_one_line_about_history(
    lumio: Lumio, server: Script, key: str
) -> None:
    done = lumio.on_terminal("login", "--token", key, "--server", server.origin)
    assert done.code == 0
    assert done.stdout.count("history") == 1
    assert key not in done.stdout


@pytest.mark.parametrize("arguments", [("login",), ("login", "--token")])
def test_without_a_value_the_key_is_asked_for_and_not_echoed(
    lumio: Lumio, server: Script, key: str, arguments: tuple[str, ...]
) -> None:
    lumio.variables["LUMIO_SERVER"] = server.origin
    done = lumio.on_terminal(*arguments, typed=f"{key}\n")
    assert done.code == 0, done.stdout
    assert key not in done.stdout
    assert "ci-github-actions" in done.stdout


def test_without_a_value_and_without_a_terminal_it_is_wrong_usage(lumio: Lumio, server: Script) -> None:
    done = lumio("login", "--server", server.origin)
    assert done.code == 2
    assert "--with-token" in done.stderr


SPOILT: dict[str, Callable[[str], str]] = {
    "another last letter": lambda key: key[:-1] + ("A" if key[-1] != "A" else "B"),
    "one too few": lambda key: key[:-1],
    "one too many": lambda key: key + "0",
    "another product's": lambda _: "ghp_secretsecret",
    "a dash inside": lambda key: key[:20] + "-" + key[21:],
}


@pytest.mark.parametrize("how", SPOILT)
def test_a_mistyped_key_is_caught_before_any_server_is_asked(
    lumio: Lumio, server: Script, key: str, how: str
) -> None:
    spoilt = SPOILT[how](key)
    done = lumio("login", "--token", spoilt, "--server", server.origin)
    assert done.code == 4
    assert "mistyped" in done.stderr
    assert spoilt not in done.both
    assert server.asked == []
    assert not lumio.config.exists()


def test_another_kind_of_key_is_named_and_not_sent(lumio: Lumio, server: Script) -> None:
    done = lumio("login", "--token", opaque.mint(opaque.SYSTEM_KEY).text, "--server", server.origin)
    assert done.code == 4
    assert "system key" in done.stderr
    assert server.asked == []


def test_nothing_is_stored_when_the_server_refuses_the_key(lumio: Lumio, server: Script, key: str) -> None:
    server.on("GET /v1/users/me", Reply(401, REFUSED, {"X-Request-Id": "req-401"}))
    done = lumio("login", "--with-token", "--server", server.origin, stdin=key)
    assert done.code == 4
    assert "The key was refused" in done.stderr
    assert "req-401" in done.stderr
    assert f"{server.origin}/dashboard/account/security/api-keys" in done.stderr
    assert not any(key in text for text in _files(lumio))
    assert not (lumio.config / "profiles.json").exists()


def test_a_refused_second_key_leaves_the_first_one_in_place(signed_in: Lumio, server: Script, key: str) -> None:
    server.on("GET /v1/users/me", Reply(401, REFUSED))
    assert signed_in("login", "--with-token", stdin=new_key()).code == 4
    assert key in (signed_in.config / "credentials.json").read_text()


def test_login_refuses_while_the_variable_is_set(lumio: Lumio, server: Script, key: str) -> None:
    lumio.variables["LUMIO_TOKEN"] = key
    done = lumio("login", "--token", new_key(), "--server", server.origin)
    assert done.code == 1
    assert "LUMIO_TOKEN is set" in done.stderr
    assert server.asked == []


@pytest.mark.parametrize("mode", [0o604, 0o640, 0o666])
def test_a_credential_file_that_others_can_read_is_refused_with_the_way_to_close_it(
    signed_in: Lumio, server: Script, mode: int
) -> None:
    path = signed_in.config / "credentials.json"
    path.chmod(mode)
    done = signed_in("extensions", "list")
    assert done.code == 1
    assert f"chmod 600 '{path}'" in done.stderr
    assert server.asked == []


def test_a_kill_while_the_file_is_written_leaves_the_old_one_whole(
    signed_in: Lumio, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = signed_in.config / "credentials.json"

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", killed)
    with pytest.raises(KeyboardInterrupt):
        private_file.write(path, {"keys": {}})
    assert key in path.read_text()


def test_a_reader_of_the_old_file_reads_it_to_its_end_while_a_new_one_takes_its_place(
    signed_in: Lumio, key: str
) -> None:
    path = signed_in.config / "credentials.json"
    with path.open() as old:
        private_file.write(path, {"keys": {}})
        assert key in old.read()
    assert private_file.read(path, secret=True) == {"keys": {}}


def test_two_profiles_keep_two_keys(lumio: Lumio, server: Script, key: str) -> None:
    second = new_key()
    lumio.variables["LUMIO_SERVER"] = server.origin
    assert lumio("login", "--with-token", stdin=key).code == 0
    assert lumio("login", "--with-token", "--profile", "staging", stdin=second).code == 0
    for profile, expected in (("default", key), ("staging", second)):
        server.asked.clear()
        assert lumio("whoami", "--profile", profile).code == 0
        assert server.asked[0].headers["authorization"] == f"Bearer {expected}"


def test_a_profile_remembers_its_server(lumio: Lumio, server: Script, key: str) -> None:
    assert lumio("login", "--with-token", "--server", server.origin, stdin=key).code == 0
    assert lumio("whoami", "--json").json["server"] == server.origin


def test_logout_forgets_the_key(signed_in: Lumio, key: str) -> None:
    assert signed_in("logout").code == 0
    assert not any(key in text for text in _files(signed_in))
    assert signed_in("whoami").code == 4


def test_logout_with_revoke_revokes_the_stored_key_first(signed_in: Lumio, server: Script) -> None:
    path = "/v1/api-keys/0193a1b2-0000-7000-8000-00000000000a"
    server.on(f"DELETE {path}", Reply(200, {"data": {"id": "x"}}))
    assert signed_in("logout", "--revoke").code == 2  # nobody is there to say yes
    assert server.paths("DELETE") == []
    assert signed_in("logout", "--revoke", "--yes").code == 0
    assert server.paths("DELETE") == [path]


def test_the_key_is_kept_in_a_real_keyring_when_there_is_one(
    lumio: Lumio, server: Script, key: str, tmp_path: Path
) -> None:
    lumio.variables |= {
        "PYTHON_KEYRING_BACKEND": "tests.support.keyring_file.FileKeyring",
        "TEST_KEYRING": str(tmp_path / "ring.json"),
        "LUMIO_SERVER": server.origin,
    }
    assert lumio("login", "--with-token", stdin=key).code == 0
    assert key in (tmp_path / "ring.json").read_text()
    assert not any(key in text for text in _files(lumio))
    assert "keyring" in lumio("whoami").stdout
    assert lumio("logout").code == 0
    assert key not in (tmp_path / "ring.json").read_text()
