"""POST /v1/auth/signup."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import time_machine

from lumio.kernel import clock
from lumio.settings import Settings
from tests.api.rest.mailbox import MailFolder, code, links, mail_server
from tests.api.rest.outward import count, fields, rows, seen
from tests.support.world import OPERATOR, PASSWORD, PUBLIC, World, opened

SIGNUP = "/v1/auth/signup"


def form(email: str = "new@example.com", **changed: str) -> dict[str, str]:
    return {"email": email, "password": PASSWORD, "display_name": "Nele New", **changed}


async def test_a_new_person_gets_a_link_and_nothing_else_yet(world: World, mail: MailFolder) -> None:
    answer = await world.anonymous().post(SIGNUP, json=form())
    assert answer.status_code == 202
    letter = await mail.newest_to("new@example.com")
    assert links(letter)[0].startswith(f"{PUBLIC}/verify/lm_vfy_")
    assert "Nele New" in letter.get_content()
    assert await count(world, "SELECT count(*) FROM account") == 1


async def test_a_sign_up_that_nobody_confirmed_signs_in_no_more_than_a_stranger(world: World) -> None:
    await world.anonymous().post(SIGNUP, json=form())
    await world.anonymous().post(SIGNUP, json=form(OPERATOR, password="another-otter-sings-9"))
    tries = {"new@example.com": PASSWORD, OPERATOR: "another-otter-sings-9", "nobody@example.com": PASSWORD}
    answers = [
        await world.anonymous().post("/v1/auth/login", json={"email": email, "password": password})
        for email, password in tries.items()
    ]
    assert [answer.status_code for answer in answers] == [401] * 3
    assert all(seen(answer) == seen(answers[0]) for answer in answers)


async def test_a_known_address_gets_the_truth_by_mail_and_its_account_stays(world: World, mail: MailFolder) -> None:
    (before,) = await rows(world, "SELECT * FROM user_person")
    known = await world.anonymous().post(SIGNUP, json=form(OPERATOR))
    unknown = await world.anonymous().post(SIGNUP, json=form())
    assert seen(known) == seen(unknown)
    letter = await mail.newest_to(OPERATOR)
    assert "already have" in letter["Subject"]
    assert "lm_" not in letter.get_content()
    after = await rows(world, "SELECT * FROM user_person WHERE id = :id", id=before["id"])
    assert after == [before]


async def test_many_at_once_answer_alike_for_known_and_unknown_addresses(world: World) -> None:
    for email in (OPERATOR, "new@example.com"):
        answers = await asyncio.gather(*[world.anonymous().post(SIGNUP, json=form(email)) for _ in range(6)])
        assert {answer.status_code for answer in answers} == {202}, email
        assert await count(world, "SELECT count(*) FROM user_person WHERE email = :email", email=email) == 1


async def test_a_password_that_is_quickly_guessed_is_refused_with_advice(world: World) -> None:
    for password in ("short", "password123", "new@example.com", "qwertyuiop12", "a" * 1001):
        answer = await world.anonymous().post(SIGNUP, json=form(password=password))
        assert (answer.status_code, list(fields(answer))) == (422, ["password"]), password
        assert password not in answer.text
    assert await count(world, "SELECT count(*) FROM user_person") == 1


async def test_a_name_that_breaks_a_rule_is_refused_alike_for_known_and_unknown_addresses(world: World) -> None:
    disguised = ("evil\u202egnp", "zero\u200bwidth", "bell\a", "a\nb", "a\u2028b")
    for name in ("", " ", "x" * 101, "\ufdfa" * 100, *disguised):
        for email in (OPERATOR, "new@example.com"):
            answer = await world.anonymous().post(SIGNUP, json=form(email, display_name=name))
            assert (answer.status_code, list(fields(answer))) == (422, ["display_name"]), (name, email)


async def test_an_address_that_is_none_is_refused(world: World) -> None:
    headers = ("a@example.com\n", "a@example.com\r\nBcc: all@example.com")
    names = ("", "robin", "robin@", "@example.com", "a b@example.com", "röbin@example.com", "x" * 65 + "@x.com")
    hosts = ("a@exa_mple.com", "a@-example.com", "a@example..com", "a@" + "x" * 254)
    for email in (*headers, *names, *hosts):
        answer = await world.anonymous().post(SIGNUP, json=form(email))
        assert (answer.status_code, list(fields(answer))) == (422, ["email"]), email


async def test_the_link_goes_to_the_configured_host_whatever_the_request_says(world: World, mail: MailFolder) -> None:
    evil = {"Host": "evil.example", "X-Forwarded-Host": "evil.example", "Forwarded": "host=evil.example"}
    answer = await world.client(**evil).post(SIGNUP, json=form())
    assert answer.status_code == 202
    letter = await mail.newest_to("new@example.com")
    assert "evil" not in letter.as_string()
    assert links(letter)[0].startswith(PUBLIC)


async def test_signing_up_is_an_event(world: World) -> None:
    await world.anonymous().post(SIGNUP, json=form())
    told = await rows(world, "SELECT event, result, ip FROM audit_event WHERE event = 'user.signed_up'")
    assert told == [{"event": "user.signed_up", "result": "success", "ip": "203.0.113.7"}]


async def test_mails_go_by_the_mail_server_that_is_set(settings: Settings) -> None:
    async with mail_server() as server, opened(replace(settings, smtp_url=server.url)) as world:
        await world.anonymous().post(SIGNUP, json=form())
        await server.wait(1)
        (letter,) = server.mails
        assert server.receivers == ["new@example.com"]
        assert letter["To"] == "new@example.com"
        assert letter["Auto-Submitted"] == "auto-generated"
        done = await world.anonymous().post("/v1/auth/verify-email", json={"code": code(letter)})
        assert done.status_code == 200
        assert not settings.mail_dir.exists()


async def test_a_mail_that_the_server_refuses_is_not_lost(settings: Settings) -> None:
    async with mail_server() as server, opened(replace(settings, smtp_url=server.url)) as world:
        server.refusing = True
        assert (await world.anonymous().post(SIGNUP, json=form())).status_code == 202
        put_back = "SELECT count(*) FROM outbox WHERE attempts = 1 AND claimed_until IS NULL"
        async with asyncio.timeout(20):
            while await count(world, put_back) == 0:  # noqa: ASYNC110 - the sender tells nobody
                await asyncio.sleep(0.05)
        server.refusing = False
        with time_machine.travel(clock.now() + timedelta(minutes=1)):
            await server.wait(1)
        assert server.receivers == ["new@example.com"]
