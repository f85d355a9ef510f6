"""Rules of fields that several domains share: labels, and the end of a credential."""

from datetime import datetime

from lumio.kernel import clock
from lumio.kernel.errors import FieldError, Invalid

LATEST_YEAR = 2999
"""A later end, moved to UTC, could leave the calendar."""


def clean_label(label: str) -> str:
    """Return a label without outer space; it is free-form, and escaped wherever it is shown.

    Raises:
        Invalid: nothing is left.
    """
    cleaned = label.strip()
    if not cleaned:
        raise Invalid([FieldError("label", "length", "Must have at least one visible character.")])
    return cleaned


def in_future(field: str, moment: datetime | None) -> None:
    """Refuse an end that is not ahead, has no zone, or lies beyond the calendar; None is no end.

    Raises:
        Invalid: names `field`.
    """
    if moment is None:
        return
    if moment.tzinfo is None or moment <= clock.now():
        raise Invalid([FieldError(field, "future", "Must be a time in the future, with its zone.")])
    if moment.year > LATEST_YEAR:
        raise Invalid([FieldError(field, "future", "Is too far away; leave it out for something that never ends.")])
