"""Opaque keys: what `mint` makes `parse` reads, and what `parse` refuses was never made here."""

import re
import string
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lumio.crypto import opaque

ZEROS = "0" * 51
VECTORS = [("lm_dev_", "4AVnDl"), ("lm_sys_", "0HCa7C"), ("lm_pop_", "4V5DQH")]
SCANNER = re.compile(r"lm_(dev|sys|pop)_[0-9A-Za-z]{57}")
prefixes = st.sampled_from(sorted(opaque.PREFIXES))


def value_of(digits: str) -> int:
    """Read base62 the slow way, independently of the code under test."""
    alphabet = string.digits + string.ascii_uppercase + string.ascii_lowercase
    total = 0
    for digit in digits:
        total = total * 62 + alphabet.index(digit)
    return total


@pytest.mark.parametrize(("prefix", "checksum"), VECTORS)
def test_the_published_test_vectors_hold(prefix: str, checksum: str) -> None:
    assert opaque.checksum(prefix + ZEROS) == checksum
    assert opaque.parse(prefix + ZEROS + checksum) is not None


@given(prefixes)
def test_a_minted_key_has_64_characters_and_is_read_back(prefix: str) -> None:
    made = opaque.mint(prefix)
    assert len(made.text) == 64
    assert opaque.parse(made.text, prefix) == made
    assert made.text.startswith(prefix + made.lookup_id)


@given(st.sampled_from(["lm_dev_", "lm_sys_", "lm_pop_"]))
def test_the_portable_scanner_pattern_finds_a_minted_key(prefix: str) -> None:
    assert SCANNER.fullmatch(opaque.mint(prefix).text)


@given(prefixes, st.integers(0, 63), st.characters(codec="utf-8"))
def test_every_change_of_one_character_is_refused(prefix: str, place: int, letter: str) -> None:
    text = opaque.mint(prefix).text
    changed = text[:place] + letter + text[place + 1 :]
    assert (opaque.parse(changed) is None) == (changed != text)


@given(prefixes, st.integers(0, 62))
def test_two_neighbours_swapped_are_refused(prefix: str, place: int) -> None:
    text = opaque.mint(prefix).text
    changed = text[:place] + text[place + 1] + text[place] + text[place + 2 :]
    assert (opaque.parse(changed) is None) == (changed != text)


@given(st.text())
def test_any_other_text_is_refused_without_an_error(text: str) -> None:
    assert opaque.parse(text) is None
    assert not opaque.is_well_formed(text)


@pytest.mark.parametrize("around", ["{}\n", "\n{}", " {}", "{} ", "{}0", "0{}", "\u202e{}", "{}\0"])
def test_a_key_with_anything_around_it_is_refused(around: str) -> None:
    assert opaque.parse(around.format(opaque.mint(opaque.DEVELOPER_KEY).text)) is None


def test_letters_that_only_look_like_the_alphabet_are_refused() -> None:
    key = opaque.mint(opaque.DEVELOPER_KEY).text
    wide = key[:20] + chr(ord(key[20]) + 0xFEE0) + key[21:]
    assert opaque.parse(wide) is None


@given(prefixes, prefixes)
def test_a_key_is_read_only_under_its_own_prefix(made: str, wanted: str) -> None:
    assert (opaque.parse(opaque.mint(made).text, wanted) is None) == (made != wanted)


@given(st.text(alphabet=opaque.ALPHABET, min_size=51, max_size=51))
def test_a_prefix_that_is_not_ours_is_refused_even_with_its_right_checksum(body: str) -> None:
    text = "lm_abc_" + body
    assert opaque.parse(text + opaque.checksum(text)) is None


def test_nothing_is_minted_under_a_prefix_that_is_not_ours() -> None:
    with pytest.raises(ValueError, match="unknown prefix"):
        opaque.mint("lm_abc_")


@given(st.text(alphabet=string.printable))
def test_a_checksum_is_the_crc32_in_six_digits_of_base62(body: str) -> None:
    assert value_of(opaque.checksum(body)) == zlib.crc32(body.encode())


def test_the_largest_checksum_is_that_of_the_largest_crc32() -> None:
    assert value_of("4gfFC3") == 2**32 - 1


@given(prefixes, st.integers(2**32, 62**6 - 1))
def test_a_checksum_of_2_to_the_32_or_more_is_never_accepted(prefix: str, value: int) -> None:
    digits = ""
    for _ in range(6):
        value, digit = divmod(value, 62)
        digits = opaque.ALPHABET[digit] + digits
    text = opaque.mint(prefix).text
    assert opaque.parse(text[:-6] + digits) is None


def test_lookup_ids_and_secrets_use_the_whole_alphabet() -> None:
    bodies = [opaque.mint(opaque.DEVELOPER_KEY).text[7:58] for _ in range(200)]
    assert set("".join(bodies)) == set(opaque.ALPHABET)
    assert len(set(bodies)) == 200


def test_printing_a_key_shows_its_recognisable_start_only() -> None:
    made = opaque.mint(opaque.DEVELOPER_KEY)
    shown = f"{made} {made!r} {[made]}"
    assert made.lookup_id in shown
    assert made.text[19:] not in shown


@given(prefixes, st.text(alphabet=" .,:\n\"'", max_size=5), st.text(alphabet=" .,:\n\"'", max_size=5))
def test_a_masked_text_shows_no_key(prefix: str, before: str, after: str) -> None:
    key = opaque.mint(prefix).text
    assert opaque.mask(before + key + after) == before + prefix + "…" + after
