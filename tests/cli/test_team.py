"""`lumio team`: the list, invitations, roles, and a removal that shows first what ends with it."""

import json
from typing import Any

import pytest

from tests.cli.conftest import ME
from tests.support.http_server import Reply, Script
from tests.support.terminal import Lumio

HOME = f"/v1/accounts/{ME['account']['id']}"  # type: ignore[index]
MAX_ID, BOT_ID = "0193a1b2-0000-7000-8000-0000000000b1", "0193a1b2-0000-7000-8000-0000000000b2"


def _member(member_id: str, name: str, email: str | None, **more: object) -> dict[str, Any]:
    user = {"id": f"u-{member_id}", "email": email, "display_name": name} if email else None
    kind = "person" if email else "sub_account"
    given = {"id": member_id, "user": user, "name": name, "role": "member", "kind": kind}
    return {**given, "joined_at": "2026-11-21T10:00:00Z", "two_factor": False, "suspended": False, **more}


MEMBERS = [_member(MAX_ID, "Max", "max@example.com"), _member(BOT_ID, "ci-bot", None)]
PLAN = {
    "member": MEMBERS[0],
    "api_keys": [
        {"label": "ci-max", "prefix": "lm_dev_", "lookup_id": "A" * 12,
         "last_used_at": "2026-11-21T10:00:00Z", "last_used_ip": "192.0.2.7"},
    ],
    "popout_tokens": [{"label": "overlay", "prefix": "lm_pop_", "lookup_id": "B" * 12, "last_used_at": None}],
}  # fmt: skip
RECEIPT = {"id": MAX_ID, "api_keys": 1, "popout_tokens": 1, "seq": 7, "effective": True}
STEP_UP = {"code": "step_up_required", "detail": "Prove again that it is you.", "status": 403}


@pytest.fixture
def team(signed_in: Lumio, server: Script) -> Lumio:
    server.on(f"GET {HOME}/members", Reply(200, {"data": MEMBERS}))
    server.on(f"GET {HOME}/members/{MAX_ID}/departure", Reply(200, {"data": PLAN}))
    server.on(f"GET {HOME}/members/{BOT_ID}/departure", Reply(200, {"data": {**PLAN, "popout_tokens": []}}))
    return signed_in


def test_the_list_shows_people_and_sub_accounts(team: Lumio) -> None:
    done = team("team", "list")
    assert done.code == 0, done.stderr
    assert [line.split("\t")[1:5] for line in done.stdout.splitlines()[1:]] == [
        ["Max", "max@example.com", "member", "person"],
        ["ci-bot", "", "member", "sub_account"],
    ]
    assert json.loads(team("team", "list", "--json").stdout)["members"] == MEMBERS


def test_an_invitation_carries_the_role_and_never_an_owner(team: Lumio, server: Script) -> None:
    server.on(f"POST {HOME}/invites", Reply(201, {"data": {"id": "i1", "email": "kim@example.com"}}))
    done = team("team", "invite", "kim@example.com", "--role", "admin")
    assert (done.code, done.stdout) == (0, "i1 invited\n")
    assert server.asked[-1].json == {"email": "kim@example.com", "role": "admin"}
    assert team("team", "invite", "kim@example.com", "--role", "owner").code == 2


def test_a_removal_shows_the_plan_first_and_asks(team: Lumio, server: Script) -> None:
    server.on(f"DELETE {HOME}/members/{MAX_ID}", Reply(200, {"data": RECEIPT}))
    unasked = team("team", "remove", "max@example.com")
    assert unasked.code == 2
    assert "developer key ci-max, last used 2026-11-21T10:00:00Z from 192.0.2.7" in unasked.stderr
    assert "popout token overlay, last used never" in unasked.stderr
    assert server.paths("DELETE") == []
    done = team("team", "remove", "MAX@example.com", "--yes")
    assert (done.code, done.stdout) == (0, f"{MAX_ID} removed\n")
    assert server.paths("DELETE") == [f"{HOME}/members/{MAX_ID}"]


def test_a_sub_account_is_deleted_at_its_own_address(team: Lumio, server: Script) -> None:
    server.on(f"DELETE {HOME}/sub-accounts/{BOT_ID}", Reply(200, {"data": {**RECEIPT, "id": BOT_ID}}))
    assert team("team", "remove", "ci-bot", "--yes").code == 0
    assert server.paths("DELETE") == [f"{HOME}/sub-accounts/{BOT_ID}"]


def test_a_role_is_changed_by_name_or_address(team: Lumio, server: Script) -> None:
    server.on(f"PATCH {HOME}/members/{MAX_ID}", Reply(200, {"data": {**MEMBERS[0], "role": "admin"}}))
    for name in ("Max", "max@example.com", MAX_ID):
        done = team("team", "role", name, "admin")
        assert (done.code, done.stdout) == (0, f"{MAX_ID} admin\n")
    assert server.asked[-1].json == {"role": "admin"}
    assert team("team", "role", "nobody", "admin").code == 1


def test_the_departure_plan_is_a_command_of_its_own(team: Lumio) -> None:
    done = team("team", "departure", "Max")
    assert [line.split("\t")[:2] for line in done.stdout.splitlines()[1:]] == [
        ["developer key", "ci-max"], ["popout token", "overlay"],
    ]  # fmt: skip
    assert json.loads(team("team", "departure", "Max", "--json").stdout) == PLAN


def test_what_a_key_cannot_do_leads_to_the_page_of_the_team(team: Lumio, server: Script) -> None:
    server.on(f"DELETE {HOME}/members/{MAX_ID}", Reply(403, STEP_UP))
    server.on(f"PATCH {HOME}/members/{MAX_ID}", Reply(403, STEP_UP))
    server.on(f"POST {HOME}/invites", Reply(403, STEP_UP))
    for arguments in (("remove", "Max", "--yes"), ("role", "Max", "admin"), ("invite", "kim@example.com")):
        done = team("team", *arguments)
        assert done.code == 4, arguments
        assert f"{server.origin}/dashboard/account/team" in done.stderr
