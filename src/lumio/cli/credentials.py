"""The key: where it comes from and where it is kept.

Promise: a stored key leaves this machine only for the server it was stored for, and lies in the system's
keyring or in a file that only its owner can read.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from lumio.cli import private_file, profiles, settings
from lumio.cli.errors import CommandError, not_signed_in

if TYPE_CHECKING:
    from keyring.backend import KeyringBackend

Place = Literal["keyring", "file"]
_REAL = 1  # keyring's own threshold: below it are the failing, the null and the plaintext backends


@dataclass(frozen=True, slots=True)
class Credential:
    """A key and the place it came from, in words. `bound` says that it was stored for one server."""

    key: str = field(repr=False)
    source: str
    bound: bool = True


def credential_path() -> Path:
    """Return the path of the credential file."""
    return settings.config_folder() / "credentials.json"


def _keyring() -> "KeyringBackend | None":
    try:
        import keyring

        backend = keyring.get_keyring()
        return backend if backend.priority >= _REAL else None
    except Exception:  # noqa: BLE001 - backends fail in many ways, and all of them mean: no keyring here
        return None


def _service(origin: str) -> str:
    return f"{settings.APPLICATION} {origin}"


def _keys(content: dict[str, Any], profile: str) -> dict[str, Any]:
    every = content.get("keys")
    keys = every.get(profile) if isinstance(every, dict) else None
    return keys if isinstance(keys, dict) else {}


def _write_keys(content: dict[str, Any], profile: str, keys: dict[str, Any]) -> None:
    every = content.get("keys")
    merged = {**(every if isinstance(every, dict) else {}), profile: keys}
    private_file.write(credential_path(), {"version": 1, "keys": merged})


def store(profile: str, origin: str, key: str) -> Place:
    """Keep the key for this profile and server; return where."""
    backend = _keyring()
    if backend is not None:
        try:
            backend.set_password(_service(origin), profile, key)
        except Exception:  # noqa: BLE001, S110 - a locked or broken keyring: the file is the way that always works
            pass
        else:
            _drop_from_file(profile, origin)
            return "keyring"
    content = private_file.read(credential_path(), secret=True)
    _write_keys(content, profile, {**_keys(content, profile), origin: key})
    return "file"


def load(profile: str, origin: str) -> Credential | None:
    """Return the key kept for this profile and server."""
    sign_in = profiles.find(profile, origin)
    if sign_in is None:
        return None
    if sign_in.kept_in == "keyring":
        return _from_keyring(profile, origin)
    key = _keys(private_file.read(credential_path(), secret=True), profile).get(origin)
    return Credential(key, described(profile, "file")) if isinstance(key, str) else None


def _from_keyring(profile: str, origin: str) -> Credential:
    backend = _keyring()
    try:
        key = backend.get_password(_service(origin), profile) if backend else None
    except Exception as error:
        what = "The keyring of this system did not give the key out"
        next_step = "Unlock the keyring, or sign in again with lumio login"
        raise CommandError(what, type(error).__name__, next_step, code="keyring") from error
    if not key:
        what = f"The key of profile {profile} is gone from the keyring"
        raise not_signed_in(what, "it was removed there, or it is not reachable from here", "Run lumio login")
    return Credential(key, described(profile, "keyring"))


def described(profile: str, place: str) -> str:
    """Name the place of a stored key in words."""
    return f"profile {profile} ({'keyring' if place == 'keyring' else credential_path()})"


def _drop_from_file(profile: str, origin: str) -> bool:
    content = private_file.read(credential_path(), secret=True)
    keys = _keys(content, profile)
    if origin not in keys:
        return False
    _write_keys(content, profile, {name: key for name, key in keys.items() if name != origin})
    return True


def remove(profile: str, origin: str) -> bool:
    """Forget the key of this profile and server; tell whether there was one."""
    sign_in = profiles.find(profile, origin)
    removed = _drop_from_file(profile, origin)
    if sign_in is not None and sign_in.kept_in == "keyring":
        backend = _keyring()
        try:
            if backend is not None:
                backend.delete_password(_service(origin), profile)
        except Exception as error:
            what = "The keyring of this system did not remove the key"
            next_step = "Unlock the keyring, then run lumio logout again"
            raise CommandError(what, type(error).__name__, next_step, code="keyring") from error
    profiles.forget(profile, origin)
    return removed or sign_in is not None
