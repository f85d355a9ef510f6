"""Counting answers: by surface, class of status and kind of credential.

Promise: one increment for each answer, however it was made; nothing that a stranger can choose becomes a label.
"""

from types import TracebackType
from typing import Any

from lumio.kernel.errors import LumioError, Unavailable
from lumio.kernel.metrics import REQUESTS, REST, UNAVAILABLE, Metrics

SURFACES = {
    "v1": "rest", "developer": "developer", "api": "pages", "static": "static",
    "healthz": "probes", "readyz": "probes", "metrics": "probes",
}  # fmt: skip
"""First part of a path → surface; all else is a page."""
PAGES = "pages"
STATUS = ("0xx", "1xx", "2xx", "3xx", "4xx", "5xx")
NOBODY = "none"
"""The kind of a request that was refused before anybody was known, or that asks for nobody."""
UNAVAILABLE_STATUS = 503

PARTS = (
    ("lumio.storage.journal", "journal"),
    ("lumio.storage.shared_sink", "journal"),
    ("lumio.storage.sinks", "journal"),
    ("lumio.storage.unit", "unit"),
    ("lumio.storage", "database"),
    ("lumio.authority", "authority"),
    ("lumio.crypto", "argon2"),
    ("lumio.extensions", "bundles"),
    ("lumio.audit", "audit"),
)
"""Where an error was raised → which part of the house could not vouch; the first that fits."""
_WHY = "unavailable_because"


class Counting:
    """Counts into one process's figures."""

    def __init__(self, metrics: Metrics) -> None:
        """Count into `metrics`."""
        self._metrics = metrics

    def __call__(self, scope: Any, status: int) -> None:
        """Count one answer, at its start."""
        state = scope["state"]
        asker = state.get("asker")
        kind = NOBODY if asker is None else asker.principal.kind
        surface = SURFACES.get(scope["path"][1:].partition("/")[0], PAGES)
        self._metrics.count(REQUESTS, surface, STATUS[status // 100], kind)
        if status == UNAVAILABLE_STATUS:
            self._metrics.count(UNAVAILABLE, state.get(_WHY, REST))


def tell_why(scope: Any, error: LumioError) -> None:
    """Leave beside a request why it is answered 503, for the count."""
    if isinstance(error, Unavailable):
        scope["state"][_WHY] = part_of(error.__traceback__)


def part_of(trace: TracebackType | None) -> str:
    """Return the part of the house in which an error was raised, by the innermost frame of ours."""
    found = REST
    while trace is not None:
        module = str(trace.tb_frame.f_globals.get("__name__", ""))
        found = next((part for name, part in PARTS if module.startswith(name)), found)
        trace = trace.tb_next
    return found
