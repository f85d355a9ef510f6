"""Who may look at the figures: who is really here, or has the token; nobody by a header."""

from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Any

import pytest

from lumio.kernel.errors import LumioError, Unavailable
from lumio.surface.http.counting import PARTS, part_of
from lumio.surface.http.metrics import FORWARDING, Lookout

HERE = ("127.0.0.1", 4711)
TOKEN = "m" * 24
NONE: list[IPv4Network | IPv6Network] = []


def request(client: tuple[str, int] | None, host: str | None = "localhost:8000", **headers: str) -> Any:
    given = {name.replace("_", "-"): value for name, value in headers.items()} | ({"host": host} if host else {})
    return {"client": client, "headers": [(name.encode(), value.encode()) for name, value in given.items()]}


@pytest.mark.parametrize("client", [HERE, ("::1", 4711), ("127.9.9.9", 4711), ("::ffff:127.0.0.1", 4711)])
@pytest.mark.parametrize("host", ["localhost", "localhost:8000", "127.0.0.1:8000", "[::1]:8000"])
def test_who_asks_on_the_machine_itself_may_look(client: tuple[str, int], host: str) -> None:
    assert Lookout(None, NONE).admits(request(client, host))
    assert Lookout(TOKEN, NONE).admits(request(client, host))


@pytest.mark.parametrize("client", [("203.0.113.7", 4711), ("10.0.0.1", 4711), ("2001:db8::1", 1), ("", 0), None])
def test_who_asks_from_elsewhere_may_not(client: tuple[str, int] | None) -> None:
    assert not Lookout(None, NONE).admits(request(client))
    assert not Lookout(TOKEN, NONE).admits(request(client))


@pytest.mark.parametrize("name", sorted(FORWARDING))
@pytest.mark.parametrize("value", ["127.0.0.1", "", "for=127.0.0.1"])
def test_what_was_forwarded_is_not_local_whatever_it_says(name: bytes, value: str) -> None:
    assert not Lookout(None, NONE).admits(request(HERE, **{name.decode(): value}))


@pytest.mark.parametrize("trusted", ["127.0.0.1/32", "127.0.0.0/8", "0.0.0.0/0"])
def test_a_trusted_proxy_on_this_machine_speaks_for_others(trusted: str) -> None:
    assert not Lookout(None, [ip_network(trusted)]).admits(request(HERE))
    assert Lookout(None, [ip_network("10.0.0.0/8")]).admits(request(HERE))


@pytest.mark.parametrize("host", ["lumio.example", "evil.example:8000", "localhost.evil.example", "[", "", None])
def test_a_page_of_elsewhere_that_was_made_to_point_here_says_another_host(host: str | None) -> None:
    assert not Lookout(None, NONE).admits(request(HERE, host))


def test_two_hosts_in_one_request_are_none() -> None:
    asked = request(HERE)
    asked["headers"].append((b"host", b"localhost"))
    assert not Lookout(None, NONE).admits(asked)


@pytest.mark.parametrize("client", [("203.0.113.7", 4711), HERE, None])
@pytest.mark.parametrize(
    ("presented", "admitted"),
    [
        (f"Bearer {TOKEN}", True), (f"bearer {TOKEN}", True), (f"BEARER  {TOKEN} ", True),
        (f"Bearer {TOKEN}m", False), (f"Bearer {TOKEN[:-1]}", False), ("Bearer ", False), ("Bearer", False),
        (f"Basic {TOKEN}", False), (TOKEN, False), (f"Bearer {TOKEN.upper()}", False),
    ],
)  # fmt: skip
def test_the_token_and_nothing_like_it_opens_from_anywhere(
    client: tuple[str, int] | None, presented: str, admitted: bool
) -> None:
    lookout = Lookout(TOKEN, [ip_network("127.0.0.0/8")])  # nobody is local
    assert lookout.admits(request(client, "lumio.example", authorization=presented)) == admitted


def test_without_a_token_in_the_settings_none_opens() -> None:
    lookout = Lookout(None, NONE)
    for presented in ("Bearer ", "Bearer None", f"Bearer {TOKEN}"):
        assert not lookout.admits(request(("203.0.113.7", 1), authorization=presented))


def test_the_token_sent_twice_opens_nothing() -> None:
    asked = request(("203.0.113.7", 1), authorization=f"Bearer {TOKEN}")
    asked["headers"].append((b"authorization", b"Bearer x"))
    assert not Lookout(TOKEN, NONE).admits(asked)


@pytest.mark.parametrize(
    ("module", "part"),
    [
        *PARTS, ("lumio.storage.hot", "database"), ("lumio.authority.leased", "authority"),
        ("lumio.access.perform", "other"), ("somebody.else", "other"),
    ],
)  # fmt: skip
def test_an_outage_is_put_down_to_the_part_that_raised_it(module: str, part: str) -> None:
    space: dict[str, Any] = {"__name__": module, "Unavailable": Unavailable}
    exec("def fail():\n    raise Unavailable('why')", space)  # noqa: S102 - a module of that name
    with pytest.raises(LumioError) as caught:
        space["fail"]()
    assert part_of(caught.value.__traceback__) == part
    assert part_of(None) == "other"
