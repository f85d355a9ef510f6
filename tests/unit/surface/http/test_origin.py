"""Origins: a forged `X-Forwarded-For` never names the address in the log."""

from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lumio.surface.http import origin

PROXIES = (ip_network("10.0.0.0/8"), ip_network("fd00::/8"))
STRANGER, PROXY, SECOND = "203.0.113.7", "10.0.0.1", "10.0.0.2"
addresses = st.ip_addresses().map(str)


@pytest.mark.parametrize(
    ("peer", "forwarded", "expected"),
    [
        (STRANGER, [], (STRANGER, "peer")),
        (STRANGER, ["198.51.100.1"], (STRANGER, "peer")),
        (STRANGER, ["127.0.0.1", PROXY], (STRANGER, "peer")),
        (PROXY, [], (PROXY, "peer")),
        (PROXY, ["198.51.100.1"], ("198.51.100.1", "forwarded")),
        (PROXY, ["6.6.6.6, 198.51.100.1"], ("198.51.100.1", "forwarded")),
        (PROXY, ["6.6.6.6", "198.51.100.1"], ("198.51.100.1", "forwarded")),
        (PROXY, ["6.6.6.6, 198.51.100.1, 10.0.0.2"], ("198.51.100.1", "forwarded")),
        (PROXY, ["10.9.9.9, 10.0.0.2"], (PROXY, "peer")),
        (PROXY, ["198.51.100.1, rubbish"], (PROXY, "peer")),
        (PROXY, ["rubbish, 198.51.100.1"], ("198.51.100.1", "forwarded")),
        (PROXY, ["198.51.100.1,"], (PROXY, "peer")),
        (PROXY, [""], (PROXY, "peer")),
        (PROXY, ["198.51.100.1:4711"], (PROXY, "peer")),
        (PROXY, ["198.51.100.256"], (PROXY, "peer")),
        (PROXY, ["0x7f.1"], (PROXY, "peer")),
        (PROXY, ["127.0.0.1\r\nX-Evil: 1"], (PROXY, "peer")),
        (PROXY, ["  198.51.100.1\t"], ("198.51.100.1", "forwarded")),
        (PROXY, ["[2001:db8::1]"], ("2001:db8::1", "forwarded")),
        (PROXY, ["2001:DB8:0:0::1"], ("2001:db8::1", "forwarded")),
        (PROXY, ["::ffff:198.51.100.1"], ("198.51.100.1", "forwarded")),
        (PROXY, ["::ffff:10.0.0.2"], (PROXY, "peer")),
        ("::ffff:10.0.0.1", ["198.51.100.1"], ("198.51.100.1", "forwarded")),
        ("::ffff:203.0.113.7", ["198.51.100.1"], (STRANGER, "peer")),
        ("fd00::1", ["198.51.100.1"], ("198.51.100.1", "forwarded")),
        (PROXY, ["fe80::1%" + "A" * 300], ("fe80::1", "forwarded")),
        (PROXY, ["fe80::1%\x1b[31m"], ("fe80::1", "forwarded")),
        (None, ["198.51.100.1"], (None, "peer")),
        ("no address", ["198.51.100.1"], (None, "peer")),
    ],
)
def test_only_a_trusted_proxy_is_believed_and_only_about_the_hop_before_it(
    peer: str | None, forwarded: list[str], expected: tuple[str | None, str]
) -> None:
    assert origin.find(peer, forwarded, PROXIES) == expected


@given(st.lists(st.text(max_size=40), max_size=4))
def test_whatever_a_stranger_claims_the_log_names_the_stranger(claims: list[str]) -> None:
    assert origin.find(STRANGER, claims, PROXIES) == (STRANGER, "peer")


@given(st.lists(st.text(max_size=40), max_size=3), addresses)
def test_whatever_a_client_of_a_proxy_claims_the_hop_that_the_proxy_saw_is_named(
    claims: list[str], seen: str
) -> None:
    found, source = origin.find(PROXY, [*claims, seen], PROXIES)
    if source == "forwarded" and not origin._trusted(origin.normalise(seen) or PROXY, PROXIES):
        assert found == origin.normalise(seen)


@given(st.text(max_size=60) | addresses)
def test_a_normal_form_is_its_own_normal_form_and_fits_its_column(text: str) -> None:
    found = origin.normalise(text)
    if found is not None:
        assert origin.normalise(found) == found
        assert len(found) <= 64
        assert found.isascii()


def test_an_origin_has_the_request_s_own_id_and_what_the_client_calls_itself() -> None:
    origins = origin.Origins(PROXIES)
    for number in range(3):
        found = origins.of((PROXY, 4711), [b"198.51.100.1"], b"curl/8 \xff", f"made-{number}")
        assert (found.ip, found.ip_source, found.request_id) == ("198.51.100.1", "forwarded", f"made-{number}")
        assert found.user_agent == "curl/8 \ufffd"
    assert origins.of((STRANGER, 4711), [b"198.51.100.1"], None, "r") == (STRANGER, "peer", None, "r")
    assert origins.of(None, [], None, "r") == (None, "peer", None, "r")


def test_long_texts_of_strangers_are_read_alike_and_not_remembered() -> None:
    origins, long = origin.Origins(PROXIES), b"x" * (origin.SHORT + 1)
    remembered = origin._mask_short.cache_info().currsize
    found = origins.of((PROXY, 1), [long + b", 198.51.100.1"], long, "r")
    assert found == ("198.51.100.1", "forwarded", long.decode(), "r")
    assert origins._found.cache_info().currsize == 0
    assert origin._mask_short.cache_info().currsize == remembered


def test_only_a_peer_inside_the_list_is_a_proxy() -> None:
    origins = origin.Origins(PROXIES)
    for peer, believed in ((PROXY, True), ("::ffff:10.0.0.1", True), (STRANGER, False), ("?", False)):
        assert origins.from_proxy((peer, 1)) is believed
    assert not origins.from_proxy(None)
    assert not origin.Origins(()).from_proxy((PROXY, 1))
