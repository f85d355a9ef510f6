"""SQL is never put together from pieces at run time.

Promise: f-strings, `%`, `+` and `.format` on a text that reads like SQL are found, wherever they stand.
"""

import ast
import re
from collections.abc import Iterator

from tests.house.tree import Finding, Source, constant_text

WORDS = "SQL is built by SQLAlchemy or written whole; values travel as parameters"
STATEMENT = re.compile(
    r"\b(select\b[\s\S]*\bfrom\b|insert\s+(or\s+\w+\s+)?into\b|update\b[\s\S]*\bset\b|delete\s+from\b|merge\s+into\b"
    r"|where\b[\s\S]*[=<>]|order\s+by\b)",
    re.IGNORECASE,
)
# These begin a statement of their own; in the middle of a sentence they are English.
OPENING = re.compile(
    r"^\s*((CREATE|ALTER|DROP|TRUNCATE|GRANT|REVOKE|PRAGMA|NOTIFY|LISTEN|VACUUM|ATTACH|SAVEPOINT)\s"
    r"|(create|alter|drop|truncate)\s+(table|index|view|trigger|schema|database|sequence)\b"
    r"|(pragma|notify|listen|vacuum|attach)\s)"
)


def built_sql(source: Source) -> Iterator[Finding]:
    """Find texts that read like SQL and have a hole filled at run time."""
    for node in source.nodes:
        text = _open_text(node)
        if text is not None and (STATEMENT.search(text) or OPENING.search(text)):
            yield source.finding(node, WORDS)


def _open_text(node: ast.AST) -> str | None:
    """Give the constant parts of a text that is completed at run time; None for any other node."""
    if isinstance(node, ast.JoinedStr):
        filled = any(isinstance(part, ast.FormattedValue) for part in node.values)
        return " ? ".join(filter(None, map(constant_text, node.values))) + " " if filled else None
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod):
        return " ".join(filter(None, map(constant_text, _terms(node.left)))) or None
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        texts = [constant_text(term) for term in _terms(node)]
        return " ? ".join(filter(None, texts)) + " " if any(texts) and None in texts else None
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "format":
        return constant_text(node.func.value)
    return None


def _terms(node: ast.expr) -> list[ast.expr]:
    """Flatten `a + b + c` into its terms."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return [*_terms(node.left), *_terms(node.right)]
    return [node]
