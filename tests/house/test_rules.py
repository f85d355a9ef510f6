"""The rules of ARCHITECTURE.md that are about syntax, asked of every source file.

Promise: a file that breaks a rule is named with its line and with what to do instead.
"""

from collections.abc import Callable, Iterator

import pytest

from tests.house.allowances import ALLOWANCES
from tests.house.rules import calls, names, places, sizes, sql_text
from tests.house.tree import ROOT, Finding, Source, project_files, python_sources

pytestmark = pytest.mark.xdist_group("house-rules")  # each source is parsed once
Rule = Callable[[Source], Iterator[Finding]]

PRODUCT_RULES: dict[str, Rule] = {
    **places.PLACES,
    "keyed-hashes": places.keyed_hashes,
    "store-ownership": places.store_ownership,
    "kernel-ground": places.kernel_ground,
    "clocks": calls.clocks,
    "environment": calls.environment,
    "commits": calls.commits,
    "secret-comparisons": calls.secret_comparisons,
    "built-sql": sql_text.built_sql,
    "names": names.banned_names,
}
FOLDERS = ("src", "tests", "bench", "tools")
SIZED = (".py", ".js", ".css", ".html", ".sh")


def _not_allowed(rule: str, findings: list[Finding]) -> list[str]:
    allowed = {allowance.path for allowance in ALLOWANCES if allowance.rule == rule}
    return [str(finding) for finding in findings if finding.path not in allowed]


def _findings(rule: str) -> list[Finding]:
    if rule == "function-length":
        return [found for source in python_sources(*FOLDERS) for found in sizes.long_functions(source)]
    if rule in {"file-length", "file-names"}:
        return [found for path in _own_files() for found in _file_findings(rule, path)]
    return [found for source in python_sources("src") for found in PRODUCT_RULES[rule](source)]


def _own_files() -> list[str]:
    return [path for path in project_files() if path.startswith(tuple(f"{folder}/" for folder in FOLDERS))]


def _file_findings(rule: str, path: str) -> Iterator[Finding]:
    if rule == "file-names":
        yield from names.banned_files(path)
    elif path.endswith(SIZED):
        yield from sizes.long_file(path, (ROOT / path).read_text("utf-8"))


RULES = [*PRODUCT_RULES, "function-length", "file-length", "file-names"]


@pytest.mark.parametrize("rule", RULES)
def test_no_file_breaks_the_rule(rule: str) -> None:
    broken = _not_allowed(rule, _findings(rule))
    assert not broken, "\n" + "\n".join(broken)


def test_every_allowance_is_still_needed_and_says_why() -> None:
    for rule, path, reason in ALLOWANCES:
        assert len(reason) > 20, f"{path} is let off {rule} without a reason"
        assert any(found.path == path for found in _findings(rule)), f"{path} keeps {rule}: drop its allowance"


def test_the_rules_saw_the_whole_product() -> None:
    seen = {source.path for source in python_sources("src")}
    tracked = {path for path in project_files() if path.startswith("src/") and path.endswith(".py")}
    assert seen >= tracked
    assert "src/lumio/kernel/clock.py" in seen
