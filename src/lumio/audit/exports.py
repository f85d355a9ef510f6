"""Exports: the log as a file that proves itself, streamed slice by slice, its last line signed.

Promise: an export is on record before its first byte leaves; it stops when its reader loses the right to read;
a file without a signed last line is not whole.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from hashlib import sha256
from typing import Any
from urllib.parse import urlencode

from lumio.access.action import action
from lumio.access.context import Context
from lumio.accounts.service import Accounts
from lumio.audit import events
from lumio.audit.lines import MARKS, OPENINGS, WRITERS, Row, json_line
from lumio.audit.model import ExportLog, ExportPlatformLog, Filters
from lumio.audit.service import checked, of_account
from lumio.audit.store.days import END_OF_TIME
from lumio.audit.store.exporting import ExportStore, Part, State, Waiting
from lumio.audit.store.filters import Chosen
from lumio.crypto.chain import link
from lumio.crypto.notary import Notary
from lumio.kernel import clock
from lumio.kernel.event import NOWHERE, SYSTEM, Event
from lumio.storage.unit import Unit, Units, View

PATIENCE = timedelta(minutes=1)
"""Rows that happen later than this after the order are left for the next export."""
SEALER_SECONDS = 30.0
"""How long an export waits for a sealer that is far behind; what it leaves out then is counted in the last line."""
PAUSE_SECONDS = 0.25

MayGoOn = Callable[[], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Order:
    """An export that was recorded and may be written."""

    chosen: Chosen
    format: str
    at: datetime
    with_held: bool = False

    @property
    def name(self) -> str:
        """The name of the file."""
        whose = self.chosen.account_id or "all"
        return f"lumio-audit-{whose}-{self.at:%Y%m%dT%H%M%SZ}.{self.format}"


@dataclass(frozen=True, slots=True)
class Rest:
    """What follows the last sealed row: unsealed ones, and the chains' ends."""

    waiting: Waiting
    state: State


class Paper:
    """What has been written so far: its digest, its chain, its count."""

    def __init__(self, chosen: Chosen) -> None:
        """Begin an empty file."""
        self._chosen = chosen
        self._digest = sha256()
        self._count = self._sealed = self._first = self._last = 0
        self._start = self._end = b""
        self._whole = chosen.everything

    def note(self, content: bytes) -> bytes:
        """Take bytes into the digest, and return them."""
        self._digest.update(content)
        return content

    def link(self, rows: Sequence[Row]) -> Sequence[Row]:
        """Follow the chain over the next rows, and return them; where it does not hold, the file is not whole."""
        for row in rows:
            self._count += 1
            if row["position"] is None:
                continue
            if self._chosen.account_id is not None:
                previous, end = bytes(row["account_prev"]), link(row["account_prev"], row["leaf"])
            else:
                previous, end = (
                    self._end,
                    bytes(row["chain"] or b""),
                )  # a row on hold has no place in the global chain
                self._whole &= not (previous and end) or link(previous, row["leaf"]) == end
            self._whole &= not self._sealed or previous == self._end
            self._start, self._first = (self._start, self._first) if self._sealed else (previous, row["position"])
            self._end, self._last, self._sealed = end, row["position"], self._sealed + 1
        return rows

    def statement(self, rest: Rest, order: Order, now: datetime) -> dict[str, Any]:
        """Return the last line, unsigned."""
        state, left_out = rest.state, rest.waiting.left_out
        of_account = self._chosen.account_id is not None
        start, end = (self._start, self._end) if self._sealed else (state.account_end, state.account_end)
        return {
            "statement": "export",
            "account": self._chosen.account_id or "all",
            "format": order.format,
            "filters": urlencode(_given(self._chosen.filters)),
            "complete": self._whole and not left_out,
            "left_out": left_out,
            "count": self._count,
            "sealed": self._sealed,
            "first": self._first,
            "last": self._last,
            "account_start": start.hex() if of_account else "",
            "account_end": end.hex() if of_account else "",
            "checkpoint": state.checkpoint,
            "sha256": self._digest.hexdigest(),
            "at": clock.rfc3339(now),
            "head_position": state.position,
            "head_chain": state.chain.hex(),
        }


