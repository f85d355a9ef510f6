"""Verifying the log against its chain, its checkpoints and the heads outside (spec: audit log, section 4).

Promise: what was changed, added, left out or cut off before the newest outside head is found, and its first position
is named. What lies after that head is only as safe as the database.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from lumio.audit.heads import HeadFile
from lumio.audit.outside import Bad, Outside, read_outside
from lumio.audit.store.verifying import VerifyStore
from lumio.audit.verdict import Outcome, Verdict
from lumio.crypto.chain import GENESIS, PERSONAL, SALT_BYTES, commitments, leaf, link, unpack
from lumio.crypto.notary import genuine_under
from lumio.storage.unit import Units

SLICE = 1000
Row = Mapping[str, Any]


@dataclass(slots=True)
class Walk:
    """How far a verification has come, and the chains' ends there."""

    position: int = 0
    chain: bytes = GENESIS
    accounts: dict[str, tuple[bytes, int]] = field(default_factory=dict)
    erased: int = 0


class Verification:
    """Verifies a database."""

    def __init__(self, units: Units, store: VerifyStore, public_keys: tuple[str, ...]) -> None:
        """Read through `units` and `store`; statements count when one of `public_keys` signed them."""
        self._units = units
        self._store = store
        self._keys = public_keys

    async def everything(self, heads: HeadFile) -> Verdict:
        """Verify the whole log that is kept. Raises Unavailable when the database cannot be read."""
        try:
            left = (await self._units.read(self._store.end))["head_position"]  # read first: more may leave meanwhile
            outside = read_outside(heads, self._keys)
            end = await self._units.read(self._store.end)
            walk = await self._start(outside)
            first = walk.position + 1
            await self._walk(walk, end, outside)
            await self._compare_ends(walk, end, outside, left)
        except Bad as bad:
            return bad.verdict
        waiting = await self._units.read(self._store.waiting)
        told = f"{walk.position - first + 1} events from position {first} to {walk.position} are intact"
        told += f", {walk.erased} of them with erased personal fields" if walk.erased else ""
        told += f"; {waiting} rows are not sealed yet" if waiting else ""
        return Verdict(Outcome.INTACT, told + ".")

    async def account(self, account_id: str) -> Verdict:
        """Verify one account's chain alone. Raises Unavailable when the database cannot be read."""
        try:
            count, first = await self._walk_account(account_id)
        except Bad as bad:
            return bad.verdict
        return Verdict(Outcome.INTACT, f"{count} events of account {account_id}, from position {first}, are intact.")

    async def run_of(self, first: int, last: int) -> tuple[Walk, dict[str, tuple[bytes, int]]]:
        """Verify a run of positions that begins where the checkpoints end.

        Returns:
            The chains' ends after it, and of them those of the accounts that have events in it.

        Raises:
            Bad: something in it is not what was sealed.
        """
        walk = await self._start(Outside())
        known = dict(walk.accounts)
        if walk.position != first - 1:
            raise Bad(Outcome.INCOMPLETE, f"Position {walk.position + 1} is missing.", walk.position + 1)
        await self._walk(walk, {"position": last}, Outside())
        return walk, {name: end for name, end in walk.accounts.items() if known.get(name) != end}

    async def _start(self, outside: Outside) -> Walk:
        """Check every checkpoint, and stand at the newest."""
        walk = Walk()
        known = set()
        for row in await self._units.read(self._store.checkpoints):
            position = row["position"]
            statement = outside.parse(row["statement"])
            if statement is None or not genuine_under(statement, self._keys) or statement.get("position") != position:
                raise Bad(Outcome.ALTERED, f"The checkpoint at position {position} is not what was signed.", position)
            ends = await self._ends_at(position, statement)
            walk.accounts |= ends
            walk.position, walk.chain = position, bytes.fromhex(statement["chain"])
            known.add((position, statement["chain"]))
        for position, chain in outside.checkpoints:
            if (position, chain) not in known:
                raise Bad(Outcome.ALTERED, f"The checkpoint at position {position} is gone.", position)
        return walk

    async def _ends_at(self, position: int, statement: Row) -> dict[str, tuple[bytes, int]]:
        rows = await self._units.read(lambda view: self._store.checkpoint_accounts(view, position))
        ends = {row["account_id"]: (row["chain"], row["count"]) for row in rows}
        if digest_of_ends(ends) != statement.get("accounts"):
            raise Bad(Outcome.ALTERED, f"The accounts of the checkpoint at {position} were changed.", position)
        return ends

    async def _walk(self, walk: Walk, end: Row, outside: Outside) -> None:
        while walk.position < end["position"]:
            after = walk.position
            until = min(after + SLICE, end["position"])
            found = await self._units.read(partial(self._store.sealed, after=after, until=until))
            for position in range(after + 1, found.until + 1):
                place, event = found.places.get(position), found.events.get(position)
                if place is None or event is None:
                    raise Bad(Outcome.INCOMPLETE, f"Position {position} is missing.", position)
                self._step(walk, place, event)
                if not found.told(place, event):
                    sentence = f"The event at position {position} is not where its day says: pages may not show it."
                    raise Bad(Outcome.ALTERED, sentence, position)
                said = outside.chain_at(position)
                if said is not None and said != walk.chain.hex():
                    first = outside.last_before(position) + 1
                    sentence = (
                        f"Something between positions {first} and {position} is not what the head there stands for."
                    )
                    raise Bad(Outcome.ALTERED, sentence, first)

    def _step(self, walk: Walk, place: Row, event: Row) -> None:
        """Take one event into the chains."""
        position = place["position"]
        digest = recomputed(event)
        if digest is None or digest != place["leaf"] or place["event_id"] != event["id"]:
            raise Bad(Outcome.ALTERED, f"The event at position {position} is not what was sealed.", position)
        account = event["account_id"]
        if account is not None:
            previous, count = walk.accounts.get(account, (GENESIS, 0))
            if place["account_prev"] != previous:
                sentence = (
                    f"At position {position} the chain of account {account} does not follow what was before it."
                )
                raise Bad(Outcome.ALTERED, sentence, position)
            walk.accounts[account] = link(previous, digest), count + 1
        walk.position, walk.chain = position, link(walk.chain, digest)
        walk.erased += event["commitments"] is not None
        if place["chain"] != walk.chain:
            raise Bad(
                Outcome.ALTERED, f"At position {position} the chain does not follow what was before it.", position
            )

    async def _compare_ends(self, walk: Walk, end: Row, outside: Outside, left: int) -> None:
        beyond = walk.position + 1
        if outside.newest > walk.position:
            sentence = f"The log ends at position {walk.position}, but a head outside stands for {outside.newest}."
            raise Bad(Outcome.INCOMPLETE, sentence, beyond)
        if outside.newest < left:
            sentence = f"The file of heads ends at {outside.newest}, but a head for {left} has left the database."
            raise Bad(Outcome.INCOMPLETE, sentence, outside.newest + 1)
        if end["chain"] != walk.chain:
            raise Bad(Outcome.ALTERED, "The chain's end is not that of the last event.", walk.position)
        stray = await self._units.read(lambda view: self._store.strays(view, walk.position))
        if stray is not None and (await self._units.read(self._store.end))["position"] < stray:
            raise Bad(Outcome.ALTERED, f"Position {stray} lies past the chain's end: it was never sealed.", stray)
        await self._compare_accounts(walk, end)

    async def _compare_accounts(self, walk: Walk, end: Row) -> None:
        left, after = dict(walk.accounts), ""
        while rows := await self._units.read(lambda view, after=after: self._store.account_ends(view, after, SLICE)):  # type: ignore[misc]
            for row in rows:
                after, kept = row["account_id"], left.pop(row["account_id"], None)
                if row["position"] <= end["position"] and kept != (row["chain"], row["count"]):
                    raise Bad(Outcome.ALTERED, f"The chain's end of account {after} is not that of its events.")
        if left:
            raise Bad(Outcome.INCOMPLETE, f"The chain's end of account {min(left)} is missing.")

    async def _walk_account(self, account_id: str) -> tuple[int, int]:
        held = await self._units.read(lambda view: self._store.first_held(view, account_id))
        checkpoint = await self._units.read(lambda view: self._store.last_checkpoint_of(view, account_id))
        end = await self._units.read(lambda view: self._store.account_end(view, account_id))
        if end is None:
            raise Bad(Outcome.INCOMPLETE, f"There is no event of an account {account_id}.")
        previous = GENESIS if checkpoint is None else checkpoint["chain"]
        position, first, count = 0 if checkpoint is None else checkpoint["position"], 0, 0
        if held is not None:
            previous, position = held["account_prev"], 0
        while rows := await self._units.read(
            lambda view, position=position: self._store.of_account(view, account_id, position, SLICE)  # type: ignore[misc]
        ):
            for row in rows:
                position = row["position"]
                if position > end["position"]:
                    break
                digest = recomputed(row)
                if digest != row["leaf"] or row["account_prev"] != previous or row["event_id"] != row["id"]:
                    raise Bad(Outcome.ALTERED, f"The event at position {position} is not what was sealed.", position)
                previous, first, count = link(previous, row["leaf"]), first or position, count + 1
        if previous != end["chain"]:
            raise Bad(Outcome.INCOMPLETE, f"Events of account {account_id} are missing.", position + 1)
        return count, first


def recomputed(event: Row) -> bytes | None:
    """Return the leaf that an event has as it stands now; None when it cannot have had any."""
    salt, packed = event["salt"], event["commitments"]
    if packed is None:
        return leaf(event, commitments(event, salt)) if salt is not None and len(salt) == SALT_BYTES else None
    if salt is not None or any(event[name] is not None for name in PERSONAL):
        return None
    try:
        return leaf(event, unpack(packed))
    except ValueError:
        return None


def digest_of_ends(ends: Mapping[str, tuple[bytes, int]]) -> str:
    """Return the link over the ends of accounts' chains, in the order of their ids, in hexadecimal digits."""
    digest = GENESIS
    for account in sorted(ends):
        end, count = ends[account]
        digest = link(digest, f"{account} {count} ".encode() + end)
    return digest.hex()
