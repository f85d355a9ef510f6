"""A secret prints as a mask wherever it is formatted, and is compared in constant time only."""

import json
import logging
import pickle
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lumio.kernel.secret import Secret

texts = st.text(alphabet=st.characters(codec="utf-8"))
WAYS: dict[str, Callable[[Secret], str]] = {
    "str": str,
    "repr": repr,
    "f-string": lambda secret: f"{secret} {secret!r} {secret!s} {secret!a}",
    "percent": lambda secret: "%s %r" % (secret, secret),  # noqa: UP031 - one of the ways
    "format": lambda secret: "{} {!r}".format(secret, secret),  # noqa: UP032 - one of the ways
    "list": lambda secret: str([secret]),
    "dict": lambda secret: str({"key": secret}),
    "json": lambda secret: json.dumps({"key": secret}, default=str),
    "error": lambda secret: str(ValueError("wrong", secret)),
    "record": lambda secret: logging.LogRecord("x", 10, "x", 1, "%s", (secret,), None).getMessage(),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_secret_is_never_printed(way: str) -> None:
    assert "plain-words" not in WAYS[way](Secret("plain-words"))


def test_a_secret_has_no_place_that_lists_its_content() -> None:
    with pytest.raises(TypeError):
        vars(Secret("plain-words"))


def test_an_error_about_a_secret_does_not_show_it() -> None:
    with pytest.raises(TypeError) as caught:
        assert Secret("plain-words") == "plain-words"
    assert "plain-words" not in str(caught.value)


def test_two_secrets_cannot_be_compared_by_accident() -> None:
    one, other = Secret("a"), Secret("a")
    with pytest.raises(TypeError, match="matches"):
        assert one == other
    with pytest.raises(TypeError, match="matches"):
        assert one != other
    with pytest.raises(TypeError, match="unhashable"):
        {one}  # noqa: B018 - hashing is the point


@given(texts, texts)
def test_a_secret_matches_its_own_text_only(one: str, other: str) -> None:
    assert Secret(one).matches(other) == (one == other)
    assert Secret(one).reveal() == one


def test_this_test_would_see_a_secret_that_is_pickled() -> None:
    """Pickling is the one way out that Python leaves open; nothing of ours pickles."""
    assert b"plain-words" in pickle.dumps(Secret("plain-words"))
