"""Results as JSON: every time with `Z` and microseconds, however deep it stands, and no struct passed over."""

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Annotated, Any

import pytest
from msgspec import Meta, Struct

from lumio.surface.rest.encoding import _may_hold_times, encode

MOMENT = datetime(2026, 11, 21, 23, 38, 54, tzinfo=UTC)
SHOWN = "2026-11-21T23:38:54.000000Z"


class Plain(Struct, frozen=True):
    name: str
    names: list[str]
    inner: "Plain | None" = None


PLAIN, SHOWN_PLAIN = Plain("a", ["b"]), {"name": "a", "names": ["b"], "inner": None}


class Timed(Struct, frozen=True):
    at: datetime | None


class Deep(Struct, frozen=True):
    parts: dict[str, list[tuple[int, Timed]]]


class Loop(Struct, frozen=True):
    next: "Loop | None" = None
    at: Annotated[datetime, Meta(description="when")] | None = None


class Anything(Struct, frozen=True):
    value: Any


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (Timed(MOMENT), {"at": SHOWN}),
        (Timed(None), {"at": None}),
        (Timed(MOMENT.astimezone(timezone(timedelta(hours=2)))), {"at": SHOWN}),
        (Deep({"a": [(1, Timed(MOMENT))]}), {"parts": {"a": [[1, {"at": SHOWN}]]}}),
        (Loop(Loop(None, MOMENT)), {"next": {"next": None, "at": SHOWN}, "at": None}),
        (Anything({"x": [MOMENT]}), {"value": {"x": [SHOWN]}}),
        (Anything(Timed(MOMENT)), {"value": {"at": SHOWN}}),
        ({"data": [PLAIN, Timed(MOMENT)], "_links": {}}, {"data": [SHOWN_PLAIN, {"at": SHOWN}], "_links": {}}),
        (Plain("ż", [], PLAIN), {"name": "ż", "names": [], "inner": SHOWN_PLAIN}),
    ],
)
def test_times_are_shown_in_one_form_wherever_they_stand(value: object, expected: object) -> None:
    assert json.loads(encode(value)) == expected


def test_only_a_struct_that_cannot_hold_a_time_is_passed_over() -> None:
    assert [_may_hold_times(kind) for kind in (Plain, Timed, Deep, Loop, Anything)] == [False, True, True, True, True]
