"""The tree as the house rules see it: each source parsed once, each imported name traced to where it is from.

Promise: a rule reads syntax, never text, so neither an alias nor a comment can mislead it.
"""

import ast
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
IGNORED = {".git", ".venv", "node_modules", "__pycache__", ".mypy_cache", ".ruff_cache", ".pytest_cache"}


@dataclass(frozen=True)
class Finding:
    """One place that breaks a rule; `str()` is the line that a colleague reads."""

    path: str
    line: int
    words: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.words}"


@dataclass(frozen=True)
class Source:
    """One Python file; `path` is relative to the project's root, with slashes."""

    path: str
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text, self.path)

    @cached_property
    def nodes(self) -> tuple[ast.AST, ...]:
        return tuple(ast.walk(self.tree))

    @property
    def module(self) -> str:
        """The dotted name: `src/lumio/keys/store.py` is `lumio.keys.store`."""
        plain = self.path.removeprefix("src/").removesuffix(".py").removesuffix("/__init__")
        return plain.replace("/", ".")

    @property
    def place(self) -> str:
        """The path below `src/lumio/`, which is what the picture speaks of."""
        return self.path.removeprefix("src/lumio/")

    @cached_property
    def imports(self) -> tuple[tuple[int, str], ...]:
        """All that is imported, as (line, dotted name); `from a import b` is `a.b`, wherever it stands."""
        return tuple(self._imports())

    def _imports(self) -> Iterator[tuple[int, str]]:
        for node in self.nodes:
            if isinstance(node, ast.Import):
                yield from ((node.lineno, alias.name) for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                origin = self._origin(node)
                yield from ((node.lineno, f"{origin}.{alias.name}") for alias in node.names)
            elif isinstance(node, ast.Call) and self.dotted(node.func) in {
                "importlib.import_module",
                "__import__",
            }:
                yield from ((node.lineno, text) for text in map(constant_text, node.args[:1]) if text)

    def _origin(self, node: ast.ImportFrom) -> str:
        if not node.level:
            return node.module or ""
        parts = self.module.split(".")
        own = parts if self.path.endswith("/__init__.py") else parts[:-1]
        above = own[: len(own) - node.level + 1]
        return ".".join([*above, *([node.module] if node.module else [])])

    @cached_property
    def names(self) -> dict[str, str]:
        """Local name → dotted origin, for every imported name of the file."""
        found = {"__import__": "__import__"}
        for node in self.nodes:
            if isinstance(node, ast.Import):
                for alias in node.names:
                    first = alias.name.partition(".")[0]
                    found[alias.asname or first] = alias.name if alias.asname else first
            elif isinstance(node, ast.ImportFrom):
                for alias in node.names:
                    found[alias.asname or alias.name] = f"{self._origin(node)}.{alias.name}"
        return found

    def dotted(self, node: ast.AST) -> str | None:
        """Trace `dt.now` to `datetime.datetime.now`; None for what does not start at an import."""
        if isinstance(node, ast.Name):
            return self.names.get(node.id)
        if isinstance(node, ast.Attribute) and (base := self.dotted(node.value)):
            return f"{base}.{node.attr}"
        return None

    def finding(self, node: ast.AST, words: str) -> Finding:
        return Finding(self.path, getattr(node, "lineno", 1), words)


def constant_text(node: ast.AST) -> str | None:
    """Give the text of a string constant, else None."""
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def is_below(name: str, package: str) -> bool:
    """Tell whether a dotted name is the package or something inside it."""
    return name == package or name.startswith(package + ".")


@cache
def python_sources(*folders: str) -> tuple[Source, ...]:
    """Read every Python file below the named folders of the project."""
    paths = sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))
    wanted = (path for path in paths if not IGNORED & set(path.parts))
    return tuple(Source(path.relative_to(ROOT).as_posix(), path.read_text("utf-8")) for path in wanted)


@cache
def project_files() -> tuple[str, ...]:
    """List the project's files: what git tracks or would add, or simply all where git is absent."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        answer = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, text=True)
    except (OSError, subprocess.CalledProcessError):
        walked = (path for path in ROOT.rglob("*") if not IGNORED & set(path.parts))
        return tuple(sorted(path.relative_to(ROOT).as_posix() for path in walked if path.is_file()))
    return tuple(sorted(name for name in set(answer.stdout.split("\0")) if (ROOT / name).is_file()))
