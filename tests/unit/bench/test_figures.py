"""Figures: what rounds come to, and how a limit judges them."""

import pytest

from bench.figures import Row, Spread, at_least, at_most, missing, quantile, ratios


def test_a_spread_is_the_smallest_the_middle_and_the_largest_figure() -> None:
    assert Spread.of([3.0, 1.0, 2.0]) == Spread(1.0, 2.0, 3.0)
    assert Spread.of([4.0, 1.0]) == Spread(1.0, 2.5, 4.0)


def test_a_ratio_divides_figures_of_the_same_round() -> None:
    # A machine that is four times slower in the second round changes rates, and no ratio.
    assert ratios([50.0, 12.5], [100.0, 25.0]) == Spread(0.5, 0.5, 0.5)


def test_rounds_that_are_not_pairs_make_no_ratio() -> None:
    with pytest.raises(ValueError, match="longer"):
        ratios([1.0], [1.0, 2.0])


@pytest.mark.parametrize(("part", "expected"), [(0.5, 50), (0.99, 99), (0.991, 100), (1, 100), (0, 1)])
def test_a_quantile_is_the_figure_that_so_many_do_not_pass(part: float, expected: float) -> None:
    assert quantile(list(range(100, 0, -1)), part) == expected


@pytest.mark.parametrize(
    ("limit", "kept", "missed"), [(at_least(0.6), 0.6, 0.599), (at_most(1.1), 1.1, 1.101), (at_most(0), 0, 1)]
)
def test_a_limit_is_kept_by_the_very_bound_and_missed_just_beyond(limit: object, kept: float, missed: float) -> None:
    def verdict(middle: float) -> str:
        return Row("p", "n", "ratio", Spread(0, middle, 9), limit).verdict  # type: ignore[arg-type]

    assert (verdict(kept), verdict(missed)) == ("pass", "fail")


def test_the_verdict_is_the_middle_figures() -> None:
    assert Row("p", "n", "ratio", Spread(0.1, 0.7, 9), at_least(0.6)).verdict == "pass"
    assert Row("p", "n", "ratio", Spread(0.1, 0.5, 9), at_least(0.6)).verdict == "fail"


def test_what_was_not_measured_is_neither_kept_nor_missed_and_says_why() -> None:
    row = missing("peers", "somebody", "there is no npm")
    assert row.verdict == "not measured"
    assert row.plain()["figure"] is None
    assert row.plain()["note"] == "there is no npm"


def test_room_is_one_at_the_limit_and_more_on_the_good_side() -> None:
    assert at_least(5).room(10) == 2
    assert at_most(3).room(6) == 0.5
    assert at_most(3).room(3) == 1
    assert at_most(0).room(0) > 1
    assert at_most(0).room(1) == 0
