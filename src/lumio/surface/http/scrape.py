"""The figures of a whole host in Prometheus' text form (product I4).

Promise: a scrape is answered within about a second whatever hangs: a worker that is silent, or the database.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import suppress

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import generate_latest

from lumio.kernel.board import Board
from lumio.kernel.errors import Unavailable
from lumio.kernel.metrics import (
    ANSWERS,
    COMMIT_BOUNDS,
    EACH,
    FAMILIES,
    LAG,
    SEQ,
    WORKERS,
    Family,
    Figures,
    Labels,
    Metrics,
)

PATIENCE_SECONDS = 1.0
Gauges = Mapping[str, float]
Ask = Callable[[], Awaitable[float]]


class Scrape:
    """Adds up what the processes of this host counted, and asks the database how things stand."""

    def __init__(self, metrics: Metrics, board: Board, asks: Mapping[str, Ask]) -> None:
        """Tell of `metrics`, which are this process's own, and of what is on `board`.

        `asks` are gauges and the questions to the database that they stand for; that of `LAG` returns the newest
        number of the feed.
        """
        self._metrics = metrics
        self._board = board
        self._asks = asks

    async def text(self) -> bytes:
        """Return the figures in Prometheus' text form; what the database does not say in time is left out."""
        total, process = self._metrics.figures(), self._board.process
        gauges = {process: total.gauges}
        for post in await asyncio.to_thread(lambda: list(self._board.others())):
            total.join(post.figures)
            if post.recent:
                gauges[post.process] = post.figures.gauges
        shared = await self._asked()
        shared[WORKERS] = float(sum(name.startswith("worker-") for name in gauges))
        applied = [each[SEQ] for each in gauges.values() if SEQ in each]
        newest = shared.pop(LAG, None)
        if newest is not None and applied:
            shared[LAG] = max(0.0, newest - min(applied))
        return generate_latest(_Exposition(total, gauges, shared))

    async def _asked(self) -> dict[str, float]:
        found: dict[str, float] = {}
        with suppress(Unavailable, TimeoutError):
            async with asyncio.timeout(PATIENCE_SECONDS):
                for name, ask in self._asks.items():
                    found[name] = await ask()
        found[ANSWERS] = float(len(found) == len(self._asks))
        return found


class _Exposition:
    """Figures as the library's families."""

    def __init__(
        self, total: Figures, gauges: Mapping[str, Mapping[str, float]], shared: Mapping[str, float]
    ) -> None:
        self._total = total
        self._gauges = gauges
        self._shared = shared

    def collect(self) -> Iterator[Metric]:
        """Yield every family that has something to tell."""
        for family in FAMILIES.values():
            match family.form:
                case "counter":
                    yield _counter(family, self._total.counts.get(family.name, {}))
                case "histogram":
                    yield _histogram(family, self._total)
                case "gauge":
                    yield _gauge(family, self._series(family))

    def _series(self, family: Family) -> list[tuple[Sequence[str], float]]:
        if family.labels == EACH:
            return [
                ((process,), each[family.name])
                for process, each in sorted(self._gauges.items())
                if family.name in each
            ]
        return [((), self._shared[family.name])] if family.name in self._shared else []


def _counter(family: Family, series: Mapping[Labels, int]) -> Metric:
    made = CounterMetricFamily(family.name, family.about, labels=family.labels)
    for labels, count in sorted(series.items()):
        made.add_metric(labels, count)
    if not family.labels and not series:
        made.add_metric((), 0)
    return made


def _histogram(family: Family, total: Figures) -> Metric:
    counts = total.spans.up_to()
    buckets = [(repr(bound), float(count)) for bound, count in zip(COMMIT_BOUNDS, counts, strict=False)]
    made = HistogramMetricFamily(family.name, family.about)
    made.add_metric((), [*buckets, ("+Inf", float(counts[-1]))], total.spans.total)
    return made


def _gauge(family: Family, series: Sequence[tuple[Sequence[str], float]]) -> Metric:
    made = GaugeMetricFamily(family.name, family.about, labels=family.labels)
    for labels, value in series:
        made.add_metric(labels, value)
    return made
