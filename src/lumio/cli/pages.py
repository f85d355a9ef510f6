"""Reads lists of the core API page by page.

Promise: at most `limit` items are returned, and a link only ever turns a page on the server it came from.
"""

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from lumio.cli.client import Client

PAGE = 200  # the most the server gives at once (spec: api, section 1)


def listed(client: "Client", path: str, limit: int, query: dict[str, str] | None = None) -> list[dict[str, Any]]:
    """Return the first `limit` items below `path`."""
    answer = client.get(path, {**(query or {}), "limit": min(limit, PAGE)})
    items = answer.objects("data")
    link = answer.next_link()
    while link is not None and len(items) < limit:
        parts = urlsplit(link)
        answer = client.get(f"{parts.path}?{parts.query}" if parts.query else parts.path)
        items += answer.objects("data")
        following = answer.next_link()
        link = following if following != link else None
    return items[:limit]
