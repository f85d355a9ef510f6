"""After a restart: what the first use of a key costs, against its second use and the work that is due once."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from statistics import median
from time import perf_counter

from argon2 import PasswordHasher, Type

from bench import rotation
from bench.databases import Postgres, Sqlite
from bench.figures import Row, Spread, at_most
from bench.ground import BACKENDS, BUSY_KEYS, Ground
from bench.installation import Contender
from lumio.crypto.hashing import KEY_COST
from lumio.keys.store import keys as table

PART, PATH = "cold", "/v1/auth/verify"
DEVELOPER, SYSTEM, CROWD = 10_000, 200, 32
ALONE = 20
"""One developer key of so many is used alone, to see what it costs; the others come together."""
READS, STRETCHES = 300, 10
DEARER, STRETCHED = at_most(1.0), at_most(1.2)


@dataclass(slots=True)
class Found:
    """Milliseconds at the median of one round each; `together` are the seconds of all developer keys at once."""

    cold: list[float] = field(default_factory=list)
    warm: list[float] = field(default_factory=list)
    read: list[float] = field(default_factory=list)
    system: list[float] = field(default_factory=list)
    argon: list[float] = field(default_factory=list)
    together: list[float] = field(default_factory=list)
    again: list[float] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Asked:
    """Requests with keys of three sorts."""

    busy: Sequence[bytes]
    developer: Sequence[bytes]
    system: Sequence[bytes]


def measure(ground: Ground) -> Iterator[Row]:
    """Yield what first uses cost on both databases; the server is started anew in every round."""
    for backend in BACKENDS:
        installation = ground.installation(backend)
        texts = installation.minter.developer_keys(ground.some(DEVELOPER) + BUSY_KEYS)
        lookups = [text[7:19] for text in texts[:READS]]
        asked = Asked(
            *[
                [rotation.request(PATH, one) for one in several]
                for several in (texts[:BUSY_KEYS], texts[BUSY_KEYS:], installation.system_keys(ground.some(SYSTEM)))
            ]
        )
        found = Found()
        for _ in range(ground.rounds):
            with installation.serving() as contender:
                _use(contender, asked, found)
            found.read.append(asyncio.run(_index_read(installation.database, lookups)))
        yield from _rows(backend, found)
        yield installation.recorded(PART)


def _use(contender: Contender, asked: Asked, found: Found) -> None:
    """Use keys for the first and for the second time: one after the other, then many at once."""
    some = len(asked.developer) // ALONE
    alone, others = asked.developer[:some], asked.developer[some:]
    contender.use_once(asked.busy, 1)  # what the process itself does for the first time
    found.cold.append(contender.use_once(alone, 1).quantile(0.5))
    found.warm.append(contender.use_once(alone, 1).quantile(0.5))
    found.system.append(contender.use_once(asked.system, 1).quantile(0.5))
    found.argon.append(_stretch())
    found.together.append(contender.use_once(others, CROWD).seconds)
    found.again.append(contender.use_once(others, CROWD).seconds)


async def _index_read(database: Sqlite | Postgres, lookups: Sequence[str]) -> float:
    """Return the milliseconds of reading one row by its lookup id, by the raw driver."""
    found = f"SELECT * FROM {table.name} WHERE lookup_id = "  # noqa: S608 - the product's own name
    took = []
    if isinstance(database, Sqlite):
        with database.opened() as file:
            for one in lookups:
                started = perf_counter()
                file.execute(f"{found}?", (one,)).fetchone()
                took.append(perf_counter() - started)
    else:
        connection = await database.connect()
        prepared = await connection.prepare(f"{found}$1")
        for one in lookups:
            started = perf_counter()
            await prepared.fetchrow(one)
            took.append(perf_counter() - started)
        await connection.close()
    return median(took) * 1000


def _stretch() -> float:
    """Return the milliseconds of one Argon2id with the product's parameters for system keys."""
    hasher = PasswordHasher(KEY_COST.passes, KEY_COST.memory_kib, KEY_COST.lanes, 32, 16, type=Type.ID)
    encoded = hasher.hash("0" * 64)
    took = []
    for _ in range(STRETCHES):
        started = perf_counter()
        hasher.verify(encoded, "0" * 64)
        took.append(perf_counter() - started)
    return median(took) * 1000


def _rows(backend: str, found: Found) -> Iterator[Row]:
    """Yield the figures of one database."""
    allowed = [2 * warm + read for warm, read in zip(found.warm, found.read, strict=True)]
    first = Spread.of(cold / most for cold, most in zip(found.cold, allowed, strict=True))
    stretched = Spread.of(one / argon for one, argon in zip(found.system, found.argon, strict=True))
    times = f"first {median(found.cold):.2f}, second {median(found.warm):.2f}, read {median(found.read):.3f} ms"
    name = f"{backend}: first use of a developer key, of two warm uses and one indexed read"
    yield Row(PART, name, "ratio", first, DEARER, times)
    times = f"first {median(found.system):.1f}, Argon2id {median(found.argon):.1f} ms"
    yield Row(PART, f"{backend}: first use of a system key, of one Argon2id", "ratio", stretched, STRETCHED, times)
    name = f"{backend}: the other developer keys used for the first time, {CROWD} connections"
    yield Row(PART, name, "s", Spread.of(found.together))
    yield Row(PART, f"{backend}: the same keys used again", "s", Spread.of(found.again))
