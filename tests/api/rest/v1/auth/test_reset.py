"""POST /v1/auth/reset and /v1/auth/reset/confirm."""

import asyncio
from datetime import timedelta

import time_machine

from lumio.crypto import opaque
from lumio.kernel import clock
from lumio.surface.http.carrier import SESSION_COOKIE
from tests.api.rest.mailbox import MailFolder, code, links
from tests.api.rest.outward import fields, seen
from tests.support.world import OPERATOR, PASSWORD, PUBLIC, World

ASK, CONFIRM = "/v1/auth/reset", "/v1/auth/reset/confirm"
OTHER = "copper-lantern-drifts-4-miles"


async def mailed_code(world: World, mail: MailFolder, count: int = 1) -> str:
    await world.anonymous().post(ASK, json={"email": OPERATOR})
    return code(await mail.newest_to(OPERATOR, count))


async def confirm(world: World, text: str, password: str = OTHER) -> int:
    return (await world.anonymous().post(CONFIRM, json={"code": text, "password": password})).status_code


async def login(world: World, password: str) -> int:
    answer = await world.anonymous().post("/v1/auth/login", json={"email": OPERATOR, "password": password})
    return answer.status_code


async def test_known_and_unknown_addresses_get_the_same_answer_and_one_of_them_a_mail(
    world: World, mail: MailFolder
) -> None:
    known = await world.anonymous().post(ASK, json={"email": OPERATOR})
    unknown = await world.anonymous().post(ASK, json={"email": "nobody@example.com"})
    assert known.status_code == 202
    assert seen(known) == seen(unknown)
    await mail.to(OPERATOR)
    await world.house.chores.stop()  # a last turn of the sender
    assert [letter["To"] for letter in mail.all()] == [OPERATOR]


async def test_the_link_sets_a_new_password_and_ends_every_session(world: World, mail: MailFolder) -> None:
    robin, page = await world.sign_in(), await world.page_client()
    assert await confirm(world, await mailed_code(world, mail)) == 200
    assert (await robin.get("/v1/users/me")).status_code == 401
    stolen = world.client(Cookie=f"{SESSION_COOKIE}={page.cookies[SESSION_COOKIE]}")
    assert (await stolen.get("/api/users/me")).status_code == 401
    assert [await login(world, one) for one in (PASSWORD, OTHER)] == [401, 200]


async def test_the_person_is_told_that_the_password_changed(world: World, mail: MailFolder) -> None:
    await confirm(world, await mailed_code(world, mail))
    letter = await mail.newest_to(OPERATOR, 2)
    assert "was changed" in letter["Subject"]
    assert not [one for one in links(letter) if "lm_" in one]


async def test_a_code_works_once_also_at_the_same_moment(world: World, mail: MailFolder) -> None:
    text = await mailed_code(world, mail)
    statuses = await asyncio.gather(*[confirm(world, text) for _ in range(4)])
    assert sorted(statuses) == [200, 404, 404, 404]


async def test_a_code_ends_after_fifteen_minutes(world: World, mail: MailFolder) -> None:
    text = await mailed_code(world, mail)
    with time_machine.travel(clock.now() + timedelta(minutes=15, seconds=1)):
        assert await confirm(world, text) == 404
    assert await login(world, PASSWORD) == 200


async def test_a_newer_code_and_a_changed_password_kill_the_older_ones(world: World, mail: MailFolder) -> None:
    first = await mailed_code(world, mail)
    second = await mailed_code(world, mail, 2)
    assert [await confirm(world, one) for one in (first, second, first, second)] == [404, 200, 404, 404]


async def test_the_link_keeps_the_configured_host_whatever_the_request_says(world: World, mail: MailFolder) -> None:
    evil = {"Host": "evil.example", "X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "http"}
    await world.client(**evil).post(ASK, json={"email": OPERATOR})
    letter = await mail.newest_to(OPERATOR)
    assert "evil" not in letter.as_string()
    assert links(letter)[0].startswith(f"{PUBLIC}/reset/lm_pwr_")


async def test_the_page_of_a_link_tells_no_other_site_about_it(world: World, mail: MailFolder) -> None:
    text = await mailed_code(world, mail)
    page = await world.anonymous().get(f"/reset/{text}")
    assert page.headers["referrer-policy"] == "no-referrer"
    assert page.headers["cache-control"] == "private, no-store"


async def test_a_weak_password_is_refused_and_the_code_not_spent(world: World, mail: MailFolder) -> None:
    text = await mailed_code(world, mail)
    answer = await world.anonymous().post(CONFIRM, json={"code": text, "password": "robin@example.com"})
    assert (answer.status_code, list(fields(answer))) == (422, ["password"])
    assert await confirm(world, text) == 200


async def test_made_up_and_foreign_codes_look_the_same(world: World, mail: MailFolder) -> None:
    await mailed_code(world, mail)
    tries = ["nonsense", opaque.mint(opaque.PASSWORD_RESET).text, opaque.mint(opaque.MAIL_VERIFICATION).text]
    answers = [await world.anonymous().post(CONFIRM, json={"code": one, "password": OTHER}) for one in tries]
    assert {answer.status_code for answer in answers} == {404}
    assert all(seen(answer) == seen(answers[0]) for answer in answers)


async def test_resetting_is_an_event_and_lifts_the_guessing_limit(world: World, mail: MailFolder) -> None:
    for _ in range(11):
        await login(world, "wrong-horse-battery")
    assert await login(world, PASSWORD) == 429
    await confirm(world, await mailed_code(world, mail))
    assert await login(world, OTHER) == 200
    answer = await world.anonymous().post("/v1/auth/login", json={"email": OPERATOR, "password": OTHER})
    told = await world.log(world.bearer(answer.json()["data"]["access_token"]))
    assert {"password.reset_asked", "password.reset"} <= {one["event"] for one in told}


async def test_keys_go_on_working(world: World, mail: MailFolder) -> None:
    made = await world.mint_key(await world.sign_in())
    await confirm(world, await mailed_code(world, mail))
    assert (await world.bearer(made["key"]).get("/v1/users/me")).status_code == 200
