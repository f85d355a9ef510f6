"""What a server answered, reduced to what commands need.

Promise: reading a member never fails; a member that is missing or of another type reads as empty.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lumio.cli.errors import CommandError


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, decoded JSON (None when there was none) and the few headers that matter."""

    status: int
    body: Any
    request_id: str | None = None
    retry_after: float | None = None
    location: str | None = None

    @property
    def ok(self) -> bool:
        """Tell whether the request was done."""
        return 200 <= self.status < 300  # noqa: PLR2004 - the class of successes, RFC 9110 section 15.3

    def object(self) -> dict[str, Any]:
        """Return the body; raises CommandError when it is not an object: then that is no Lumio server."""
        if isinstance(self.body, dict):
            return self.body
        raise CommandError(
            "The answer was not understood",
            "it is not the JSON that a Lumio server sends",
            "Check the address given with --server or LUMIO_SERVER",
            code="not_understood",
            status=self.status,
            request_id=self.request_id,
        )

    def content(self) -> Any:
        """Return the member `data` of the core API's envelope."""
        return self.object().get("data")

    def objects(self, member: str) -> list[dict[str, Any]]:
        """Return the list of objects in a member of the body."""
        value = self.object().get(member)
        return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []

    def next_link(self) -> str | None:
        """Return the address of the next page (`_links.next.href`)."""
        links = self.object().get("_links")
        following = links.get("next") if isinstance(links, dict) else None
        href = following.get("href") if isinstance(following, dict) else None
        return href if isinstance(href, str) and href else None


def _seconds(text: str | None) -> float | None:
    return float(text) if text is not None and text.strip().isdigit() else None


def read_answer(status: int, headers: Mapping[str, str], content: bytes) -> Answer:
    """Build the answer from what came over the wire. Header names are matched as `headers` matches them."""
    try:
        body = json.loads(content) if content else None
    except ValueError:
        body = None
    request_id = headers.get("x-request-id")
    if request_id is None and isinstance(body, dict) and isinstance(body.get("request_id"), str):
        request_id = body["request_id"]
    return Answer(status, body, request_id, _seconds(headers.get("retry-after")), headers.get("location"))
