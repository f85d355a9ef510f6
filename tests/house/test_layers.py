"""The contracts of pyproject.toml hold, and each of them is seen to break.

Promise: an import that climbs, goes sideways or comes from a package without a place stops the build.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house.tree import ROOT

LINTER = Path(sys.executable).with_name("lint-imports")
HONEST = {
    "kernel/clock.py": "import time",
    "settings.py": "from lumio.kernel import clock",
    "crypto/opaque.py": "from lumio.kernel import clock",
    "crypto/roots.py": "from lumio import settings",
    "storage/unit.py": "from lumio.crypto import roots",
    "keys/service.py": "from lumio.storage import unit",
    "popouts/service.py": "from lumio.storage import unit",
    "login/service.py": "from lumio.keys import service",
    "cli/main.py": "from lumio.cli import output\nfrom lumio.crypto import opaque",
    "cli/output.py": "from lumio.kernel import clock",
    "app/services.py": "from lumio.login import service",
    "server/main.py": "from lumio import app",
}


def _lint(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [str(LINTER), "--no-logo", "--no-cache", "--config", str(ROOT / "pyproject.toml")]
    wide = os.environ | {"COLUMNS": "300"}  # a contract's name and its verdict share one line
    return subprocess.run(command, cwd=folder, env=wide, capture_output=True, text=True, check=False, timeout=60)


def _build(folder: Path, files: dict[str, str]) -> Path:
    for place, text in files.items():
        path = folder / "lumio" / place
        path.parent.mkdir(parents=True, exist_ok=True)
        (path.parent / "__init__.py").touch()
        path.write_text(text + "\n", "utf-8")
    (folder / "lumio" / "__init__.py").touch()
    return folder


def test_the_product_keeps_its_contracts() -> None:
    answer = _lint(ROOT)
    assert answer.returncode == 0, answer.stdout + answer.stderr


def test_an_honest_house_is_let_through(tmp_path: Path) -> None:
    answer = _lint(_build(tmp_path, HONEST))
    assert answer.returncode == 0, answer.stdout + answer.stderr


@pytest.mark.parametrize(
    ("place", "text", "sentence"),
    [
        ("storage/unit.py", "from lumio.keys import service", "Imports go down"),
        ("keys/service.py", "from lumio.popouts import service", "Imports go down"),
        ("server/main.py", "from lumio.cli import output", "Imports go down"),
        ("gadgets/service.py", "", "Imports go down"),
        ("gadget.py", "", "Imports go down"),
        ("kernel/clock.py", "from lumio import settings", "The kernel imports nothing"),
        ("cli/output.py", "from lumio.storage import unit", "The command line imports no server code"),
        ("cli/output.py", "from lumio import settings", "The command line imports no server code"),
        ("cli/main.py", "from lumio.crypto import roots", "The command line imports no server code"),
        ("crypto/opaque.py", "from lumio.crypto import roots", "The key format can be tested"),
        ("crypto/opaque.py", "import cryptography", "The key format can be tested"),
    ],
    ids=["up", "sideways", "server-cli", "new-package", "new-module", "kernel", "cli-storage", "cli-settings",
         "cli-crypto", "opaque-roots", "opaque-library"],
)  # fmt: skip
def test_a_broken_contract_is_named(tmp_path: Path, place: str, text: str, sentence: str) -> None:
    answer = _lint(_build(tmp_path, HONEST | {place: text}))
    assert answer.returncode == 1
    broken = [line for line in answer.stdout.splitlines() if " BROKEN" in line]
    assert any(line.startswith(sentence) for line in broken), answer.stdout + answer.stderr
