"""Ids: UUIDv7 by the standard, in the order of their making, never twice."""

import uuid
from datetime import UTC, datetime, timedelta

import time_machine
from hypothesis import given
from hypothesis import strategies as st

from lumio.kernel import clock, ids


@given(st.datetimes(datetime(1970, 1, 1), datetime(9999, 12, 31), timezones=st.just(UTC)))  # noqa: DTZ001 - bounds
def test_an_id_is_a_uuid_of_version_7_and_begins_with_its_millisecond(moment: datetime) -> None:
    with time_machine.travel(moment, tick=False):
        made = uuid.UUID(ids.uuid7())
        millis = clock.to_micros(clock.now()) // 1000
    assert made.version == 7
    assert made.variant == uuid.RFC_4122
    assert made.int >> 80 == millis


def test_ids_of_one_moment_are_all_different() -> None:
    with time_machine.travel(1_800_000_000, tick=False):
        made = [ids.uuid7() for _ in range(10_000)]
    assert len(set(made)) == len(made)


def test_ids_sort_by_the_millisecond_of_their_making() -> None:
    made = []
    for millis in range(50):
        with time_machine.travel(datetime(2026, 11, 21, tzinfo=UTC) + timedelta(milliseconds=millis), tick=False):
            made.append(ids.uuid7())
    assert made == sorted(made)


def test_a_prefixed_id_names_its_noun_and_fits_its_column() -> None:
    made = ids.prefixed("ext")
    assert made.startswith("ext_")
    assert len(made) == 36
    assert uuid.UUID(made.removeprefix("ext_")).version == 7


@given(st.text())
def test_only_the_canonical_form_is_a_uuid(text: str) -> None:
    assert not ids.is_uuid(text) or str(uuid.UUID(text)) == text
    assert ids.is_uuid(ids.uuid7())
    assert not ids.is_uuid(ids.uuid7().upper())
    assert not ids.is_uuid("{" + ids.uuid7() + "}")
