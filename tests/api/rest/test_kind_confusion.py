"""Threat 7: a credential of one kind, presented as another or in another place, is nobody's."""

from lumio.crypto import opaque
from lumio.surface.http.carrier import SESSION_COOKIE
from tests.api.rest.outward import rows, seen
from tests.support.world import World

ADDRESSES = ("/v1/users/me", "/v1/api-keys", "/v1/audit-log", "/api/users/me", "/api/api-keys")


def all_kinds(genuine: str) -> list[str]:
    """Return a well-formed key of every prefix, and a genuine one under every other prefix."""
    body = genuine[opaque.PREFIX_LENGTH : -opaque.CHECKSUM_LENGTH]
    disguised = [prefix + body for prefix in opaque.PREFIXES if not genuine.startswith(prefix)]
    return [opaque.mint(prefix).text for prefix in opaque.PREFIXES] + [
        one + opaque.checksum(one) for one in disguised
    ]


async def test_no_other_kind_opens_any_address_by_the_authorization_header(world: World) -> None:
    made = await world.mint_key(await world.sign_in())
    baseline = seen(await world.bearer("nonsense").get(ADDRESSES[0]))
    for credential in all_kinds(made["key"]):
        for path in ADDRESSES:
            assert seen(await world.bearer(credential).get(path)) == baseline, (credential[:7], path)


async def test_a_genuine_credential_in_the_wrong_place_is_refused(world: World) -> None:
    robin = await world.sign_in()
    access = robin.headers["Authorization"].removeprefix("Bearer ")
    key = (await world.mint_key(robin))["key"]
    page = await world.page_client()
    cookie = page.cookies[SESSION_COOKIE]
    baseline = seen(await world.bearer("nonsense").get(ADDRESSES[0]))
    wrong_places = [
        await world.anonymous().get(ADDRESSES[0], params={"token": key}),
        await world.anonymous().get(ADDRESSES[0], params={"token": access}),
        await world.anonymous().get(ADDRESSES[0], params={"api_key": key}),
        await world.anonymous().get(f"{ADDRESSES[0]}?%74oken={key}"),
        await world.anonymous().get(f"{ADDRESSES[0]}?x=lm%5Fdev_{key[7:]}"),
        await world.bearer(cookie).get(ADDRESSES[0]),
        await world.client(Cookie=f"{SESSION_COOKIE}={key}").get("/api/users/me"),
        await world.client(Cookie=f"{SESSION_COOKIE}={access}").get("/api/users/me"),
    ]
    assert all(seen(answer) == baseline for answer in wrong_places)


async def test_a_key_seen_in_an_address_is_named_in_its_accounts_log(world: World) -> None:
    robin = await world.sign_in()
    made = await world.mint_key(robin)
    await world.anonymous().get("/v1/users/me", params={"token": made["key"]})
    (told,) = await world.log(robin, event="auth.failed")
    assert (told["credential_id"], told["detail"]) == (made["id"], {"reason": "key_in_query"})


async def test_addresses_of_programs_never_read_the_cookie(world: World) -> None:
    page = await world.page_client()
    cookie = {"Cookie": f"{SESSION_COOKIE}={page.cookies[SESSION_COOKIE]}"}
    with_cookie = world.client(**cookie)
    for path in ("/v1/users/me", "//v1/users/me", "/v1//users/me", "/%761/users/me", "/v1/users/me/"):
        assert (await with_cookie.get(path)).status_code in {401, 404}, path
    assert (await with_cookie.get("/api/users/me")).status_code == 200


async def test_two_credentials_at_once_are_none(world: World) -> None:
    robin = await world.sign_in()
    access = robin.headers["Authorization"]
    key = (await world.mint_key(robin))["key"]
    page = await world.page_client()
    cookie = f"{SESSION_COOKIE}={page.cookies[SESSION_COOKIE]}"
    two_headers = [("Authorization", access), ("Authorization", f"Bearer {key}")]
    tries = [
        await world.anonymous().get("/v1/users/me", headers=two_headers),
        await world.anonymous().get("/v1/users/me", headers=[("Authorization", access)] * 2),
        await world.client(Authorization=access, Cookie=cookie).get("/api/users/me"),
        await robin.get("/v1/users/me", params={"token": key}),
    ]
    assert [answer.status_code for answer in tries] == [401] * 4
    told = await rows(world, "SELECT detail FROM audit_event WHERE event = 'auth.failed'")
    assert {one["detail"] for one in told} == {'{"reason":"several_credentials"}'}


async def test_an_authorization_header_in_any_other_form_is_refused_and_recorded(world: World) -> None:
    key = (await world.mint_key(await world.sign_in()))["key"]
    baseline = seen(await world.bearer("nonsense").get("/v1/users/me"))
    wrong = ["", "Bearer", "Bearer ", key, f"Basic {key}", f"Token {key}", f"Bearer {key} {key}"]
    wrong += [f"Bearer {key},", f"Bearer\t{key}", f"Bearer {key}\t{key}", f"Bearer \xe9{key}", f'Bearer "{key}"']
    for value in wrong:
        headers = {b"Authorization": value.encode("latin-1")}
        answer = await world.anonymous().get("/v1/users/me", headers=headers)
        assert seen(answer) == baseline, value[:12]
    told = await rows(world, "SELECT sum(count) AS n FROM audit_event WHERE event = 'auth.failed'")
    assert int(told[0]["n"]) == len(wrong) + 1


async def test_the_scheme_may_be_written_in_any_case(world: World) -> None:
    key = (await world.mint_key(await world.sign_in()))["key"]
    for scheme in ("bearer", "Bearer", "BEARER"):
        answer = await world.client(Authorization=f"{scheme} {key}").get("/v1/users/me")
        assert answer.status_code == 200
