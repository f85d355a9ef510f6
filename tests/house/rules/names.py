"""Words that say nothing are not names.

Promise: no module, function, class or variable of ours hides behind a word that fits everything.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from tests.house.tree import Finding, Source

EMPTY_WORDS = {
    "common",
    "core",
    "data",
    "handler",
    "handlers",
    "helper",
    "helpers",
    "info",
    "manager",
    "managers",
    "misc",
    "obj",
    "processor",
    "processors",
    "util",
    "utils",
}
NEVER_ALONE = {"token"}
# Where a framework hands a parameter over by this very name.
FRAMEWORK_NAMES = {"data": ("rest", "pages", "surface"), "info": ("graph",)}
EMPTY_ENDINGS = re.compile(r"(Helpers?|Managers?|Utils?|Processors?|Handlers?|Info|Data|Core|Common)$")
EMPTY_SUFFIXES = re.compile(r"_(helpers?|managers?|utils?|processors?|misc|obj)$")


def banned_files(path: str) -> Iterator[Finding]:
    """Find a file or folder whose name has an empty word in it; the path is relative to the root."""
    for part in PurePosixPath(path).with_suffix("").parts:
        if empty := EMPTY_WORDS & set(re.split(r"[_\-.]", part)):
            yield Finding(path, 1, f"the name {part!r} says nothing: {min(empty)}")


def banned_names(source: Source) -> Iterator[Finding]:
    """Find bindings with an empty name: arguments, variables, functions and classes."""
    parts = set(source.place.removesuffix(".py").split("/"))
    framework = {name for name, homes in FRAMEWORK_NAMES.items() if parts & set(homes)}
    for node, name in _bindings(source):
        plain = name.strip("_")
        if plain in framework:
            continue
        if plain in EMPTY_WORDS or EMPTY_SUFFIXES.search(plain):
            yield source.finding(node, f"the name {name!r} says nothing")
        elif plain in NEVER_ALONE:
            yield source.finding(node, f"the name {name!r} stands alone: say which one it is")
        elif isinstance(node, ast.ClassDef) and EMPTY_ENDINGS.search(name):
            yield source.finding(node, f"the name {name!r} ends in a word that says nothing")


def _bindings(source: Source) -> Iterator[tuple[ast.AST, str]]:
    for node in source.nodes:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node, node.name
        elif isinstance(node, ast.arg):
            yield node, node.arg
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node, node.id
