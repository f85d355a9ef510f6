"""A sink that counts what passes through it. Promise: it changes nothing of what the sink under it says."""

from collections.abc import Sequence

from lumio.kernel import clock
from lumio.kernel.metrics import BATCHES, FAILURES, ROWS, Metrics
from lumio.storage.folding import Row, Tally
from lumio.storage.sinks import Sink


class MeteredSink:
    """Counts batches, rows and how long each took."""

    def __init__(self, sink: Sink, metrics: Metrics) -> None:
        """Count what goes to `sink`."""
        self._sink = sink
        self._metrics = metrics

    async def open(self) -> None:
        """Open the sink."""
        await self._sink.open()

    async def write(self, rows: Sequence[Row], tallies: Sequence[Tally]) -> None:
        """Write, and count what came of it."""
        began = clock.monotonic()
        try:
            await self._sink.write(rows, tallies)
        except Exception:
            self._metrics.count(FAILURES)
            raise
        self._metrics.took(clock.monotonic() - began)
        self._metrics.count(BATCHES)
        self._metrics.count(ROWS, by=len(rows) + len(tallies))

    async def close(self) -> None:
        """Close the sink."""
        await self._sink.close()
