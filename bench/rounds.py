"""Rounds: every contender once, one after the other, then all again (A B A B …).

Promise: what slows the machine down for a while slows all of them; each round has one figure of each contender, and
ratios are made within a round.
"""

from collections.abc import Callable, Mapping, Sequence

from bench.driving import Driven
from bench.figures import Row, Spread, ratios

Turn = Callable[[int], Driven]
"""Drives one contender for so many seconds."""
Rounds = dict[str, list[Driven]]
WARM_UP_SECONDS = 1


def interleaved(turns: Mapping[str, Turn], seconds: int, rounds: int) -> Rounds:
    """Warm every contender up, then give each its turn, `rounds` times over."""
    for turn in turns.values():
        turn(WARM_UP_SECONDS)
    driven: Rounds = {name: [] for name in turns}
    for _ in range(rounds):
        for name, turn in turns.items():
            driven[name].append(turn(seconds))
            assert driven[name][-1].answers, f"{name}: there was no answer at all"
    return driven


def rates(driven: Sequence[Driven]) -> Spread:
    """Return answers a second."""
    return Spread.of(one.rate for one in driven)


def costs(driven: Sequence[Driven]) -> Spread:
    """Return microseconds on processors an answer."""
    return Spread.of(one.cost for one in driven)


def rate_ratio(ours: Sequence[Driven], other: Sequence[Driven]) -> Spread:
    """Return how many times as many answers a second."""
    return ratios([one.rate for one in ours], [one.rate for one in other])


def cost_ratio(ours: Sequence[Driven], other: Sequence[Driven]) -> Spread:
    """Return how many times as much processor time an answer."""
    return ratios([one.cost for one in ours], [one.cost for one in other])


def p99_ratio(ours: Sequence[Driven], other: Sequence[Driven]) -> Spread:
    """Return how many times as long the slowest hundredth takes."""
    return ratios([one.p99 for one in ours], [one.p99 for one in other])


def plain_rows(part: str, name: str, driven: Sequence[Driven]) -> list[Row]:
    """Return what is said of every contender: answers a second, processor time an answer, and who spent it."""
    shares = {tree for one in driven for tree in one.spent}
    means = {tree: sum(one.spent[tree] for one in driven) / sum(one.answers for one in driven) for tree in shares}
    spent = ", ".join(f"{tree} {mean * 1e6:.0f}" for tree, mean in sorted(means.items(), reverse=True))
    load = sum(one.load for one in driven) / sum(one.answers for one in driven) * 1e6
    p99 = Spread.of(one.p99 for one in driven)
    note = f"p99 {p99.low:.1f} / {p99.middle:.1f} / {p99.high:.1f} ms"
    return [
        Row(part, f"{name}: rate", "answers/s", rates(driven), None, note),
        Row(part, f"{name}: processor time", "µs/answer", costs(driven), None, f"{spent}; load generator {load:.0f}"),
    ]


def sealing_row(part: str, name: str, driven: Sequence[Driven]) -> Row:
    """Return how many rows the sealer had before it after each load, and what sealing them cost."""
    seconds, answers = sum(one.sealing for one in driven), sum(one.answers for one in driven)
    note = f"sealed afterwards for {seconds / answers * 1e6:.0f} µs/answer"
    return Row(part, f"{name}: rows before the sealer", "rows", Spread.of(one.waiting for one in driven), None, note)
