"""Threat 33: whatever is sent, the answer is a clear refusal, and others are served meanwhile."""

import asyncio
import json
import time
from collections.abc import AsyncIterator

import httpx2

from tests.api.rest.outward import count, fields
from tests.support.world import World

KEYS, LOGIN, SIGNUP = "/v1/api-keys", "/v1/auth/login", "/v1/auth/signup"
JSON = {"Content-Type": "application/json"}
MIB = 1024 * 1024


async def send(client: httpx2.AsyncClient, content: bytes, content_type: str = "application/json") -> httpx2.Response:
    return await client.post(KEYS, content=content, headers={"Content-Type": content_type} if content_type else {})


async def test_what_is_no_json_is_a_400_that_says_so(world: World) -> None:
    robin = await world.sign_in()
    broken = [
        b"",
        b"{",
        b"nonsense",
        b"{'label': 'x'}",
        b'{"label": "x",}',
        b'{"label": "x"} {}',
        b"\x00",
        b"\xff\xfe{}",
    ]
    broken += [b'{"label": "\xff"}', b'{"label": "\xed\xa0\x80"}', b'\xef\xbb\xbf{"label": "x"}', b'{"label": NaN}']
    for content in broken:
        answer = await send(robin, content)
        assert (answer.status_code, answer.json()["code"]) == (400, "validation_error"), content
        assert answer.json()["errors"][0]["message"]
    assert await count(world, "SELECT count(*) FROM api_key") == 0


async def test_another_content_type_is_refused_before_the_body_counts(world: World) -> None:
    robin = await world.sign_in()
    types = (
        "",
        "text/plain",
        "text/json",
        "application/xml",
        "application/x-www-form-urlencoded",
        "application/jsonp",
    )
    for content_type in types:
        answer = await send(robin, b'{"label": "x"}', content_type)
        assert (answer.status_code, fields(answer)) == (400, {"": "content_type"}), content_type
    assert (await send(robin, b'{"label": "x"}', "Application/JSON; charset=utf-8")).status_code == 201


async def test_json_that_is_no_object_is_refused(world: World) -> None:
    robin = await world.sign_in()
    for content in (b"[]", b'"label"', b"1", b"null", b"true", b'[{"label": "x"}]'):
        answer = await send(robin, content)
        assert (answer.status_code, fields(answer)) == (422, {"": "type"}), content


async def test_nul_and_lone_surrogates_are_refused_by_name_in_every_field(world: World) -> None:
    robin = await world.sign_in()
    form = {"email": "new@example.com", "password": "violet-otter-sings-9-times", "display_name": "New"}
    places: list[tuple[httpx2.AsyncClient, str, dict[str, str], str]] = [(robin, KEYS, {"label": "x"}, "label")]
    places += [(world.anonymous(), SIGNUP, form, name) for name in form]
    for client, path, good, name in places:
        for trick in ("\\u0000", "x\\u0000y" * 6):
            content = json.dumps(good | {name: "HERE"}).replace("HERE", trick).encode()
            answer = await client.post(path, content=content, headers=JSON)
            assert (answer.status_code, fields(answer)) == (422, {name: "characters"}), (path, name)
        for trick in ("\\ud800", "a\\udfffb"):
            content = json.dumps(good | {name: "HERE"}).replace("HERE", trick).encode()
            answer = await client.post(path, content=content, headers=JSON)
            assert answer.status_code == 400, (path, name)
    for trick in ("\\u0000", "\\ud800"):
        answer = await send(robin, f'{{"label": "x", "{trick}": 1}}'.encode())
        assert answer.status_code in {400, 422}
    assert await count(world, "SELECT count(*) FROM api_key") == 0


async def test_numbers_beyond_reason_are_refused_by_name(world: World) -> None:
    robin = await world.sign_in()
    for number in (b"9" * 5000, b"1e400", b"-1e400", b"1e-400", b"0." + b"3" * 5000, b"-" + b"9" * 40):
        for name in (b"label", b"expires_at"):
            answer = await send(robin, b'{"label": "x", "' + name + b'": ' + number + b"}")
            assert answer.status_code in {400, 422}, (number[:8], name)


