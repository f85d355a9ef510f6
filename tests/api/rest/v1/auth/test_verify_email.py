"""POST /v1/auth/verify-email."""

import asyncio
from datetime import timedelta

import time_machine

from lumio.crypto import opaque
from lumio.kernel import clock
from tests.api.rest.mailbox import MailFolder, code
from tests.api.rest.outward import count, rows, seen
from tests.support.world import PASSWORD, World

VERIFY = "/v1/auth/verify-email"
NEW = {"email": "new@example.com", "password": PASSWORD, "display_name": "Nele New"}


async def mailed_code(world: World, mail: MailFolder) -> str:
    await world.anonymous().post("/v1/auth/signup", json=NEW)
    return code(await mail.newest_to("new@example.com"))


async def test_the_mailed_code_opens_the_persons_own_account(world: World, mail: MailFolder) -> None:
    answer = await world.anonymous().post(VERIFY, json={"code": await mailed_code(world, mail)})
    assert answer.status_code == 200
    me = (await (await world.sign_in("new@example.com")).get("/v1/users/me")).json()["data"]
    robin = (await (await world.sign_in()).get("/v1/users/me")).json()["data"]
    assert (me["role"], me["user"]["display_name"]) == ("owner", "Nele New")
    assert me["account"]["id"] != robin["account"]["id"]
    assert not [name for name in me["permissions"] if name.startswith("admin:")]


async def test_a_code_works_once_also_at_the_same_moment(world: World, mail: MailFolder) -> None:
    body = {"code": await mailed_code(world, mail)}
    answers = await asyncio.gather(*[world.anonymous().post(VERIFY, json=body) for _ in range(5)])
    assert sorted(answer.status_code for answer in answers) == [200, 404, 404, 404, 404]
    assert await count(world, "SELECT count(*) FROM account") == 2


async def test_a_code_ends_after_a_day(world: World, mail: MailFolder) -> None:
    body = {"code": await mailed_code(world, mail)}
    with time_machine.travel(clock.now() + timedelta(days=1, seconds=1)):
        assert (await world.anonymous().post(VERIFY, json=body)).status_code == 404


async def test_unknown_misspelled_and_foreign_codes_look_the_same(world: World, mail: MailFolder) -> None:
    good = await mailed_code(world, mail)
    other = opaque.mint(opaque.MAIL_VERIFICATION).text
    wrong_secret = good[:19] + other[19:-6]
    wrong_secret += opaque.checksum(wrong_secret)
    tries = [other, "nonsense", wrong_secret, good[:-1] + "~", opaque.mint(opaque.PASSWORD_RESET).text]
    answers = [await world.anonymous().post(VERIFY, json={"code": one}) for one in tries]
    assert [answer.status_code for answer in answers] == [404] * 5
    assert all(seen(answer) == seen(answers[0]) for answer in answers)
    assert (await world.anonymous().post(VERIFY, json={"code": good})).status_code == 200


async def test_confirming_is_an_event_of_the_new_account(world: World, mail: MailFolder) -> None:
    await world.anonymous().post(VERIFY, json={"code": await mailed_code(world, mail)})
    told = {one["event"] for one in await world.log(await world.sign_in("new@example.com"))}
    assert {"user.mail_verified", "account.created", "session.created"} <= told


async def test_the_database_keeps_a_fingerprint_only(world: World, mail: MailFolder) -> None:
    good = await mailed_code(world, mail)
    (row,) = await rows(world, "SELECT * FROM one_time_code WHERE purpose = 'lm_vfy_'")
    assert bytes(row["digest"]) not in good.encode()
    assert len(bytes(row["digest"])) == 32
    assert good not in str(row)


async def test_the_longest_name_can_be_confirmed_too(world: World, mail: MailFolder) -> None:
    await world.anonymous().post("/v1/auth/signup", json=NEW | {"display_name": "N" * 100})
    good = code(await mail.newest_to("new@example.com"))
    assert (await world.anonymous().post(VERIFY, json={"code": good})).status_code == 200
