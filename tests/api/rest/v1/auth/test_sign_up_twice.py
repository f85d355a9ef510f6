"""Two people sign up with one address, and one of them does not own it: each link confirms its own sign-up only."""

import asyncio
from datetime import timedelta

import pytest
import time_machine

from lumio.kernel import clock
from tests.api.rest.mailbox import MailFolder, code
from tests.api.rest.outward import count, rows, seen
from tests.support.world import PASSWORD, World

SIGNUP, VERIFY, LOGIN = "/v1/auth/signup", "/v1/auth/verify-email", "/v1/auth/login"
NELE = "nele@example.com"
PLANTED = "mallory-planted-this-one-4"
FORMS = {
    "owner": {"email": NELE, "password": PASSWORD, "display_name": "Nele New"},
    "attacker": {"email": NELE.upper(), "password": PLANTED, "display_name": "Mallory"},
}


async def sign_up(world: World, mail: MailFolder, *order: str) -> dict[str, str]:
    """Sign up in this order; return the mailed code of each."""
    found = {}
    for who in order:
        email = FORMS[who]["email"]
        assert (await world.anonymous().post(SIGNUP, json=FORMS[who])).status_code == 202
        found[who] = code(await mail.newest_to(email))
    return found


async def confirm(world: World, text: str) -> int:
    return (await world.anonymous().post(VERIFY, json={"code": text})).status_code


async def login(world: World, password: str) -> int:
    return (await world.anonymous().post(LOGIN, json={"email": NELE, "password": password})).status_code


@pytest.mark.parametrize("order", [("owner", "attacker"), ("attacker", "owner")], ids=["after", "before"])
async def test_the_owners_link_confirms_the_owners_password_whenever_the_attacker_signed_up(
    world: World, mail: MailFolder, order: tuple[str, str]
) -> None:
    codes = await sign_up(world, mail, *order)
    assert await confirm(world, codes["owner"]) == 200
    assert (await login(world, PLANTED), await login(world, PASSWORD)) == (401, 200)
    me = (await (await world.sign_in(NELE)).get("/v1/users/me")).json()["data"]
    assert me["user"]["display_name"] == "Nele New"


async def test_one_confirmation_makes_every_other_link_void_and_keeps_no_password_of_theirs(
    world: World, mail: MailFolder
) -> None:
    codes = await sign_up(world, mail, "attacker", "owner")
    assert await confirm(world, codes["owner"]) == 200
    answers = [await world.anonymous().post(VERIFY, json={"code": one}) for one in (*codes.values(), "nonsense")]
    assert [answer.status_code for answer in answers] == [404] * 3
    assert all(seen(answer) == seen(answers[0]) for answer in answers)
    assert await login(world, PASSWORD) == 200
    assert await count(world, "SELECT count(*) FROM one_time_code WHERE password_hash IS NOT NULL") == 0
    assert await count(world, "SELECT count(*) FROM account") == 2


async def test_links_opened_at_the_same_moment_make_one_person_with_one_account(
    world: World, mail: MailFolder
) -> None:
    codes = await sign_up(world, mail, "attacker", "owner")
    statuses = await asyncio.gather(*[confirm(world, one) for one in codes.values()])
    assert sorted(statuses) == [200, 404]
    won = dict(zip(codes, statuses, strict=True))["owner"] == 200
    assert (await login(world, PASSWORD), await login(world, PLANTED)) == ((200, 401) if won else (401, 200))
    assert await count(world, "SELECT count(*) FROM account") == 2


async def test_a_reset_by_mail_ends_every_sign_up_that_waits(world: World, mail: MailFolder) -> None:
    codes = await sign_up(world, mail, "attacker")
    await world.anonymous().post("/v1/auth/reset", json={"email": NELE})
    reset = code(await mail.newest_to(NELE))
    answer = await world.anonymous().post("/v1/auth/reset/confirm", json={"code": reset, "password": PASSWORD})
    assert answer.status_code == 200
    assert await confirm(world, codes["attacker"]) == 404
    assert (await login(world, PLANTED), await login(world, PASSWORD)) == (401, 200)


async def test_the_mail_says_when_and_from_where_its_sign_up_came(world: World, mail: MailFolder) -> None:
    await world.anonymous("198.51.100.66").post(SIGNUP, json=FORMS["owner"])
    text = (await mail.newest_to(NELE)).get_content()
    assert "198.51.100.66" in text
    assert f"{clock.now():%Y-%m-%d}" in text
    assert "do not open the others" in text


async def test_a_sign_up_that_was_never_confirmed_is_forgotten_with_its_password(
    world: World, mail: MailFolder
) -> None:
    await sign_up(world, mail, "owner")
    (kept,) = await rows(world, "SELECT password_hash FROM one_time_code WHERE purpose = 'lm_vfy_'")
    assert kept["password_hash"].startswith("$argon2id$")
    assert await count(world, "SELECT count(*) FROM user_person WHERE password_hash IS NOT NULL") == 1
    codes = world.house.login._codes
    with time_machine.travel(clock.now() + timedelta(hours=23)):
        await codes.sweep(world.house.units)
    assert await count(world, "SELECT count(*) FROM one_time_code WHERE purpose = 'lm_vfy_'") == 1
    with time_machine.travel(clock.now() + timedelta(days=1, seconds=1)):
        await codes.sweep(world.house.units)
    assert await count(world, "SELECT count(*) FROM one_time_code WHERE purpose = 'lm_vfy_'") == 0
