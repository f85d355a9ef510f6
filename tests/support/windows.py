"""The worst window of promise R that this run has seen, printed at its end and kept in a file where one is named.

Promise: whatever a test notes as its window reaches the last lines of the run, from every worker of it.
"""

import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

NOTE = "revocation window"
KEPT = "LUMIO_WINDOW_FILE"
"""Names the text file to which each run appends one line."""
Record = Callable[[str, object], None]


def note(record: Record, seconds: float, bound: float, words: str) -> None:
    """Note how long after its commit a revoked credential was still accepted; `record` is `record_property`."""
    record(NOTE, [round(max(0.0, seconds), 3), round(bound, 3), words])


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the worst window and append it to the file."""
    found = [
        (*value, report.nodeid.rpartition("::")[2])
        for reports in terminalreporter.stats.values()
        for report in reports
        for name, value in getattr(report, "user_properties", ())
        if name == NOTE and getattr(report, "when", "") == "call"
    ]
    if not found:
        return
    seconds, bound, words, test = max(found)
    line = (
        f"worst revocation window {seconds:.3f} s of {bound:.2f} s allowed, in {len(found)} notes: {words} ({test})"
    )
    terminalreporter.write_line(line)
    if path := os.environ.get(KEPT):
        with Path(path).open("a", encoding="utf-8") as kept:
            kept.write(f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ} {line}\n")
