"""Input: every broken rule of every field is named at once, and an unknown field is refused."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Meta, Struct

from lumio.access.validate import validate
from lumio.kernel.errors import FieldError, Invalid


class Tag(Struct, forbid_unknown_fields=True):
    name: Annotated[str, Meta(min_length=1, max_length=3)]


class Form(Struct, forbid_unknown_fields=True):
    label: Annotated[str, Meta(min_length=1, max_length=5)]
    kind: Literal["small", "large"]
    slug: Annotated[str, Meta(pattern="^[a-z]+$", description="Must be small letters.")] = "x"
    count: Annotated[int, Meta(ge=1, le=9)] = 1
    flag: bool = False
    until: datetime | None = None
    tags: Annotated[list[Tag], Meta(max_length=2)] = []


GOOD: dict[str, Any] = {"label": "abc", "kind": "small"}
plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)


def told(raw: object, *, lax: bool) -> Sequence[FieldError]:
    """Return what is said of the input; nothing when it is good."""
    try:
        validate(Form, raw, lax=lax)
    except Invalid as error:
        return error.fields or [FieldError("", "", "")]
    return ()


def broken(raw: object, *, lax: bool = False) -> dict[str, str]:
    with pytest.raises(Invalid) as caught:
        validate(Form, raw, lax=lax)
    return {one.field: one.rule for one in caught.value.fields}


def test_good_input_is_read() -> None:
    form = validate(
        Form, {**GOOD, "count": 3, "flag": True, "tags": [{"name": "a"}], "until": "2026-11-21T23:38:54Z"}
    )
    assert (form.label, form.kind, form.count, form.flag, form.tags[0].name) == ("abc", "small", 3, True, "a")
    assert form.until is not None
    assert form.until.utcoffset() is not None


def test_all_problems_are_named_at_once() -> None:
    raw = {"label": "", "kind": "huge", "slug": "A", "count": 0, "flag": "yes", "until": "soon", "other": 1}
    assert broken(raw) == {
        "label": "length",
        "kind": "choice",
        "slug": "pattern",
        "count": "range",
        "flag": "type",
        "until": "time",
        "other": "unknown",
    }


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"label": "abcdef"}, {"label": "length"}),
        ({"label": None}, {"label": "type"}),
        ({"label": 7}, {"label": "type"}),
        ({"label": ["abc"]}, {"label": "type"}),
        ({"label": {"$ne": ""}}, {"label": "type"}),
        ({"count": 10}, {"count": "range"}),
        ({"count": 10**40}, {"count": "range"}),
        ({"count": "3"}, {"count": "type"}),
        ({"count": 1.5}, {"count": "type"}),
        ({"count": True}, {"count": "type"}),
        ({"flag": 1}, {"flag": "type"}),
        ({"tags": {}}, {"tags": "type"}),
        ({"tags": [{"name": "a"}] * 3}, {"tags": "length"}),
        ({"tags": [{"name": "a"}, {"name": "long"}]}, {"tags[1].name": "length"}),
        ({"until": 5}, {"until": "time"}),
        ({"until": "2026-13-01T00:00:00Z"}, {"until": "time"}),
        ({"Label": "abc"}, {"Label": "unknown"}),
        ({"label ": "abc"}, {"label ": "unknown"}),
    ],
)
def test_each_broken_rule_is_named_with_its_field(change: dict[str, Any], expected: dict[str, str]) -> None:
    assert broken({**GOOD, **change}) == expected


def test_missing_fields_are_all_named() -> None:
    assert broken({}) == {"label": "required", "kind": "required"}


@pytest.mark.parametrize("raw", [None, [], "text", 5, True, [("label", "abc")]])
def test_what_is_no_object_is_refused(raw: object) -> None:
    assert broken(raw) == {"": "type"}


@pytest.mark.parametrize("text", ["a\0b", "\0", "a\ud800", "\udfff"])
def test_what_no_database_can_keep_is_refused(text: str) -> None:
    assert broken({**GOOD, "label": text}) == {"label": "characters"}
    assert broken({**GOOD, "tags": [{"name": text}]}) == {"tags": "characters"}
    assert broken({**GOOD, "tags": [{text: "a"}]}) == {"tags": "characters"}


def test_letters_of_every_language_are_fine() -> None:
    assert validate(Form, {**GOOD, "label": "żółć😀"}).label == "żółć😀"


def test_a_form_reads_numbers_and_booleans_from_text() -> None:
    form = validate(Form, {**GOOD, "count": "3", "flag": "true"}, lax=True)
    assert (form.count, form.flag) == (3, True)
    assert broken({**GOOD, "count": "ten"}, lax=True) == {"count": "type"}
    assert broken({**GOOD, "count": "10"}, lax=True) == {"count": "range"}


def test_the_sentence_of_a_pattern_is_the_model_s_own() -> None:
    with pytest.raises(Invalid, match="Must be small letters"):
        validate(Form, {**GOOD, "slug": "A"})


def test_an_action_without_input_takes_none() -> None:
    assert validate(type(None), None) is None


@given(st.dictionaries(st.sampled_from([*Form.__struct_fields__, "other"]) | st.text(), plain), st.booleans())
def test_whatever_comes_it_is_read_or_refused_with_sentences(raw: dict[str, Any], lax: bool) -> None:
    for one in told(raw, lax=lax):
        assert one.rule
        assert one.message.endswith(".") or one.rule == "type"
