"""A text that must not be seen: prints as a mask wherever it is formatted, logged or compared by accident."""

import secrets


class Secret:
    """Hold a secret text; `reveal()` is the only way out, so that every use can be searched for."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        """Wrap `text`."""
        self._text = text

    def reveal(self) -> str:
        """Return the plain text."""
        return self._text

    def matches(self, other: str) -> bool:
        """Compare in constant time."""
        return secrets.compare_digest(self._text.encode(), other.encode())

    def __repr__(self) -> str:
        """Show that something is there, and nothing of it."""
        return "Secret(…)"

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        """Refuse: `==` stops at the first difference, which can be timed."""
        message = "compare secrets with matches()"
        raise TypeError(message)

    __hash__ = None  # type: ignore[assignment]  # a secret is no key of a mapping
