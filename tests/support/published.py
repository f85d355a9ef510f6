"""Real published front-end packages, taken by name at test time and never committed."""

import shutil
import subprocess
import tarfile
from pathlib import Path

PACKAGES = ("preact@10", "canvas-confetti@1")
SECONDS = 60


class Unreachable(Exception):
    """The packages cannot be had here."""


def fetch_built(folder: Path) -> Path:
    """Return a folder with the built files of `PACKAGES`, as their authors published them.

    Raises:
        Unreachable: npm is not installed, or finds no package.
    """
    npm = shutil.which("npm")
    if npm is None:
        raise Unreachable("npm is not installed")
    packed = folder / "packed"
    packed.mkdir()
    try:
        subprocess.run(
            [npm, "pack", "--silent", *PACKAGES], cwd=packed, check=True, timeout=SECONDS, capture_output=True
        )
    except (subprocess.SubprocessError, OSError) as error:
        raise Unreachable(f"npm does not reach the packages: {error}") from error
    built = folder / "built"
    for archive in sorted(packed.glob("*.tgz")):
        with tarfile.open(archive) as opened:
            opened.extractall(built / archive.stem, filter="data")
    return built
