"""Who may import what, beyond the order of the layers: stores, SQL, the web framework, cryptography.

Promise: each library has the few places that the picture gives it, and a store belongs to its domain alone.
"""

import ast
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tests.house.tree import Finding, Source, is_below


@dataclass(frozen=True)
class Place:
    """Libraries that may be imported only where `allows` says so; `words` is what a colleague reads."""

    libraries: tuple[str, ...]
    allows: Callable[[str], bool]
    words: str

    def __call__(self, source: Source) -> Iterator[Finding]:
        if self.allows(source.place):
            return
        for line, name in source.imports:
            if any(is_below(name, library) for library in self.libraries):
                yield Finding(source.path, line, f"imports {name}: {self.words}")


def _inside(*folders: str, files: tuple[str, ...] = ()) -> Callable[[str], bool]:
    """Allow whole folders of `src/lumio`, and files or folders of a name anywhere in a domain."""

    def allows(place: str) -> bool:
        parts = place.removesuffix(".py").split("/")
        return place.startswith(folders) or any(part in files for part in parts)

    return allows


SQL = Place(
    ("sqlalchemy", "alembic", "asyncpg", "aiosqlite", "sqlite3"),
    _inside("storage/", "authority/", files=("store",)),
    "SQL lives in storage/, authority/ and the domains' store.py; ask the service",
)
WEB = Place(
    ("litestar", "granian"),
    _inside("surface/", "server/", "app/", files=("rest", "graph", "pages")),
    "the web framework stays in surface/, server/, app/ and the domains' rest.py, graph.py and pages.py",
)
GRAPH = Place(
    ("strawberry", "graphql"),
    _inside("surface/graph/", files=("graph",)),
    "GraphQL stays in surface/graph/ and the domains' graph.py",
)
CIPHERS = Place(
    ("cryptography", "argon2", "joserfc", "hmac"),
    _inside("crypto/"),
    "keyed work is done in crypto/ and nowhere else",
)
TERMINAL = Place(
    ("typer", "click", "rich"),
    _inside("cli/", "server/"),
    "only the two commands speak to a terminal",
)
PLACES = {"sql": SQL, "web": WEB, "graph": GRAPH, "ciphers": CIPHERS, "terminal": TERMINAL}

KEYED = {"hashlib.pbkdf2_hmac", "hashlib.scrypt"}
KEYED_BY_ARGUMENT = {"hashlib.blake2b", "hashlib.blake2s"}


def keyed_hashes(source: Source) -> Iterator[Finding]:
    """Keyed or stretched hashing with the standard library is cryptography too; a bare digest is not."""
    if source.place.startswith("crypto/"):
        return
    for node in source.nodes:
        if isinstance(node, ast.Call):
            name = source.dotted(node.func)
            has_key = any(keyword.arg == "key" for keyword in node.keywords)
            if name in KEYED or (name in KEYED_BY_ARGUMENT and has_key):
                yield source.finding(node, f"{name}: {CIPHERS.words}")


def store_ownership(source: Source) -> Iterator[Finding]:
    """A store is imported inside its own domain and by the wiring; all others ask the domain's service."""
    if source.place.startswith("app/"):
        return
    for line, name in source.imports:
        parts = name.split(".")
        foreign = parts[0] == "lumio" and not is_below(source.module, ".".join(parts[:2]))
        if foreign and "store" in parts[2:]:
            yield Finding(source.path, line, f"imports {name}: a store is read only by its own domain")


def kernel_ground(source: Source) -> Iterator[Finding]:
    """The kernel stands on the standard library alone."""
    if not source.place.startswith("kernel/"):
        return
    for line, name in source.imports:
        if name.partition(".")[0] not in sys.stdlib_module_names and not is_below(name, "lumio.kernel"):
            yield Finding(source.path, line, f"imports {name}: the kernel stands on the standard library alone")
