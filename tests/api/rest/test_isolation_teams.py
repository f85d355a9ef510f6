"""Threat 11, whole: each request of one account that names an id, sent again by another account, finds nothing."""

import re
from typing import Any

import httpx2

from lumio.surface.rest.openapi import described
from tests.api.rest.mailbox import MailFolder, code
from tests.api.rest.outward import rows
from tests.api.rest.test_isolation import Recorder
from tests.support.teams import MAX, SAM, Team, accept, make_team
from tests.support.world import World

TABLES = ("account", "member", "invitation", "billing", "api_key", "popout_token", "session")
MOVING = {"last_seen_at", "last_used_at", "last_used_ip"}
ELSEWHERE = ("/v1/admin/", "/developer/", "/v1/revocations/")
"""What names no thing of an account, and what has a test of its own."""


async def state(world: World) -> dict[str, list[str]]:
    """Return all that a request could have changed; times of use move by themselves."""
    return {
        table: sorted(
            str({name: value for name, value in row.items() if name not in MOVING})
            for row in await rows(world, f"SELECT * FROM {table}")  # noqa: S608 - names of our own tables
        )
        for table in TABLES
    }


async def a_day(team: Team, mail: MailFolder) -> Recorder:
    """Return what Robin asks in a day: each address that names an id, with ids of things that exist."""
    robin, recorder = team.robin, Recorder(team.robin)
    key = (await robin.post("/v1/api-keys", json={"label": "secret-project"})).json()["data"]["id"]
    token = (await robin.post("/v1/tokens", json={"label": "overlay"})).json()["data"]["id"]
    bot = await robin.post(f"{team.path}/sub-accounts", json={"name": "ci", "role": "member"})
    await team.invite(robin, "kim@example.com")
    invitation = (await robin.get(f"{team.path}/invites")).json()["data"][0]["id"]
    spent = await team.invited(mail, SAM)
    assert (await accept(team.sam, spent)).status_code == 200
    recorder.requests.clear()
    member = team.member(MAX)
    billing = {
        "legal_name": "A", "address_line1": "B", "city": "C", "postal_code": "D", "country": "DE",
        "currency": "EUR", "payout_method": "paypal", "payout_account": "a@example.com",
    }  # fmt: skip
    sent: list[tuple[str, str, Any]] = [
        ("GET", f"/v1/api-keys/{key}", None), ("POST", f"/v1/api-keys/{key}/rotate", None),
        ("DELETE", f"/v1/api-keys/{key}", None), ("GET", f"/v1/tokens/{token}", None),
        ("PATCH", f"/v1/tokens/{token}", {"label": "mine"}), ("DELETE", f"/v1/tokens/{token}", None),
        ("GET", team.path, None), ("PATCH", team.path, {"name": "mine"}), ("DELETE", team.path, None),
        ("POST", f"{team.path}/activate", None), ("GET", f"{team.path}/members", None),
        ("POST", f"{team.path}/transfer", {"member_id": team.ids[MAX]["member_id"]}),
        ("GET", f"{member}/departure", None), ("POST", f"{member}/confirm", None),
        ("PATCH", member, {"role": "admin"}), ("DELETE", member, None),
        ("DELETE", f"{team.path}/members/me", None), ("GET", f"{team.path}/invites", None),
        ("POST", f"{team.path}/invites", {"email": "new@example.com", "role": "member"}),
        ("DELETE", f"{team.path}/invites/{invitation}", None), ("GET", f"{team.path}/sub-accounts", None),
        ("POST", f"{team.path}/sub-accounts", {"name": "spy", "role": "admin"}),
        ("DELETE", f"{team.path}/sub-accounts/{bot.json()['data']['id']}", None),
        ("GET", f"{team.path}/billing", None), ("PUT", f"{team.path}/billing", billing),
        ("POST", f"/v1/invites/{spent}/accept", None),
    ]  # fmt: skip
    recorder.requests = [robin.build_request(method, path, json=body) for method, path, body in sent]
    return recorder


async def test_every_request_of_one_account_that_names_an_id_finds_nothing_for_another(
    world: World, mail: MailFolder
) -> None:
    team = await make_team(world)
    recorder = await a_day(team, mail)
    await world.new_person("eve@example.com")
    eve = await world.sign_in("eve@example.com")
    key = world.bearer((await world.mint_key(eve))["key"])
    before = await state(world)
    for other in (eve, key):
        for request, answer in await recorder.replay(other):
            where = (request.method, request.url.path, answer.text)
            if other is key and answer.status_code == 403:
                assert answer.json()["code"] == "step_up_required" or request.url.path.endswith("/activate"), where
                continue
            assert answer.status_code == 404, where
            assert "secret-project" not in answer.text
    assert await state(world) == before


async def test_an_id_of_another_account_is_nothing_in_one_s_own(world: World, mail: MailFolder) -> None:
    """The address names one's own account, the rest of it somebody else's things."""
    team = await make_team(world)
    recorder = await a_day(team, mail)
    home = (await world.new_person("eve@example.com"))["account_id"]
    eve = await world.sign_in("eve@example.com")
    before = await state(world)
    for request in recorder.requests:
        below = request.url.path.removeprefix(team.path)
        named = re.fullmatch(r"/(members|invites|sub-accounts)/(?!me)[^/]+(/departure)?", below)
        if below != request.url.path and named:
            answer = await eve.request(
                request.method,
                f"/v1/accounts/{home}{below}",
                content=request.content or None,
                headers={"Content-Type": "application/json"},
            )
            assert answer.status_code == 404, (request.method, below, answer.text)
    transfer = await eve.post(f"/v1/accounts/{home}/transfer", json={"member_id": team.ids[MAX]["member_id"]})
    assert transfer.status_code == 422
    assert await state(world) == before


async def test_every_address_with_an_id_was_sent_again(world: World, mail: MailFolder) -> None:
    team = await make_team(world)
    recorder = await a_day(team, mail)
    wanted = {
        (one.method, _shape(one.path))
        for one in described(world.house.web)
        if "{" in one.path and not one.path.startswith(ELSEWHERE)
    }
    assert {(one.method, _shape(one.url.path)) for one in recorder.requests} == wanted


def _shape(path: str) -> str:
    """Return an address with a star for each id."""
    words = {"v1", "accounts", "members", "me", "departure", "invites", "sub-accounts", "billing", "transfer"}
    words |= {"activate", "api-keys", "tokens", "rotate", "accept", "confirm"}
    return "/".join(part if part in words or not part else "*" for part in path.split("/"))


async def test_a_mailed_code_tells_another_person_nothing_of_the_account(world: World, mail: MailFolder) -> None:
    team = await make_team(world)
    await team.invite(team.robin, "kim@example.com")
    invitation = code(await mail.newest_to("kim@example.com"))
    answer: httpx2.Response = await accept(team.sam, invitation)
    assert answer.status_code == 403
    assert not [name for name in ("Acme", team.account_id, "kim@") if name in answer.text]
