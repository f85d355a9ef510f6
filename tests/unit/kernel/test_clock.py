"""Times: aware, in UTC, the same to the microsecond in every form."""

from datetime import UTC, datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st

from lumio.kernel import clock

moments = st.datetimes(
    timezones=st.sampled_from([UTC, timezone(timedelta(hours=14)), timezone(-timedelta(hours=12))])
)
tame = moments.filter(lambda moment: 2 < moment.year < 9998)


@given(tame)
def test_microseconds_are_read_back(moment: datetime) -> None:
    assert clock.from_micros(clock.to_micros(moment)) == moment


@given(tame)
def test_a_printed_time_is_utc_with_z_and_microseconds(moment: datetime) -> None:
    text = clock.rfc3339(moment)
    assert len(text) == len("2026-11-21T23:38:54.000000Z")
    assert text.endswith("Z")
    assert datetime.fromisoformat(text) == moment


def test_the_wall_clock_is_aware_and_the_others_never_go_back() -> None:
    assert clock.now().tzinfo is UTC
    assert clock.monotonic() <= clock.monotonic()
    assert clock.boottime() <= clock.boottime()
