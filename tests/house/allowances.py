"""Where a rule of the house does not hold, and why.

Promise: an allowance that is no longer needed fails the tests, so this list only ever says what is true.
"""

from typing import NamedTuple


class Allowance(NamedTuple):
    """One rule, one file, one reason."""

    rule: str
    path: str
    reason: str


ALLOWANCES: tuple[Allowance, ...] = (
    Allowance(
        "commits",
        "src/lumio/storage/outbox.py",
        "claiming and forgetting a message is delivery, not a change of the product: no event goes with it",
    ),
)
