"""`lumio keys`: listing and revoking, and what is said of an old key."""

from typing import Any

import pytest

from tests.cli.conftest import EVENT, KEY_ID
from tests.support.http_server import Asked, Reply, Script
from tests.support.terminal import Lumio, new_key


def _key_item(**changes: object) -> dict[str, Any]:
    item = {
        "id": KEY_ID,
        "label": "ci-github-actions",
        "lookup_id": "A" * 12,
        "age_days": 3,
        "last_used_at": None,
    }
    return {**item, **changes}


def test_all_pages_of_the_keys_are_read_from_the_same_server(
    signed_in: Lumio, server: Script, other_server: Script
) -> None:
    def pages(asked: Asked) -> Reply:
        if "cursor=two" in asked.path:
            return Reply(200, {"data": [_key_item(id="b", label="second", age_days=97)], "_links": {}})
        link = {"next": {"href": f"{other_server.origin}/v1/api-keys?cursor=two"}}
        return Reply(200, {"data": [_key_item(id="a", label="first")], "_links": link})

    server.on("GET /v1/api-keys", pages)
    done = signed_in("keys", "list")
    assert done.code == 0, done.stderr
    rows = [line.split("\t") for line in done.stdout.splitlines()[1:]]
    assert [(row[1], row[-1]) for row in rows] == [("first", "3 days"), ("second", "97 days (rotate)")]
    assert other_server.asked == []


@pytest.mark.parametrize("wanted", [KEY_ID, "ci-github-actions", "lm_dev_" + "A" * 12])
def test_a_key_is_revoked_by_id_label_or_start(signed_in: Lumio, server: Script, wanted: str) -> None:
    server.on(
        "GET /v1/api-keys",
        Reply(200, {"data": [_key_item(), _key_item(id="z", label="z", lookup_id="Z" * 12)]}),
    )
    server.on(f"DELETE /v1/api-keys/{KEY_ID}", Reply(200, {"data": {"id": KEY_ID}}))
    done = signed_in("keys", "revoke", wanted, "--yes")
    assert done.code == 0, done.stderr
    assert server.paths("DELETE") == [f"/v1/api-keys/{KEY_ID}"]


@pytest.mark.parametrize(
    ("flags", "preferred", "effective", "word", "said"),
    [
        ((), "wait=10", True, "everywhere", "no node accepts it any more"),
        ((), "wait=10", False, "not-everywhere-yet", "after 10 s not every node has confirmed it"),
        (("--no-wait",), None, False, "not-everywhere-yet", "the nodes are being told"),
        (("--no-wait",), None, True, "everywhere", "no node accepts it any more"),
    ],
)
def test_a_revocation_waits_and_says_honestly_how_far_it_has_come(
    signed_in: Lumio,
    server: Script,
    flags: tuple[str, ...],
    preferred: str | None,
    effective: bool,
    word: str,
    said: str,
) -> None:
    receipt = {"id": KEY_ID, "revoked_at": "2026-11-21T10:00:00Z", "seq": 7, "effective": effective}
    server.on("GET /v1/api-keys", Reply(200, {"data": [_key_item()]}))
    server.on(f"DELETE /v1/api-keys/{KEY_ID}", Reply(200, {"data": receipt}))
    done = signed_in("keys", "revoke", KEY_ID, "--yes", *flags)
    assert done.stdout == f"{KEY_ID} revoked {word}\n"
    assert said in done.stderr
    assert server.asked[-1].headers.get("prefer") == preferred
    assert ("within 30 seconds, or serves nothing" in done.stderr) is not effective


def test_the_receipt_of_a_revocation_is_there_for_scripts(signed_in: Lumio, server: Script) -> None:
    receipt = {"id": KEY_ID, "revoked_at": "2026-11-21T10:00:00Z", "seq": 7, "effective": False}
    server.on("GET /v1/api-keys", Reply(200, {"data": [_key_item()]}))
    server.on(f"DELETE /v1/api-keys/{KEY_ID}", Reply(200, {"data": receipt}))
    assert signed_in("keys", "revoke", KEY_ID, "--yes", "--json").json == receipt


def test_nothing_is_revoked_without_a_yes(signed_in: Lumio, server: Script) -> None:
    server.on("GET /v1/api-keys", Reply(200, {"data": [_key_item()]}))
    assert signed_in("keys", "revoke", KEY_ID).code == 2
    assert signed_in.on_terminal("keys", "revoke", KEY_ID, typed="n\n").code == 1
    assert server.paths("DELETE") == []


def test_a_label_that_two_keys_have_revokes_neither(signed_in: Lumio, server: Script) -> None:
    server.on("GET /v1/api-keys", Reply(200, {"data": [_key_item(), _key_item(id="other")]}))
    done = signed_in("keys", "revoke", "ci-github-actions", "--yes")
    assert done.code == 1
    assert "2 keys have this label" in done.stderr
    assert server.paths("DELETE") == []


def test_a_whole_key_given_to_revoke_is_never_shown(signed_in: Lumio, server: Script) -> None:
    server.on("GET /v1/api-keys", Reply(200, {"data": [EVENT]}))
    whole = new_key()
    done = signed_in("keys", "revoke", whole, "--yes", "--debug")
    assert done.code == 1
    assert whole not in done.both


def test_an_old_key_draws_one_hint_a_day(signed_in: Lumio, server: Script) -> None:
    (signed_in.home / "state" / "lumio" / "hints.json").unlink(missing_ok=True)
    server.on(f"GET /v1/api-keys/{KEY_ID}", Reply(200, {"data": _key_item(age_days=97)}))
    server.on("GET /v1/audit-log", Reply(200, {"data": [EVENT]}))
    first, second = signed_in("audit", "list"), signed_in("audit", "list")
    assert "97 days old" in first.stderr
    assert first.stdout == second.stdout
    assert second.stderr == ""
    yesterday = signed_in.home / "state" / "lumio" / "hints.json"
    yesterday.write_text(yesterday.read_text().replace("-", "-0", 1))
    assert "97 days old" in signed_in("audit", "list").stderr


@pytest.mark.parametrize(
    "reply", [Reply(200, {"data": _key_item(age_days=90)}), Reply(403, {}), Reply(cut=True)], ids=str
)
def test_a_young_key_and_any_trouble_stay_unsaid(signed_in: Lumio, server: Script, reply: Reply) -> None:
    (signed_in.home / "state" / "lumio" / "hints.json").unlink(missing_ok=True)
    server.on(f"GET /v1/api-keys/{KEY_ID}", reply)
    server.on("GET /v1/audit-log", Reply(200, {"data": [EVENT]}))
    done = signed_in("audit", "list")
    assert (done.code, done.stderr) == (0, "")
