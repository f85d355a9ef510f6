"""What may be called where: clocks, the environment, commits, comparisons of secrets.

Promise: time, settings and durability each have one door, and a secret is never compared in variable time.
"""

import ast
import re
from collections.abc import Iterator

from tests.house.tree import Finding, Source, constant_text

CLOCKS = {
    "datetime.date.today",
    "datetime.datetime.now",
    "datetime.datetime.today",
    "datetime.datetime.utcnow",
    "time.clock_gettime",
    "time.clock_gettime_ns",
    "time.monotonic",
    "time.monotonic_ns",
    "time.perf_counter",
    "time.perf_counter_ns",
    "time.time",
    "time.time_ns",
}
CLOCK_HOME = {"kernel/clock.py"}

ENVIRONMENT = {"os.environ", "os.environb", "os.getenv", "os.getenvb", "os.putenv", "os.unsetenv"}
ENVIRONMENT_HOMES = {"settings.py", "cli/settings.py"}

# As a `with` block these commit when it ends, without the word.
COMMITTING_BLOCKS = {"begin", "transaction"}
COMMIT_HOMES = {"storage/unit.py", "storage/sinks.py", "storage/migrate.py", "authority/feed.py"}

SECRET = re.compile(
    r"(^|_)(secret|password|passphrase|pepper|plaintext|csrf|signature|mac|verifier)$"
    r"|(popout|access|refresh|csrf|setup)_token$|recovery_code$"
)


def clocks(source: Source) -> Iterator[Finding]:
    """Only the kernel's clock asks what time it is, so that a test can move it."""
    yield from _mentions(source, CLOCKS, CLOCK_HOME, "ask lumio.kernel.clock, which a test can move")


def environment(source: Source) -> Iterator[Finding]:
    """Only the settings modules read the environment."""
    yield from _mentions(source, ENVIRONMENT, ENVIRONMENT_HOMES, "settings are read once, in settings.py")


def commits(source: Source) -> Iterator[Finding]:
    """A commit outside these homes would let a change go without its event."""
    if source.place in COMMIT_HOMES:
        return
    for node in source.nodes:
        called = "commit" if _method(node) == "commit" else ""
        if isinstance(node, ast.withitem):
            called = _method(node.context_expr) if _method(node.context_expr) in COMMITTING_BLOCKS else ""
        statement = (constant_text(node) or "").strip(" ;\n").upper()
        if called or statement == "COMMIT":
            place = node.context_expr if isinstance(node, ast.withitem) else node
            yield source.finding(place, f"{called or statement}: only a unit commits, and with it the event")


def _method(node: ast.AST) -> str:
    is_call = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    return node.func.attr if is_call else ""  # type: ignore[attr-defined]


def secret_comparisons(source: Source) -> Iterator[Finding]:
    """`==` stops at the first difference, and its time tells where that was."""
    for node in source.nodes:
        if not isinstance(node, ast.Compare):
            continue
        sides = [node.left, *node.comparators]
        equal = any(isinstance(operator, ast.Eq | ast.NotEq) for operator in node.ops)
        if equal and not any(isinstance(side, ast.Constant) for side in sides):
            yield from (
                source.finding(node, f"compares {name} with ==: use secrets.compare_digest")
                for name in map(_last_name, sides)
                if SECRET.search(name)
            )


def _mentions(source: Source, banned: set[str], homes: set[str], words: str) -> Iterator[Finding]:
    if source.place in homes:
        return
    for node in source.nodes:
        if isinstance(node, ast.Attribute | ast.Name) and (name := source.dotted(node)) in banned:
            yield source.finding(node, f"{name}: {words}")


def _last_name(node: ast.AST) -> str:
    """Give the last word of `a.b.secret`, `secret` or `secret.encode()`; empty for all else."""
    if isinstance(node, ast.Call):
        is_conversion = isinstance(node.func, ast.Attribute) and node.func.attr in {"encode", "decode", "hex"}
        return _last_name(node.func.value) if is_conversion and isinstance(node.func, ast.Attribute) else ""
    if isinstance(node, ast.Attribute):
        return node.attr.lower()
    return node.id.lower() if isinstance(node, ast.Name) else ""
