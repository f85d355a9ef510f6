"""What the operator's command line and a worker load: nothing that they do not need."""

import subprocess
import sys

import pytest

LISTED = "print(*sorted(name for name in sys.modules if '.' not in name))"
HELP = "sys.argv = ['lumio-server', '--help']\ntry: main()\nexcept SystemExit as end: assert not end.code"


@pytest.mark.parametrize(
    ("program", "unneeded"),
    [
        (f"from lumio.server.main import main\n{HELP}", {"litestar", "pydantic", "rich", "sqlalchemy", "structlog"}),
        ("import lumio.server.serving", {"alembic", "mako", "pydantic", "typer"}),
    ],
    ids=["lumio-server --help", "a worker"],
)
def test_nothing_is_loaded_that_is_not_needed(program: str, unneeded: set[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", f"import sys\n{program}\n{LISTED}"],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    loaded = set(done.stdout.splitlines()[-1].split())
    assert "lumio" in loaded
    assert not loaded & unneeded


def test_the_help_shows_each_verb_in_a_whole_sentence() -> None:
    command = [sys.executable, "-c", "from lumio.server.main import main; main()", "--help"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    verbs = done.stdout.partition("Commands:\n")[2].splitlines()
    assert len(verbs) > 8
    assert all(verb.endswith(".") and not verb.endswith("...") for verb in verbs)
