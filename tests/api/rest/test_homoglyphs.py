"""Threat 54: two names that look alike are one, or are visibly two."""

from tests.api.rest.mailbox import MailFolder, code
from tests.api.rest.outward import count, fields
from tests.support.world import PASSWORD, World

SIGNUP = "/v1/auth/signup"


def form(email: str, name: str = "Sam") -> dict[str, str]:
    return {"email": email, "password": PASSWORD, "display_name": name}


async def test_spellings_of_one_address_are_one_person(world: World) -> None:
    for email in ("sam@example.com", "SAM@example.com", "Sam@Example.COM"):
        assert (await world.anonymous().post(SIGNUP, json=form(email))).status_code == 202
    assert await count(world, "SELECT count(*) FROM user_person WHERE lower(email) = 'sam@example.com'") == 1


async def test_an_address_with_letters_that_only_look_like_it_is_refused(world: World) -> None:
    looking_alike = (
        "r\u043ebin@example.com",  # Cyrillic o
        "robin@ex\u0430mple.com",  # Cyrillic a
        "\uff52obin@example.com",  # fullwidth r
        "robin@example\u3002com",  # ideographic full stop
        "rob\u0131n@example.com",  # dotless i
        "robin@example.com\u200b",  # zero-width space
        "robin\u00ad@example.com",  # soft hyphen
        "ro\u0308bin@example.com",  # combining diaeresis
    )
    for email in looking_alike:
        answer = await world.anonymous().post(SIGNUP, json=form(email))
        assert (answer.status_code, list(fields(answer))) == (422, ["email"]), ascii(email)
    assert await count(world, "SELECT count(*) FROM user_person") == 1


async def test_names_are_kept_in_one_form_without_disguise(world: World, mail: MailFolder) -> None:
    await world.anonymous().post(SIGNUP, json=form("sam@example.com", "\uff33\uff41\uff4d \ufb01ne  "))
    letter = await mail.newest_to("sam@example.com")
    await world.anonymous().post("/v1/auth/verify-email", json={"code": code(letter)})
    me = (await (await world.sign_in("sam@example.com")).get("/v1/users/me")).json()["data"]
    assert me["user"]["display_name"] == "Sam fine"
    assert me["account"]["name"] == "Sam fine’s account"


async def test_accounts_with_one_name_have_different_slugs(world: World, mail: MailFolder) -> None:
    slugs = set()
    for number in range(3):
        email = f"sam{number}@example.com"
        await world.anonymous().post(SIGNUP, json=form(email))
        await world.anonymous().post("/v1/auth/verify-email", json={"code": code(await mail.newest_to(email))})
        me = (await (await world.sign_in(email)).get("/v1/users/me")).json()["data"]
        slugs.add(me["account"]["slug"])
    assert len(slugs) == 3
    assert all(slug.isascii() and slug.startswith("sams-account") for slug in slugs)


async def test_a_slug_is_plain_letters_even_where_the_name_is_not(world: World, mail: MailFolder) -> None:
    await world.anonymous().post(SIGNUP, json=form("sam@example.com", "\u0430\u0441me"))
    await world.anonymous().post(
        "/v1/auth/verify-email", json={"code": code(await mail.newest_to("sam@example.com"))}
    )
    me = (await (await world.sign_in("sam@example.com")).get("/v1/users/me")).json()["data"]
    assert me["account"]["slug"].isascii()
