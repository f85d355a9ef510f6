"""Every system key at once, for the surfaces that show one list: the page and GraphQL."""

from typing import Any

from lumio.access.perform import Perform
from lumio.access.principal import Asker
from lumio.system_keys.model import SystemKeyView
from lumio.system_keys.service import SystemKeys

LARGEST = 200


async def every(perform: Perform, system_keys: SystemKeys, asker: Asker) -> list[SystemKeyView]:
    """Return all keys, page by page, by the action that also answers REST."""
    found: list[SystemKeyView] = []
    form: dict[str, Any] = {"limit": LARGEST}
    while True:
        page = await perform(system_keys.list, asker, form)
        found.extend(page.items)
        if page.next_cursor is None:
            return found
        form["cursor"] = page.next_cursor
