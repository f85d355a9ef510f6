"""Which refusals share a row: never more rows a minute than the bound, and no two that must stand apart."""

from datetime import timedelta

import pytest

from lumio.access import tallies
from lumio.access.tallies import MINUTE, Tallies
from lumio.kernel import clock


@pytest.fixture
def minute(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Seconds that the clock has moved."""
    start, moved = clock.from_micros(60 * MINUTE), [0.0]
    monkeypatch.setattr(clock, "now", lambda: start + timedelta(seconds=moved[0]))
    return moved


def test_a_key_and_an_address_have_one_row_a_minute(minute: list[float]) -> None:
    counted = Tallies()
    first = counted.of_key("k1")
    minute[0] = 59.9
    assert counted.of_key("k1") == first
    assert counted.of_key("k2") != first
    assert counted.of_address("192.0.2.1") == counted.of_address("192.0.2.1")
    assert counted.of_address("192.0.2.1") != counted.of_address("192.0.2.2")
    assert counted.of_address("2001:db8::1") == counted.of_address("2001:db8::ffff:1")
    assert first.until == 61 * MINUTE
    minute[0] = 60
    assert counted.of_key("k1") != first


def test_past_the_bound_all_newcomers_share_one_row_and_the_known_ones_keep_theirs(
    minute: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tallies, "NAMES_MAX", 50)
    counted = Tallies()
    known = [counted.of_address(f"192.0.2.{number}") for number in range(50)]
    late = [counted.of_address(f"198.51.100.{number}") for number in range(200)]
    assert len({one.name for one in known}) == 50
    assert {one.name for one in late} == {"other/60"}
    assert counted.of_address("192.0.2.7") == known[7]
    minute[0] = 60
    assert counted.of_address("198.51.100.1").name != "other/61"


def test_the_workers_of_a_host_share_the_bound(minute: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tallies, "NAMES_MAX", 50)
    workers = [Tallies(workers=2) for _ in range(2)]
    names = {one.of_address(f"192.0.2.{number}").name for one in workers for number in range(100)}
    assert len(names - {"other/60"}) == 25


def test_what_was_turned_away_counts_until_its_window_ends(minute: list[float]) -> None:
    counted = Tallies().of_throttled("192.0.2.1", window=17, seconds_left=12)
    assert counted.name == "throttled/192.0.2.1/w17"
    assert counted.until == 60 * MINUTE + 12_000_000
