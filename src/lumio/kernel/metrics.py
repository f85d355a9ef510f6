"""Figures of one process: how often, how long, how things stand (product I4).

Promise: counting costs about one dictionary increment, and a family never has more than `SERIES_MAX` series: a label
says which of a few, never who, so no stranger can make it grow, and nothing here is secret or an address.
"""

from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any, Literal, NamedTuple, Self

Labels = tuple[str, ...]
SERIES_MAX = 300
REST = "other"
"""The value of every label of what came when a family was full."""


class Family(NamedTuple):
    """One metric: its name, what it is, what it means, and what its series differ by."""

    name: str
    form: Literal["counter", "gauge", "histogram"]
    about: str
    labels: Labels = ()


REQUESTS = "lumio_requests_total"
VERDICTS = "lumio_authentications_total"
UNAVAILABLE = "lumio_unavailable_total"
BATCHES, ROWS, FAILURES = "lumio_journal_batches_total", "lumio_journal_rows_total", "lumio_journal_failures_total"
COMMIT, QUEUE, COMMITS = "lumio_journal_commit_seconds", "lumio_journal_queue", "lumio_journal_writer_commits_total"
BACKLOG, OUTBOX = "lumio_sealer_backlog_seconds", "lumio_outbox_messages"
FRESH, LEASE = "lumio_authority_fresh", "lumio_authority_lease_seconds_left"
SEQ, LAG = "lumio_revocation_seq", "lumio_revocation_lag"
MEMORY, WORKERS, ANSWERS = "lumio_process_resident_bytes", "lumio_workers", "lumio_database_answers"

EACH = ("process",)
FAMILIES = {
    one.name: one
    for one in (
        Family(REQUESTS, "counter", "Answers sent.", ("surface", "status", "kind")),
        Family(VERDICTS, "counter", "Credentials judged: accepted, or why not.", ("kind", "verdict")),
        Family(UNAVAILABLE, "counter", "Answers 503, by the part that could not vouch.", ("reason",)),
        Family(BATCHES, "counter", "Batches of the audit journal that became durable."),
        Family(ROWS, "counter", "Rows of these batches; equal events share one."),
        Family(FAILURES, "counter", "Batches that did not become durable."),
        Family(COMMIT, "histogram", "Seconds from handing a batch over until it was durable."),
        Family(COMMITS, "counter", "Commits of the process that writes SQLite for several workers."),
        Family(QUEUE, "gauge", "Events that wait for the next batch.", EACH),
        Family(BACKLOG, "gauge", "Age of the oldest event that is not sealed yet, in seconds."),
        Family(OUTBOX, "gauge", "Messages that are still to be sent."),
        Family(FRESH, "gauge", "1 while this worker can prove that it knows every revocation.", EACH),
        Family(LEASE, "gauge", "Seconds for which it may still serve (PostgreSQL).", EACH),
        Family(SEQ, "gauge", "Number of the newest revocation that it has applied (PostgreSQL).", EACH),
        Family(LAG, "gauge", "Revocations that the slowest worker of this host has not applied yet (PostgreSQL)."),
        Family(MEMORY, "gauge", "Resident memory, pages shared with others included.", EACH),
        Family(WORKERS, "gauge", "Workers of this host that were heard of lately."),
        Family(ANSWERS, "gauge", "1 when the database answered this very scrape in time."),
    )
}
"""Every family; `docs/how-to/metrics.md` explains each."""

COMMIT_BOUNDS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)


@dataclass(slots=True)
class Spans:
    """A histogram: how many spans were within each bound, the last one without, and their sum in seconds."""

    counts: list[int] = field(default_factory=lambda: [0] * (len(COMMIT_BOUNDS) + 1))
    total: float = 0.0

    def add(self, seconds: float) -> None:
        """Count one span."""
        self.counts[bisect_left(COMMIT_BOUNDS, seconds)] += 1
        self.total += seconds

    def join(self, other: "Spans") -> None:
        """Add another process's."""
        self.counts = [mine + its for mine, its in zip(self.counts, other.counts, strict=True)]
        self.total += other.total

    def up_to(self) -> list[int]:
        """Return how many spans were within each bound or a smaller one."""
        return list(accumulate(self.counts))


@dataclass(slots=True)
class Figures:
    """What one process counted, and how things stand with it; what several counted adds up."""

    counts: dict[str, dict[Labels, int]] = field(default_factory=dict)
    spans: Spans = field(default_factory=Spans)
    gauges: dict[str, float] = field(default_factory=dict)

    def join(self, other: "Figures") -> None:
        """Add what another process counted."""
        for name, series in other.counts.items():
            mine = self.counts.setdefault(name, {})
            for labels, count in series.items():
                mine[labels] = mine.get(labels, 0) + count
        self.spans.join(other.spans)

    def plain(self) -> dict[str, Any]:
        """Return it as JSON can hold it."""
        counts = [[name, labels, count] for name, series in self.counts.items() for labels, count in series.items()]
        return {"counts": counts, "spans": [self.spans.counts, self.spans.total], "gauges": self.gauges}

    @classmethod
    def of(cls, plain: Any) -> Self:
        """Return what `plain` held. Raises ValueError, TypeError or LookupError for anything else."""
        made = cls(gauges={str(name): float(value) for name, value in plain["gauges"].items()})
        for name, labels, count in plain["counts"]:
            made.counts.setdefault(str(name), {})[tuple(map(str, labels))] = int(count)
        counts, total = plain["spans"]
        if len(counts) != len(made.spans.counts):
            raise ValueError("these are other bounds")
        made.spans = Spans([int(count) for count in counts], float(total))
        return made


class Metrics:
    """Counts for one process. Gauges are asked when somebody looks: `gauge(FRESH, lambda: 1.0)`."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._counts: dict[str, dict[Labels, int]] = {
            name: {} for name, family in FAMILIES.items() if family.form == "counter"
        }
        self._spans = Spans()
        self._gauges: dict[str, Callable[[], float | None]] = {}

    def count(self, name: str, *labels: str, by: int = 1) -> None:
        """Raise a counter; label values come from small sets of ours, in the order of the family."""
        series = self._counts[name]
        known = series.get(labels)
        if known is not None:
            series[labels] = known + by
            return
        labels = tuple(map(str, labels))  # a member of an enumeration is equal to its text and hashes otherwise
        if labels not in series and len(series) >= SERIES_MAX:
            labels = (REST,) * len(labels)
        series[labels] = series.get(labels, 0) + by

    def took(self, seconds: float) -> None:
        """Count the span of one commit."""
        self._spans.add(seconds)

    def gauge(self, name: str, ask: Callable[[], float | None]) -> None:
        """Let `ask` tell how things stand with this process: cheap, without waiting; None when it is not known."""
        if FAMILIES[name].labels != EACH:
            message = f"{name} is no gauge of a single process"
            raise ValueError(message)
        self._gauges[name] = ask

    def figures(self) -> Figures:
        """Return everything as it is now."""
        asked = {name: ask() for name, ask in self._gauges.items()}
        counts = {name: dict(series) for name, series in self._counts.items() if series}
        known = {name: float(value) for name, value in asked.items() if value is not None}
        return Figures(counts, Spans(list(self._spans.counts), self._spans.total), known)

    def go_on_from(self, figures: Figures) -> None:
        """Count on where a dead process with this one's number stopped, so that no counter of the host goes back."""
        for name, series in figures.counts.items():
            for labels, count in series.items():
                if name in self._counts:
                    self.count(name, *labels, by=count)
        self._spans.join(figures.spans)
