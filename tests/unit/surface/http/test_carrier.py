"""Carriers: whatever is presented is found, wherever it stands, and a cookie drives no program's address."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lumio.access.kinds import Place, Presented
from lumio.crypto import opaque
from lumio.kernel.errors import Malformed
from lumio.surface.http import carrier
from tests.support.world import World

PAGE, PROGRAM = "/dashboard", "/v1/users/me"


def key(prefix: str = opaque.DEVELOPER_KEY) -> str:
    return opaque.mint(prefix).text


def collect(path: str = PROGRAM, query: str = "", **headers: str) -> list[tuple[str, str]]:
    raw = [(name.replace("_", "-").encode(), value.encode("latin-1")) for name, value in headers.items()]
    return [(one.place, one.text) for one in carrier.Carried(path, raw, query.encode()).found]


def test_nothing_presented_is_nothing_found() -> None:
    assert collect() == []
    assert collect(PAGE, query="next=%2Fdashboard&page=2") == []


@pytest.mark.parametrize("scheme", ["Bearer ", "bearer ", "BEARER ", "Bearer   "])
def test_a_bearer_is_found(scheme: str) -> None:
    text = key()
    assert collect(authorization=scheme + text) == [(Place.BEARER, text)]


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Bearer",
        "Bearer ",
        "Basic dXNlcjpwYXNz",
        "Digest x",
        "token lm_x",
        "lm_x",
        "Bearer a b",
        "Bearer a, Bearer b",
        "Bearer\ta",
        "Bearer a\0",
        "Bearer é",
        'Bearer realm="x", a',
    ],
)
def test_a_header_that_cannot_be_read_is_still_something_presented(header: str) -> None:
    ((place, text),) = collect(authorization=header)
    assert place == Place.BEARER
    assert not opaque.is_well_formed(text)


@given(st.text(alphabet=st.characters(max_codepoint=255)))
def test_any_authorization_header_counts_as_exactly_one_credential(header: str) -> None:
    assert len(collect(authorization=header)) == 1


def test_two_credentials_are_both_found_for_the_authenticator_to_refuse() -> None:
    raw = [(b"authorization", b"Bearer a"), (b"authorization", b"Bearer b")]
    assert len(carrier.Carried(PROGRAM, raw, b"").found) == 2
    assert len(collect(PAGE, query=f"token={key()}", authorization="Bearer a", cookie="__Host-lumio=x")) == 3


@pytest.mark.parametrize("path", ["/v1/users/me", "/developer/v1/me", "/oauth/token", "/.well-known/jwks.json"])
def test_a_cookie_is_ignored_where_programs_talk(path: str) -> None:
    assert collect(path, cookie=f"__Host-lumio={key(opaque.PAGE_SESSION)}") == []


@pytest.mark.parametrize("path", ["/", PAGE, "/api/api-keys", "/login"])
def test_a_cookie_is_found_on_pages(path: str) -> None:
    text = key(opaque.PAGE_SESSION)
    assert collect(path, cookie=f"theme=dark; __Host-lumio={text}; other=1") == [(Place.COOKIE, text)]


@pytest.mark.parametrize("cookie", ["", "lumio=x", "__Host-lumio=", "__host-lumio=x", ";;;", "=", "\x01"])
def test_other_cookies_are_no_credential(cookie: str) -> None:
    assert collect(PAGE, cookie=cookie) == []


@pytest.mark.parametrize("query", ["token={}", "a=1&token={}", "to%6ben={}"])
def test_a_popout_token_is_found_in_its_own_parameter(query: str) -> None:
    text = key(opaque.POPOUT_TOKEN)
    assert collect(query=query.format(text)) == [(Place.QUERY, text)]
    assert collect(query=query.format(text.replace("lm_", "lm%5F"))) == [(Place.QUERY, text)]


@pytest.mark.parametrize("query", ["key={}", "{}=1", "{}", "access_token={}", "a=1&b={}&c=2"])
@pytest.mark.parametrize(
    "prefix", [opaque.DEVELOPER_KEY, opaque.SYSTEM_KEY, opaque.POPOUT_TOKEN, opaque.PAGE_SESSION]
)
def test_a_key_that_strayed_anywhere_else_in_the_query_is_found_too(query: str, prefix: str) -> None:
    text = key(prefix)
    assert collect(query=query.format(text)) == [(Place.STRAY, text)]
    assert collect(query=query.format(text.replace("lm_", "lm%5F"))) == [(Place.STRAY, text)]


def test_the_parameter_of_popout_tokens_is_a_credential_whatever_it_holds() -> None:
    assert collect(query="token=") == [(Place.QUERY, "")]
    assert collect(query="token=x&token=y") == [(Place.QUERY, "x"), (Place.QUERY, "y")]


@pytest.mark.parametrize("query", ["q=lm_", "q=see+lm_dev_in+the+docs", "token_type=x", "label=lm_"])
def test_words_that_only_mention_a_key_are_none(query: str) -> None:
    assert collect(query=query) == []


def test_a_query_without_end_is_refused() -> None:
    with pytest.raises(Malformed):
        collect(query="&".join(f"a{number}=%20" for number in range(2000)))


def test_what_was_presented_is_not_printed() -> None:
    text = key()
    assert text not in f"{Presented(text, Place.BEARER)} {[Presented(text, Place.BEARER)]!r}"


@pytest.mark.parametrize(
    "path", ["/v1/users/me", "//v1/users/me", "/v1//users/me", "/%76%31/users/me", "/v1/users/me/"]
)
async def test_a_cookie_is_ignored_on_v1_however_its_address_is_spelled(world: World, path: str) -> None:
    page = await world.page_client()
    assert (await page.get("/api/users/me")).status_code == 200
    assert (await page.get(f"https://lumio.example{path}")).status_code == 401
    del page.headers["X-CSRF-Token"]
    posted = await page.post(f"https://lumio.example{path.replace('users/me', 'api-keys')}", json={"label": "x"})
    assert posted.status_code == 401


@pytest.mark.parametrize(
    "path", ["/api/api-keys", "//api/api-keys", "/api//api-keys", "/%61pi/api-keys", "/api/api-keys/"]
)
async def test_a_form_token_is_needed_however_the_address_is_spelled(world: World, path: str) -> None:
    page = await world.page_client()
    token = page.headers.pop("X-CSRF-Token")
    assert (await page.post(f"https://lumio.example{path}", json={"label": "x"})).status_code == 403
    page.headers["X-CSRF-Token"] = token
    assert (await page.post(f"https://lumio.example{path}", json={"label": "x"})).status_code == 201
