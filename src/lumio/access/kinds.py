"""The kinds of credential: how each is recognised and where it may travel (spec: credentials, section 2).

A new kind is a row here and one verifier in its own domain.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from lumio.crypto import opaque


class Kind(StrEnum):
    """The names that every surface uses."""

    SESSION = "session"
    OAUTH = "oauth"
    API_KEY = "api_key"
    SYSTEM_KEY = "system_key"
    POPOUT_TOKEN = "popout_token"  # noqa: S105 - the name of a kind
    ANONYMOUS = "anonymous"

    __hash__ = str.__hash__  # the enumeration's own asks for its name, in Python


class Place(StrEnum):
    """Where a credential was found in a request; `query` is `?token=`, `stray` any other part of a query."""

    BEARER = "bearer"
    COOKIE = "cookie"
    QUERY = "query"
    STRAY = "stray"


class Presented(NamedTuple):
    """One credential as it arrived. `text` is secret."""

    text: str
    place: Place

    def __repr__(self) -> str:
        """Show where it was, not what it is."""
        return f"Presented({self.place})"


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table: a prefix, what it means, where it may travel."""

    prefix: str
    kind: Kind
    places: frozenset[Place]


TABLE = (
    Row("lm_eyJ", Kind.SESSION, frozenset({Place.BEARER})),
    Row(opaque.PAGE_SESSION, Kind.SESSION, frozenset({Place.COOKIE})),
    Row(opaque.DEVELOPER_KEY, Kind.API_KEY, frozenset({Place.BEARER})),
    Row(opaque.SYSTEM_KEY, Kind.SYSTEM_KEY, frozenset({Place.BEARER})),
    Row(opaque.POPOUT_TOKEN, Kind.POPOUT_TOKEN, frozenset({Place.QUERY})),
    Row(opaque.ACCESS_TOKEN, Kind.OAUTH, frozenset({Place.BEARER})),
)

_BY_PREFIX = {row.prefix: row for row in TABLE}
_SHORT, _LONG = min(map(len, _BY_PREFIX)), max(map(len, _BY_PREFIX))


def recognise(presented: Presented) -> Row | None:
    """Return the table's row for a credential, wherever it was found, or None for no kind of ours."""
    text = presented.text
    return _BY_PREFIX.get(text[:_LONG]) or _BY_PREFIX.get(text[:_SHORT])
