"""A keyring in a file named by TEST_KEYRING: a real backend for tests, without a desktop."""

import json
import os
from pathlib import Path

from keyring.backend import KeyringBackend
from keyring.errors import PasswordDeleteError


class FileKeyring(KeyringBackend):
    """Keeps entries by service and user name."""

    priority = 5

    @property
    def _path(self) -> Path:
        return Path(os.environ["TEST_KEYRING"])

    def _entries(self) -> dict[str, str]:
        entries: dict[str, str] = json.loads(self._path.read_text()) if self._path.exists() else {}
        return entries

    def get_password(self, service: str, username: str) -> str | None:
        """Return an entry."""
        return self._entries().get(f"{service}|{username}")

    def set_password(self, service: str, username: str, password: str) -> None:
        """Write an entry."""
        self._path.write_text(json.dumps({**self._entries(), f"{service}|{username}": password}))

    def delete_password(self, service: str, username: str) -> None:
        """Remove an entry."""
        entries = self._entries()
        if entries.pop(f"{service}|{username}", None) is None:
            raise PasswordDeleteError(service)
        self._path.write_text(json.dumps(entries))
