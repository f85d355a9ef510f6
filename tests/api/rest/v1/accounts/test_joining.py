"""The page behind an invitation: whoever has no account makes one there, whoever has one signs in."""

import re

import httpx2

from tests.api.rest.mailbox import MailFolder
from tests.support.teams import SAM, Team
from tests.support.world import PASSWORD, PUBLIC, World

NEW = "kim@example.com"
ELSE = "copper-lantern-drifts-4-miles"


async def form_of(client: httpx2.AsyncClient, code: str) -> str:
    """Return the form token of the invitation's page."""
    page = await client.get(f"/invite/{code}")
    assert page.status_code == 200, page.text
    found = re.search(r'name="_csrf" value="([^"]+)"', page.text)
    assert found is not None
    return found.group(1)


async def join(world: World, code: str, password: str = PASSWORD, **more: str) -> httpx2.Response:
    client = world.client(Origin=PUBLIC)
    token = await form_of(client, code)
    fields = {"_csrf": token, "code": code, "display_name": "Kim", "password": password, **more}
    answer = await client.post("/api/join", data=fields)
    if answer.status_code == 303:
        assert (await client.get(answer.headers["location"])).status_code == 200
    return answer


async def test_a_new_person_joins_in_one_step_with_the_invited_address(
    team: Team, world: World, mail: MailFolder
) -> None:
    code = await team.invited(mail, NEW, "admin")
    answer = await join(world, code)
    assert (answer.status_code, answer.headers["location"]) == (303, "/dashboard/account/team")
    assert (await team.roles())[NEW] == "admin"
    kim = await world.sign_in(NEW)
    assert (await kim.get("/v1/users/me")).json()["data"]["account"]["id"] == team.account_id
    assert (await world.anonymous().get(f"/invite/{code}")).status_code == 404
    told = {one["event"]: one["actor"] for one in await world.log(team.robin) if one["actor"] == NEW}
    assert {"invitation.accepted", "member.joined", "user.mail_verified", "session.created"} <= set(told)


async def test_what_is_wrong_is_said_by_the_field_and_spends_nothing(
    team: Team, world: World, mail: MailFolder
) -> None:
    code = await team.invited(mail, NEW)
    for fields, words in (
        ({"password": "kim@example.com"}, "quickly guessed"), ({"password": "short"}, "at least 10"),
        ({"display_name": "\u202e"}, "visible text"), ({"email": "x@example.com"}, "no such field"),
    ):  # fmt: skip
        answer = await join(world, code, **fields)
        assert answer.status_code == 422, fields
        assert words in answer.text or "email" in fields
        assert fields.get("password", "no password") not in answer.text.replace(NEW, "")
    assert NEW not in await team.roles()
    assert (await join(world, code)).status_code == 303


async def test_an_invitation_to_a_known_person_never_sets_a_password(
    team: Team, world: World, mail: MailFolder
) -> None:
    code = await team.invited(mail, SAM)
    assert (await join(world, code, ELSE)).status_code == 409
    body = {"email": SAM, "password": ELSE}
    assert (await world.anonymous().post("/v1/auth/login", json=body)).status_code == 401
    page = await world.anonymous().get(f"/invite/{code}")
    assert f'name="next" value="/invite/{code}"' in page.text
    client = world.client(Origin=PUBLIC)
    fields = {"_csrf": await form_of(client, code), "next": f"/invite/{code}", "email": SAM, "password": PASSWORD}
    signed_in = await client.post("/api/login", data=fields)
    assert signed_in.headers["location"] == f"/invite/{code}"
    token = await form_of(client, code)
    joined = await client.post("/api/accept-invitation", data={"_csrf": token, "code": code})
    assert (joined.status_code, joined.headers["location"]) == (303, "/dashboard/account/team")
    assert (await client.get("/api/users/me")).json()["data"]["account"]["id"] == team.account_id


async def test_a_planted_sign_up_with_the_address_is_replaced_by_its_owner(
    team: Team, world: World, mail: MailFolder
) -> None:
    """Somebody signed up with Kim's address and a password of their own, and never confirmed it."""
    planted = {"email": NEW, "password": ELSE, "display_name": "Mallory"}
    assert (await world.anonymous().post("/v1/auth/signup", json=planted)).status_code == 202
    verification = (await mail.newest_to(NEW)).get_content().split("/verify/")[1].split()[0]
    code = await team.invited(mail, NEW, count=2)
    assert (await join(world, code)).status_code == 303
    body = {"email": NEW, "password": ELSE}
    assert (await world.anonymous().post("/v1/auth/login", json=body)).status_code == 401
    spent = await world.anonymous().post("/v1/auth/verify-email", json={"code": verification})
    assert spent.status_code == 404
    listed = (await team.robin.get(f"{team.path}/members")).json()["data"]
    assert next(one["name"] for one in listed if one["user"]["email"] == NEW) == "Kim"


async def test_whoever_is_signed_in_with_another_address_is_told_so(
    team: Team, world: World, mail: MailFolder
) -> None:
    code = await team.invited(mail, NEW)
    page = await world.page_client(SAM)
    shown = await page.get(f"/invite/{code}")
    assert f"You are signed in as {SAM}" in shown.text
    assert "/api/accept-invitation" not in shown.text
    token = re.search(r'name="_csrf" value="([^"]+)"', shown.text)
    assert token is not None
    forced = await page.post("/api/accept-invitation", data={"_csrf": token.group(1), "code": code})
    assert forced.status_code == 403
    assert SAM not in await team.roles()


async def test_the_switch_is_a_form_that_stays_in_one_s_own_accounts(
    team: Team, world: World, mail: MailFolder
) -> None:
    code = await team.invited(mail, SAM)
    await team.sam.post(f"/v1/invites/{code}/accept")
    page = await world.page_client(SAM)
    shown = await page.get("/dashboard/account/team")
    token = re.search(r'name="_csrf" value="([^"]+)"', shown.text)
    assert token is not None
    other = await world.new_person("eve@example.com")
    for account_id, status in ((other["account_id"], 404), (team.account_id, 303)):
        fields = {"_csrf": token.group(1), "account_id": account_id}
        assert (await page.post("/api/switch-account", data=fields)).status_code == status
    assert (await page.get("/api/users/me")).json()["data"]["account"]["id"] == team.account_id
    assert (await page.post("/api/switch-account", data={"account_id": team.account_id})).status_code == 403
