"""The chain's end, signed for whoever keeps it outside: the page, programs, the public list of keys.

Promise: what is signed is what the snapshot shows, in the words of the heads that leave by themselves.
"""

from msgspec import convert

from lumio.audit.model import Head
from lumio.audit.sealer import head_of
from lumio.audit.store.exporting import ExportStore
from lumio.crypto.notary import Notary
from lumio.kernel import clock
from lumio.storage.unit import View


class Signing:
    """Signs heads."""

    def __init__(self, store: ExportStore, notary: Notary) -> None:
        """Read through `store`, sign by `notary`."""
        self._store = store
        self._notary = notary

    async def head(self, view: View) -> Head:
        """Return the end of the global chain as the view sees it."""
        state = await self._store.state(view, None)
        return convert(self._notary.sign(head_of(state.position, state.chain, clock.now())), Head)

    @property
    def public_keys(self) -> tuple[str, ...]:
        """The keys that signatures of this installation are checked by, 64 hexadecimal digits each."""
        return self._notary.public_keys
