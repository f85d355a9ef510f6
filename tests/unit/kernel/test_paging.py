"""Cursors: what we wrote is read back, and nothing else is believed."""

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lumio.kernel import ids, paging
from lumio.kernel.errors import Invalid

names = st.from_regex(r"[0-9A-Za-z_-]{1,64}", fullmatch=True)
plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)


def read(cursor: str) -> tuple[tuple[int, str] | None, list[str]]:
    """Return what a cursor says, or the fields that are named when it says nothing."""
    try:
        return paging.decode_moment(cursor), []
    except Invalid as error:
        return None, [one.field for one in error.fields]


def packed(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


@given(st.integers(0, paging.MICROS_MAX), names)
def test_a_cursor_is_read_back(micros: int, name: str) -> None:
    assert paging.decode_moment(paging.encode(micros, name)) == (micros, name)


@given(st.integers(0, paging.MICROS_MAX), names)
def test_a_cursor_can_stand_in_an_address_as_it_is(micros: int, name: str) -> None:
    assert set(paging.encode(micros, name)) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


@given(st.text())
def test_any_text_is_a_cursor_of_ours_or_refused_by_name(text: str) -> None:
    found, named = read(text)
    assert (named == []) if found else (named == ["cursor"])


@given(plain)
def test_any_packed_value_is_a_cursor_of_ours_or_refused_by_name(value: object) -> None:
    found, named = read(packed(value))
    assert (list(found) == value) if found else (named == ["cursor"])


@pytest.mark.parametrize(
    "value",
    [
        ["1", "a"],
        [1, 5],
        [True, "a"],
        [1.0, "a"],
        [-1, "a"],
        [10**30, "a"],
        [1, ""],
        [1, "a\0"],
        [1, "\ud800"],
        [1, "a" * 65],
        [1, "a'--"],
        [1],
        [1, "a", 2],
        {"0": 1, "1": "a"},
        None,
    ],
)
def test_a_cursor_that_somebody_wrote_is_refused(value: object) -> None:
    with pytest.raises(Invalid):
        paging.decode_moment(packed(value))


def test_a_cursor_nested_beyond_reason_is_refused() -> None:
    with pytest.raises(Invalid):
        paging.decode_moment(base64.urlsafe_b64encode(b"[" * 100_000).decode())


def test_ids_of_ours_fit_into_a_cursor() -> None:
    for name in (ids.uuid7(), ids.prefixed("ext")):
        assert paging.decode_moment(paging.encode(1, name)) == (1, name)
