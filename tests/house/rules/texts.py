"""What no file of the project may carry: package registries' host names, paths of one machine, loose locks.

Promise: the tree builds anywhere, from any mirror, into the very bytes that were locked.
"""

import re
from collections.abc import Iterator

from tests.house.tree import Finding

# Written in halves, so that this file does not carry what it looks for.
REGISTRIES = tuple(
    ".".join(parts)
    for parts in (
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("npmjs", "org"),
        ("npmjs", "com"),
        ("yarnpkg", "com"),
        ("deb.debian", "org"),
        ("security.debian", "org"),
        ("crates", "io"),
        ("proxy.golang", "org"),
        ("rubygems", "org"),
    )
)
REGISTRY = re.compile("|".join(re.escape(name) for name in REGISTRIES), re.IGNORECASE)
MACHINE_PATH = re.compile(r"(?<![A-Za-z0-9_./-])/(?:work|farm|root|home/\w+|Users/\w+)/")
PINNED = re.compile(r"^[A-Za-z0-9._-]+(\[[\w,-]+\])?==[^\s;]+")
HASHED = re.compile(r"--hash=sha256:[0-9a-f]{64}\b")
OPTION = re.compile(r"^\s*-(?!r [\w-]+\.in\s*$)")


def registry_hosts(path: str, text: str) -> Iterator[Finding]:
    """Find host names of package registries: they belong to the machine's configuration."""
    for number, line in enumerate(text.splitlines(), 1):
        if found := REGISTRY.search(line):
            yield Finding(path, number, f"names the registry {found[0]}: which mirror is used is not ours to say")


def machine_paths(path: str, text: str) -> Iterator[Finding]:
    """Find absolute paths that exist on one machine only."""
    for number, line in enumerate(text.splitlines(), 1):
        if found := MACHINE_PATH.search(line):
            yield Finding(path, number, f"has the path {found[0]} of one machine")


def loose_lock(path: str, text: str) -> Iterator[Finding]:
    """Find what is not an exact version with its hashes in a locked requirements file."""
    joined = re.sub(r"\\\n\s*", " ", text)
    for entry in filter(None, (line.strip() for line in joined.splitlines())):
        if entry.startswith("#"):
            continue
        if not PINNED.match(entry):
            yield Finding(path, 1, f"not one exact version: {entry[:60]}")
        elif not HASHED.search(entry):
            yield Finding(path, 1, f"no hash: {entry[:60]}")
        elif "://" in entry or re.search(r"--(?!hash=)", entry):
            yield Finding(path, 1, f"a place or an option in a lock: {entry[:60]}")


def placed_requirement(path: str, text: str) -> Iterator[Finding]:
    """Find addresses, paths and options in a requirements file written by hand; `-r other.in` is fine."""
    for number, line in enumerate(text.splitlines(), 1):
        plain = line.partition("#")[0]
        if "://" in plain or OPTION.match(plain) or re.search(r"(^|\s|@\s*)[./~]", plain):
            yield Finding(path, number, f"names a place, not a package: {line.strip()[:60]}")
