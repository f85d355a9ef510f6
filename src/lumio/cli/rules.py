"""The rules of the fields of `lumio.config.json`, one function each.

Promise: a rule returns None for a value that fits, and otherwise words that follow the field's name.
"""

import re
from collections.abc import Callable, Iterable
from typing import Any

from lumio.crypto import opaque

NAME_LENGTH = 255
DESCRIPTION_LENGTH = 1000
TARGETS = ("editor", "layer", "interactive")
VISIBILITIES = ("private", "unlisted", "public", "paid")
PRICES = ("free", "one_time", "subscription")
INTERVALS = ("month", "year")
_PRICING_FIELDS = frozenset({"type", "amount", "currency", "interval"})

# Semantic Versioning 2.0.0, items 2, 9 and 10: no leading zeroes in numbers.
_NUMBER = r"(?:0|[1-9]\d*)"
_PART = rf"(?:{_NUMBER}|\d*[a-zA-Z-][0-9a-zA-Z-]*)"
_SEMVER = re.compile(
    rf"{_NUMBER}\.{_NUMBER}\.{_NUMBER}(?:-{_PART}(?:\.{_PART})*)?(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?",
    re.ASCII,
)
_EXTENSION_ID = re.compile(r"ext_[0-9A-Za-z_-]{1,64}", re.ASCII)
_CURRENCY = re.compile(r"[A-Z]{3}", re.ASCII)


def is_semver(text: str) -> bool:
    """Tell whether the text is a version by Semantic Versioning 2.0.0."""
    return len(text) <= NAME_LENGTH and _SEMVER.fullmatch(text) is not None


def _leak(text: str) -> str | None:
    if opaque.MASKABLE.search(text):
        return "holds a key: remove it, and revoke the key if the file was ever shared"
    return None


def prose(limit: int) -> Callable[[Any], str | None]:
    """Make the rule for text over several lines of at most `limit` characters."""

    def rule(value: Any) -> str | None:
        if not isinstance(value, str):
            return "must be text"
        return f"must have at most {limit} characters (has {len(value)})" if len(value) > limit else _leak(value)

    return rule


def line(limit: int) -> Callable[[Any], str | None]:
    """Make the rule for one line of text: not empty, at most `limit` characters."""

    def rule(value: Any) -> str | None:
        if not isinstance(value, str) or not value.strip():
            return "must be text and not empty"
        if any(not each.isprintable() for each in value):
            return "must be one line without control characters"
        return prose(limit)(value)

    return rule


def one_of(choices: Iterable[str]) -> Callable[[Any], str | None]:
    """Make the rule for a word out of a list."""
    allowed = tuple(choices)

    def rule(value: Any) -> str | None:
        return None if value in allowed else f"must be one of {', '.join(allowed)}"

    return rule


def extension_id(value: Any) -> str | None:
    """Check the id of an extension."""
    if isinstance(value, str) and _EXTENSION_ID.fullmatch(value):
        return None
    return "must be the id of an extension (ext_…); lumio extensions list shows them"


def version(value: Any) -> str | None:
    """Check a version."""
    return None if isinstance(value, str) and is_semver(value) else "must be a semantic version such as 1.2.0"


def texts(value: Any) -> str | None:
    """Check a list of texts."""
    if not isinstance(value, list) or not all(isinstance(each, str) and each for each in value):
        return "must be a list of texts"
    return "must not name anything twice" if len(set(value)) != len(value) else None


def targets(value: Any) -> str | None:
    """Check the places where an extension runs."""
    broken = texts(value)
    if broken:
        return broken
    return None if value and set(value) <= set(TARGETS) else f"must list at least one of {', '.join(TARGETS)}"


def _is_amount(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value > 0


def pricing(value: Any) -> str | None:
    """Check what an extension costs."""
    if not isinstance(value, dict) or value.get("type") not in PRICES:
        return f"must be an object whose type is one of {', '.join(PRICES)}"
    unknown = sorted(set(value) - _PRICING_FIELDS)
    if unknown:
        return f"has the unknown member {unknown[0]}"
    return None if value["type"] == "free" else _price(value)


def _price(value: dict[str, Any]) -> str | None:
    if not _is_amount(value.get("amount")):
        return "must have an amount above 0"
    if not isinstance(value.get("currency"), str) or not _CURRENCY.fullmatch(value["currency"]):
        return "must have a currency of three capital letters (ISO 4217)"
    if value["type"] == "subscription" and value.get("interval") not in INTERVALS:
        return f"must have an interval, one of {', '.join(INTERVALS)}"
    return None
