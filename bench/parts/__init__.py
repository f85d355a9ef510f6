"""The parts of the bench: each a module whose `measure(ground)` yields rows, in the order of a full run."""

from collections.abc import Iterator
from importlib import import_module

from bench.figures import Row
from bench.ground import Ground

PARTS = (
    "verify", "me", "kinds", "workers", "peers", "cold", "storm", "flood", "creation", "revoke", "start", "page",
    "growth",
)  # fmt: skip


def measure(part: str, ground: Ground) -> Iterator[Row]:
    """Run one part; only what it needs is imported."""
    rows: Iterator[Row] = import_module(f"bench.parts.{part}").measure(ground)
    return rows


def described(part: str) -> str:
    """Return the sentence that says what a part measures."""
    return (import_module(f"bench.parts.{part}").__doc__ or "").splitlines()[0]