async def test_deep_json_is_refused_quickly(world: World) -> None:
    robin = await world.sign_in()
    deep = [
        b"[" * 33 + b"]" * 33,
        b"[" * 100_000,
        b"[" * 50_000 + b"]" * 50_000,
        b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
    ]
    started = time.monotonic()
    for content in deep:
        answer = await send(robin, content)
        assert answer.status_code == 400
    assert time.monotonic() - started < 20


async def test_a_body_over_one_mebibyte_is_a_413_also_without_a_length(world: World) -> None:
    robin = await world.sign_in()

    async def endless() -> AsyncIterator[bytes]:
        for _ in range(64):
            yield b"x" * 65_536

    answers = [await send(robin, b'{"label": "' + b"x" * MIB + b'"}')]
    answers.append(await robin.post(KEYS, content=endless(), headers=JSON))
    lying = {**JSON, "Content-Length": "20"}
    answers.append(await robin.post(KEYS, content=endless(), headers=lying))
    for answer in answers:
        assert (answer.status_code, answer.json()["code"]) == (413, "payload_too_large")
    assert (await send(robin, b'{"label": "x"}')).status_code == 201


async def test_many_fields_and_long_names_get_a_short_answer(world: World) -> None:
    robin = await world.sign_in()
    many = json.dumps({f"field-{number}": number for number in range(40_000)}).encode()
    long = json.dumps({"x" * 900_000: 1}).encode()
    for content in (many, long):
        answer = await send(robin, content)
        assert answer.status_code == 422
        assert len(answer.content) < 8_000


async def test_a_long_address_is_refused_before_it_is_matched(world: World) -> None:
    started = time.monotonic()
    for email in ("a@" + "a" * 900_000 + "!", "a@" + "a-" * 400_000, "a" * 900_000, "a@" + "a." * 400_000):
        answer = await world.anonymous().post(
            SIGNUP, json={"email": email, "password": "violet-otter-sings-9-times", "display_name": "x"}
        )
        assert (answer.status_code, list(fields(answer))) == (422, ["email"])
    assert time.monotonic() - started < 20


async def test_queries_beyond_reason_are_refused(world: World) -> None:
    robin = await world.sign_in()
    for text in (
        "&".join(f"f{number}=%20" for number in range(5_000)),
        "limit=" + "9" * 50_000,
        "%" * 9_000,
        "=&" * 2_000,
    ):
        answer = await robin.get(f"{KEYS}?{text}")
        assert answer.status_code in {400, 422}, text[:20]
        assert len(answer.content) < 8_000


async def test_header_floods_break_nothing(world: World) -> None:
    robin = await world.sign_in()
    many = [(f"X-Flood-{number}", "x" * 100) for number in range(2_000)]
    assert (await robin.get(KEYS, headers=many)).status_code == 200
    cookies = [("Cookie", "; ".join(f"c{number}=x" for number in range(3_000)))]
    assert (await world.anonymous().get("/api/users/me", headers=cookies)).status_code == 401
    for value in ("a=b;" * 5_000, "=", ";", '"', "__Host-lumio", '__Host-lumio="', "\x7f\x80"):
        answer = await world.anonymous().get("/api/users/me", headers={b"Cookie": value.encode("latin-1")})
        assert answer.status_code == 401, value[:10]


async def test_a_sender_that_gives_up_in_the_middle_leaves_nothing_behind(world: World) -> None:
    robin = await world.sign_in()

    async def breaking() -> AsyncIterator[bytes]:
        yield b'{"label": '
        raise ConnectionError

    for _ in range(3):
        try:
            answer = await robin.post(KEYS, content=breaking(), headers=JSON)
        except ConnectionError:
            continue
        assert answer.status_code >= 400
    assert await count(world, "SELECT count(*) FROM api_key") == 0
    assert (await robin.get(KEYS)).status_code == 200


async def test_others_are_served_while_bad_bodies_pour_in(world: World) -> None:
    robin = await world.sign_in()
    bad = [send(robin, b"[" * 500_000) for _ in range(10)] + [send(robin, b"x" * 3 * MIB) for _ in range(10)]
    good = [robin.get("/v1/users/me") for _ in range(10)]
    answers = await asyncio.gather(*bad, *good)
    assert {answer.status_code for answer in answers[:20]} == {400, 413}
    assert {answer.status_code for answer in answers[20:]} == {200}
