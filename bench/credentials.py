"""Credentials of an installation, put straight into its tables with the product's own fingerprints.

Promise: each is what the product would have minted: its checksum, its pepper, its holder; only the way in is short.
"""

import random
import string
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.databases import Postgres, Sqlite
from lumio.crypto import opaque, roots
from lumio.crypto.hashing import Peppers
from lumio.kernel import clock, ids
from lumio.keys.store import keys
from lumio.popouts.store import popouts
from lumio.sessions.store import sessions

KEY = ("id", "account_id", "holder_id", "minter_id", "minter_name", "label", "lookup_id", "pepper_v", "digest",
       "created_at")  # fmt: skip
POPOUT = ("id", "account_id", "member_id", "maker_id", "maker_name", "label", "permissions", "lookup_id", "pepper_v",
          "digest", "created_at")  # fmt: skip
SESSION = ("id", "user_id", "account_id", "lookup_id", "pepper_v", "digest", "created_at", "last_seen_at",
           "proven_at", "amr")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Person:
    """Who set the installation up: the holder of everything here."""

    user_id: str
    account_id: str
    member_id: str


class Minter:
    """Makes credentials of one person in one stopped or running installation."""

    def __init__(self, folder: Path, database: Sqlite | Postgres) -> None:
        """Use the root secret in the data folder."""
        self._peppers = Peppers(roots.load(folder / "root.secret"))
        self._database = database
        found = database.ask("SELECT user_id || ',' || account_id || ',' || id FROM member")
        self.person = Person(*found.split(","))

    def developer_keys(self, many: int) -> list[str]:
        """Add developer keys; return them."""
        minted = self._mint(opaque.DEVELOPER_KEY, many)
        self._database.pour(keys, KEY, (self._key(number, *one[1:]) for number, one in enumerate(minted)))
        return [text for text, *_ in minted]

    def idle_keys(self, many: int) -> None:
        """Add developer keys that nobody has the secret of, all with one ready-made fingerprint."""
        [(_, _, version, digest)] = self._mint(opaque.DEVELOPER_KEY, 1)
        letters = string.digits + string.ascii_letters
        chance = random.Random(many)
        lookups = ("".join(chance.choices(letters, k=opaque.LOOKUP_LENGTH)) for _ in range(many))
        rows = (self._key(number, lookup, version, digest) for number, lookup in enumerate(lookups))
        self._database.pour(keys, KEY, rows)

    def popouts(self, many: int) -> list[str]:
        """Add popout tokens that may read members; return them."""
        who, now = self.person, clock.to_micros(clock.now())
        minted = self._mint(opaque.POPOUT_TOKEN, many)
        fixed = (who.account_id, who.member_id, who.user_id, "Bench", "bench", '["members:read"]')
        self._database.pour(popouts, POPOUT, [(ids.uuid7(), *fixed, *one[1:], now) for one in minted])
        return [text for text, *_ in minted]

    def page_session(self) -> str:
        """Open a page session; return the value of its cookie."""
        who, now = self.person, clock.to_micros(clock.now())
        [(text, *fingerprint)] = self._mint(opaque.PAGE_SESSION, 1)
        row = (ids.uuid7(), who.user_id, who.account_id, *fingerprint, now, now, now, "pwd")
        self._database.pour(sessions, SESSION, [row])
        return text

    def _mint(self, prefix: str, many: int) -> list[tuple[str, str, int, bytes]]:
        made = [opaque.mint(prefix) for _ in range(many)]
        prints = [self._peppers.make(one.text) for one in made]
        return [(one.text, one.lookup_id, two.pepper_v, two.digest) for one, two in zip(made, prints, strict=True)]

    def _key(self, number: int, lookup: str, version: int, digest: bytes) -> Sequence[Any]:
        who, now = self.person, clock.to_micros(clock.now())
        fixed = (who.account_id, who.member_id, who.user_id, "Bench", f"bench-{number}")
        return (ids.uuid7(), *fixed, lookup, version, digest, now)


def with_other_secret(text: str, other: str) -> str:
    """Return a well-formed key with the prefix and lookup id of one key and the secret of another."""
    cut = opaque.PREFIX_LENGTH + opaque.LOOKUP_LENGTH
    body = text[:cut] + other[cut : -opaque.CHECKSUM_LENGTH]
    return body + opaque.checksum(body)


def unknown(many: int) -> Iterator[str]:
    """Yield well-formed developer keys that nobody minted."""
    return (opaque.mint(opaque.DEVELOPER_KEY).text for _ in range(many))


def malformed(texts: Iterable[str]) -> Iterator[str]:
    """Yield keys whose last character was mistyped, so that the checksum is off."""
    return (text[:-1] + ("0" if text[-1] != "0" else "1") for text in texts)
