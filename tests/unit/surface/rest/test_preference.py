"""`Prefer: wait=N` as RFC 7240 has it: what is malformed or unknown was not said."""

import time

import pytest

from lumio.surface.rest.preference import WAIT_MAX, wait_of


@pytest.mark.parametrize(
    ("lines", "seconds"),
    [
        (["wait=5"], 5),
        (["WAIT=5"], 5),
        (["wait = 5"], 5),
        (["wait=0"], 0),
        (["wait=007"], 7),
        (["wait=30"], 30),
        (["wait=31"], WAIT_MAX),
        (["wait=" + "9" * 200], WAIT_MAX),
        (["respond-async, wait=5"], 5),
        (["respond-async", "wait=5"], 5),
        (["wait=5; unknown=1"], 5),
        (['note="a, wait=9", wait=5'], 5),
        (['note="a \\", wait=9", wait=5'], 5),
        (["wait=5, wait=9"], 5),
        (["wait=5", "wait=9"], 5),
    ],
)
def test_the_first_wait_of_the_header_counts(lines: list[str], seconds: int) -> None:
    assert wait_of(lines) == seconds


@pytest.mark.parametrize(
    "line",
    ["", ",", "wait", "wait=", "wait=-1", "wait=1.5", "wait=+5", "wait=5s", 'wait="5"', "wait=٥", "wait 5", "waits=5",
     "=5", "wait=abc, wait=5", 'note="wait=5', "handling=lenient", 'a="b, wait=5'],
)  # fmt: skip
def test_what_is_malformed_or_unknown_was_not_said(line: str) -> None:
    assert wait_of([line]) is None


@pytest.mark.parametrize("piece", ['\\"', '"\\', '"', ',"', ' =";'])
def test_the_work_grows_with_the_length_of_the_header_and_no_faster(piece: str) -> None:
    def seconds(length: int) -> float:
        line = (piece * length)[:length]
        began = time.process_time()
        assert wait_of([line]) is None
        return time.process_time() - began

    short, long = (min(seconds(length) for _ in range(5)) for length in (4_000, 40_000))
    assert long < 40 * short
