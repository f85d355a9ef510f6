"""Files stop at 400 lines, functions at 60.

Promise: a file or a function that has outgrown its reader is named, with its size.
"""

import ast
from collections.abc import Iterator

from tests.house.tree import Finding, Source

FILE_STOP = 400
FUNCTION_STOP = 60


def long_file(path: str, text: str) -> Iterator[Finding]:
    """Find a file above the stop, whatever language it is in."""
    lines = text.count("\n") + (not text.endswith("\n"))
    if lines > FILE_STOP:
        yield Finding(path, lines, f"{lines} lines: the stop is {FILE_STOP}; look for the seam")


def long_functions(source: Source) -> Iterator[Finding]:
    """Find functions above the stop; decorators do not count."""
    for node in source.nodes:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > FUNCTION_STOP:
                yield source.finding(node, f"{node.name} has {lines} lines: the stop is {FUNCTION_STOP}")
