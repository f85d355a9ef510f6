"""Golden files: what was reviewed, in plain text. `LUMIO_GOLDEN=write` writes them anew; read the diff then."""

import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent

Golden = Callable[[str, str], None]


@pytest.fixture
def golden() -> Golden:
    """Compare a text with the golden file of this name."""

    def compare(name: str, found: str) -> None:
        path = FOLDER / name
        if os.environ.get("LUMIO_GOLDEN") == "write":
            path.write_text(found, "utf-8")
        assert path.exists(), f"{name} is missing: run make golden, and read what it says"
        reviewed = path.read_text("utf-8")
        assert found.splitlines() == reviewed.splitlines(), f"{name} has changed: if it is meant, run make golden"

    return compare


@pytest.fixture
def table() -> Callable[[Sequence[str], Iterable[Sequence[str]]], str]:
    """Make a text table whose lines change one by one."""
    return as_table


def as_table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return columns of equal width; an empty cell is a dash."""
    lines = [list(heads), *([cell or "-" for cell in row] for row in rows)]
    widths = [max(len(line[place]) for line in lines) for place in range(len(heads))]
    return "".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() + "\n"
        for line in lines
    )
