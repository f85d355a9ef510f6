"""The words of pages say what is so, and text from outside can hide nothing."""

import unicodedata
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lumio.surface.html import format as words

NOW = datetime(2026, 11, 21, 23, 38, 54, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "just now"),
        (44, "just now"),
        (45, "1 min ago"),
        (119, "1 min ago"),
        (120, "2 min ago"),
        (3_599, "59 min ago"),
        (3_600, "1 h ago"),
        (86_399, "23 h ago"),
        (86_400, "yesterday"),
        (172_799, "yesterday"),
        (172_800, "2 days ago"),
        (13 * 86_400, "13 days ago"),
        (14 * 86_400, "2 weeks ago"),
        (60 * 86_400, "2 months ago"),
        (729 * 86_400, "24 months ago"),
        (730 * 86_400, "2 years ago"),
        (-1, "in a moment"),
        (-45, "in 1 min"),
        (-86_400, "tomorrow"),
        (-30 * 86_400, "in 4 weeks"),
    ],
)
def test_a_distance_is_worded_by_its_largest_useful_unit(seconds: int, said: str) -> None:
    assert words.ago(NOW - timedelta(seconds=seconds), NOW) == said


def test_without_a_second_time_the_wall_clock_counts() -> None:
    assert words.ago(datetime.now(UTC) - timedelta(hours=3)) == "3 h ago"


def test_what_never_happened_is_never() -> None:
    assert words.ago(None) == "never"
    assert words.utc(None) == "never"


def test_exact_times_are_in_utc_whatever_zone_they_came_in() -> None:
    elsewhere = NOW.astimezone(timezone(timedelta(hours=5, minutes=30)))
    assert words.utc(elsewhere) == "2026-11-21 23:38:54 UTC"
    assert words.iso(elsewhere) == "2026-11-21T23:38:54Z"
    assert words.minute(elsewhere) == "2026-11-21T23:38"


@pytest.mark.parametrize(("typed", "kept"), [(None, ""), ("", ""), ("2026-11-21T10:00:00Z", "2026-11-21T10:00")])
def test_a_typed_time_fits_the_field_that_it_goes_back_into(typed: str | None, kept: str) -> None:
    assert words.minute(typed) == kept


@pytest.mark.parametrize(
    ("count", "said"),
    [(0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (1_572_864, "1.5 MiB"), (5 * 1024**4, "5120.0 GiB")],
)
def test_sizes_are_worded_in_powers_of_1024(count: int, said: str) -> None:
    assert words.size(count) == said


@pytest.mark.parametrize(
    ("hidden", "shown"),
    [
        ("\x00", "\\x00"),
        ("\x1b[31m", "\\x1b[31m"),
        ("\x9b", "\\x9b"),
        ("a\nb\tc\r", "a\\nb\\tc\\r"),
        ("\u202egnp", "\\u202egnp"),
        ("\u2066x\u2069", "\\u2066x\\u2069"),
        ("\u200f", "\\u200f"),
        ("\u200b", "\\u200b"),
        ("\ufeff", "\\ufeff"),
        ("\u2028", "\\u2028"),
        ("\U000e0041", "\\U000e0041"),
        ("\ud800", "\\ud800"),
    ],
)
def test_unseen_signs_are_shown_as_escapes(hidden: str, shown: str) -> None:
    assert words.visible(hidden) == shown


def test_ordinary_text_and_joined_letters_stay_as_they_are() -> None:
    family = "\U0001f469\u200d\U0001f467"
    persian = "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645"
    for text in ("ci-github-actions", "Zoë Ångström", "李雷", family, persian):
        assert words.visible(text) == text


def test_nothing_is_shown_for_none_and_numbers_are_shown_as_text() -> None:
    assert words.visible(None) == ""
    assert words.visible(42) == "42"


@given(st.text())
def test_no_text_keeps_a_sign_that_could_hide_or_reorder_what_follows(text: str) -> None:
    kept = {unicodedata.category(sign) for sign in words.visible(text) if sign not in "\u200c\u200d"}
    assert not kept & {"Cc", "Cf", "Cs", "Zl", "Zp"}