class Exports:
    """Writes exports."""

    def __init__(self, store: ExportStore, accounts: Accounts, units: Units, notary: Notary) -> None:
        """Read through `store`, sign by `notary`."""
        self._store = store
        self._accounts = accounts
        self._units = units
        self._notary = notary

    @action("audit.export", permission="audit-log:read", event=events.EXPORTED)
    async def order(self, context: Context, form: ExportLog) -> Order:
        """Record an export of the account's log."""
        order = Order(of_account(context, form), form.format, clock.now())
        context.record(events.EXPORTED, detail=_told(form))
        return order

    @action("platform_audit.export", permission="platform-audit:read", event=events.EXPORTED)
    async def order_all(self, context: Context, form: ExportPlatformLog) -> Order:
        """Record an export of the operator's log; one of a single account stands in that account's log.

        Rows under a legal hold are among it: the hold is the operator's.
        """
        order = Order(Chosen(checked(form), form.account_id), form.format, clock.now(), with_held=True)
        known = form.account_id is not None and await self._accounts.exists(form.account_id)
        detail = {**_told(form), "account": form.account_id or "all"}
        context.record(events.EXPORTED, detail=detail, account_id=form.account_id if known else None)
        return order

    async def order_here(self, form: ExportPlatformLog) -> Order:
        """Record an export by whoever operates the machine, rows under a legal hold among it. Raises Invalid."""
        order = Order(Chosen(checked(form), form.account_id), form.format, clock.now(), with_held=True)
        known = form.account_id is not None and await self._accounts.exists(form.account_id)
        detail = {**_told(form), "account": form.account_id or "all"}
        account_id = form.account_id if known else None
        event = Event(events.EXPORTED, "success", SYSTEM, NOWHERE, account_id=account_id, detail=detail)

        async def record(unit: Unit) -> None:
            unit.record(event)

        await self._units.run(record)
        return order

    async def write(self, order: Order, may_go_on: MayGoOn) -> AsyncIterator[bytes]:
        """Yield the file piece by piece.

        Args:
            order: what was recorded.
            may_go_on: asked before each slice; raises when the reader may read no more.
        """
        paper = Paper(order.chosen)
        if OPENINGS[order.format]:
            yield paper.note(OPENINGS[order.format])
        put, rest, after = WRITERS[order.format], None, 0
        async for rows in self._held(order):
            yield paper.note(put(paper.link(rows)))
            after = int(rows[-1]["position"])
        given_up = clock.monotonic() + SEALER_SECONDS
        while rest is None:
            await may_go_on()
            part, rest = await self._units.read(partial(self._slice, order=order, after=after, given_up=given_up))
            if part.rows:
                yield paper.note(put(paper.link(part.rows)))
            if part.last is not None:
                after, given_up = part.last, clock.monotonic() + SEALER_SECONDS
            elif rest is None:
                await asyncio.sleep(PAUSE_SECONDS)
        if rest.waiting.rows:
            yield paper.note(put(paper.link(rest.waiting.rows)))
        said = paper.statement(rest, order, clock.now())
        yield MARKS[order.format] + json_line(self._notary.sign(said))

    async def _held(self, order: Order) -> AsyncIterator[Sequence[Row]]:
        after: int | None = 0 if order.with_held else None
        while after is not None:
            part = await self._units.read(partial(self._store.held, chosen=order.chosen, after=after))
            if part.rows:
                yield part.rows
            after = part.last

    async def _slice(self, view: View, order: Order, after: int, given_up: float) -> tuple[Part, Rest | None]:
        """Return a part, and with the last one what is not sealed yet, as the same snapshot shows it.

        Where more waits than one answer holds, the sealer gets time to move it: it comes as sealed parts then.
        """
        part = await self._store.sealed(view, order.chosen, after)
        latest = order.at + PATIENCE
        late = bool(part.rows) and clock.from_micros(part.rows[-1]["ts"]) > latest
        if part.last is not None and not late:
            return part, None
        waiting = await self._store.waiting(view, order.chosen, clock.to_micros(latest) if late else END_OF_TIME)
        if waiting.left_out and not late and clock.monotonic() < given_up:
            return part, None
        return part, Rest(waiting, await self._store.state(view, order.chosen.account_id))


def _told(form: ExportLog) -> dict[str, Any]:
    """Return what the log keeps of an order: the form of the file and the filters that were given."""
    return {"format": form.format, **_given(form)}


def _given(filters: Filters) -> dict[str, str]:
    found: dict[str, str] = {}
    for name in Filters.__struct_fields__:
        value = getattr(filters, name)
        if value not in {None, False}:
            found[name] = clock.rfc3339(value) if isinstance(value, datetime) else str(value)
    return found
