"""Fetching the peers into a cache outside the repository, by the package managers that the machine has.

Promise: nothing of a peer enters the repository; what cannot be had is said with its reason, never left out.
"""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path

SECONDS = 600
PLUGIN = "@better-auth/api-key"
DRIVER = "better-sqlite3@12"
"""The newest that builds for Node.js 20."""
PYTHON_PACKAGES = (
    "djangorestframework-api-key", "djangorestframework", "django", "granian",
    "fastapi-users[sqlalchemy]", "fastapi", "aiosqlite", "uvicorn", "uvloop", "httptools",
)  # fmt: skip
FAMILY = ("better-auth", "@better-auth/core")


class NotToBeHad(Exception):
    """A peer cannot be installed or started here; the text says why."""


@cache
def node(cache_folder: Path) -> Path:
    """Return the folder in which better-auth is installed for Node.js.

    The plugin comes out later than the rest of the family, and asks for exact versions of what they share: so the
    newest plugin decides, and the family follows its version.

    Raises:
        NotToBeHad: no Node.js, no npm, or the installation failed.
    """
    folder = cache_folder / "node"
    if not (folder / "node_modules" / PLUGIN).exists():
        for program in ("node", "npm"):
            if shutil.which(program) is None:
                raise NotToBeHad(f"there is no {program} on this machine")
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "package.json").write_text('{"private": true}\n')
        view = json.loads(_run(["npm", "view", "--json", f"{PLUGIN}@latest", "version", "peerDependencies"], folder))
        version, wanted = view["version"], view.get("peerDependencies", {})
        exact = [f"{name}@{one}" for name, one in wanted.items() if name not in FAMILY]
        family = [f"{name}@{version}" for name in (PLUGIN, *FAMILY)]
        _run(["npm", "install", "--no-audit", "--no-fund", *family, *exact, DRIVER], folder)
    return folder


@cache
def python(cache_folder: Path) -> Path:
    """Return the folder of the programs of an environment with the Python peers.

    Raises:
        NotToBeHad: the installation failed.
    """
    folder = cache_folder / "python"
    programs, done = folder / "bin", folder / "installed"
    wanted = "\n".join(PYTHON_PACKAGES)
    if not done.exists() or done.read_text() != wanted:
        _run([sys.executable, "-m", "venv", str(folder)], cache_folder)
        _run([str(programs / "pip"), "install", "--quiet", "--upgrade", *PYTHON_PACKAGES], cache_folder)
        done.write_text(wanted)
    return programs


def versions(cache_folder: Path) -> Mapping[str, str]:
    """Return the versions of the peers that are installed."""
    found = {}
    for name in (*FAMILY[:1], PLUGIN, "better-sqlite3"):
        file = cache_folder / "node" / "node_modules" / name / "package.json"
        if file.exists():
            found[name] = str(json.loads(file.read_text())["version"])
    if (cache_folder / "python" / "installed").exists():
        listed = json.loads(_run([str(python(cache_folder) / "pip"), "list", "--format=json"], cache_folder))
        wanted = {name.partition("[")[0] for name in PYTHON_PACKAGES}
        found |= {one["name"].lower(): one["version"] for one in listed if one["name"].lower() in wanted}
    return found


def _run(command: Sequence[str], folder: Path) -> str:
    folder.mkdir(parents=True, exist_ok=True)
    try:
        said = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=SECONDS)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NotToBeHad(f"{command[0]}: {error}") from error
    if said.returncode:
        raise NotToBeHad(f"{Path(command[0]).name} {command[1]} failed: {_gist(said.stderr.splitlines())}")
    return said.stdout


def _gist(lines: Iterable[str]) -> str:
    """Return the first lines that say something."""
    return " ".join([line.strip() for line in lines if line.strip()][:3])[:300]
