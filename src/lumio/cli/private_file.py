"""JSON files that only their owner may read: the credential file, the profiles, the dates of hints.

Promise: a file appears whole or not at all, with mode 0600, and one that others can read is not trusted.
"""

import json
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from lumio.cli.errors import CommandError

_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def _check(path: Path, mode: int) -> None:
    if not stat.S_ISREG(mode):
        what = f"{path} is not a plain file"
        raise CommandError(what, next_step=f"Move it away, then run lumio login: {path}", code="unsafe_file")
    if mode & _OTHERS and os.name == "posix":
        raise CommandError(
            f"{path} was not read",
            f"other users of this machine may open it (mode {stat.S_IMODE(mode):04o}, must be 0600)",
            f"Close it with: chmod 600 '{path}' - and if anybody else uses this machine, revoke the key",
            code="unsafe_file",
        )


def read(path: Path, *, secret: bool = False) -> dict[str, Any]:
    """Return the object in the file, `{}` when there is no file.

    Raises CommandError when a secret file is open to others or when the content is not a JSON object.
    """
    try:
        with path.open(encoding="utf-8") as file:
            if secret:
                _check(path, os.fstat(file.fileno()).st_mode)
            content = json.load(file)
    except FileNotFoundError:
        return {}
    except OSError as error:
        what = f"{path} cannot be read"
        raise CommandError(what, error.strerror or "the system refused", code="unreadable_file") from error
    except ValueError as error:
        next_step = "Remove it, then run lumio login again"
        raise CommandError(f"{path} is damaged", "it is not JSON", next_step, code="damaged_file") from error
    if not isinstance(content, dict):
        what = f"{path} is damaged"
        raise CommandError(what, "it is not a JSON object", "Remove it, then run lumio login again",
                           code="damaged_file")  # fmt: skip
    return content


def write(path: Path, content: dict[str, Any]) -> None:
    """Replace the file in one step; the new one has mode 0600 from its first byte on."""
    with replacing(path) as file:
        file.write(json.dumps(content, indent=2).encode())


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """Give a draft to write into; it takes the file's place when nothing went wrong, and is gone otherwise."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError as error:
        what = f"{path} cannot be written"
        raise CommandError(what, error.strerror or "the system refused", code="unwritable_file") from error
    finally:
        draft.unlink(missing_ok=True)
