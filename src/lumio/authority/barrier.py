"""The barrier: when does no node accept any more what was revoked? (spec: revocation, section 3; I10).

Promise: true is said only when every registered node has applied the number, or has had no lease for certain: W
has passed since the commit on this node's own clock.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

from lumio.authority import feed, nodes
from lumio.authority.lease import silence
from lumio.authority.subjects import Progress
from lumio.authority.tail import Tail
from lumio.kernel import clock
from lumio.storage.unit import Units, View

REMEMBERED_MAX = 10_000
FIRST_LOOK, LONGEST_LOOK = 0.01, 0.2
"""Seconds between two looks at the nodes; growing."""


class Barrier:
    """Looks at the nodes, and at the clock."""

    def __init__(self, units: Units, tail: Tail) -> None:
        """Read nodes by `units`; `tail` tells what this node knows, and since when."""
        self._units = units
        self._tail = tail
        self._commits: OrderedDict[int, tuple[float, float]] = OrderedDict()

    def committed(self, seq: int, longest: float) -> None:
        """Note that a unit of this process has committed `seq` by now; `longest` is W as that unit saw it."""
        self._commits[seq] = (self._tail.now(), longest)
        if len(self._commits) > REMEMBERED_MAX:
            self._commits.popitem(last=False)

    async def reached(self, seq: int, seconds: float) -> bool:
        """Wait up to `seconds` until no node accepts what `seq` ended; tell whether that is so."""
        until, pause = clock.monotonic() + seconds, FIRST_LOOK
        while True:
            if await self._units.read(lambda view: self._looked(view, seq)):
                return True
            left = until - clock.monotonic()
            if left <= 0:
                return False
            await asyncio.sleep(min(pause, left))
            pause = min(LONGEST_LOOK, pause * 1.5)

    async def progress(self, view: View, seq: int) -> Progress | None:
        """Return what became of a number, node by node."""
        entry = await feed.find(view, seq)
        if entry is None:
            return None
        rows = await nodes.all_nodes(view)
        return Progress(entry, self._passed(seq, rows), tuple(nodes.shown(row) for row in rows))

    async def _looked(self, view: View, seq: int) -> bool:
        """Look at the nodes; a server that does not know the number does not know every node either."""
        return await feed.find(view, seq) is not None and self._passed(seq, await nodes.all_nodes(view))

    def _passed(self, seq: int, rows: Sequence[Any]) -> bool:
        return not self._behind(seq, rows) or self._outlasted(seq, rows)

    def _behind(self, seq: int, rows: Sequence[Any]) -> list[Any]:
        """Return the nodes that may serve without knowing `seq`; this one knows what it committed itself."""
        knows = seq in self._commits or seq <= self._tail.applied
        myself = self._tail.node.id if knows else ""
        return [row for row in rows if row.lease_seconds > 0 and row.applied_seq < seq and row.node_id != myself]

    def _outlasted(self, seq: int, rows: Sequence[Any]) -> bool:
        """Tell whether the silent ones have no lease any more: W has passed since the commit, or since we knew."""
        longest = silence(max((row.lease_seconds for row in rows), default=0.0))
        since: float | None
        if seq in self._commits:
            since, before = self._commits[seq]
            longest = max(longest, before)
        else:
            since = self._tail.known_since(seq)
        return since is not None and self._tail.now() - since >= longest
