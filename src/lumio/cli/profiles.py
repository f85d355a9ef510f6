"""Profiles: which server a name stands for and who was signed in there. No secret is in this file.

Promise: what is remembered about a sign-in is bound to one server; another server never sees it.
"""

from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from lumio.cli import private_file, settings


@dataclass(frozen=True, slots=True)
class SignIn:
    """Who was signed in, as the server said it at that time. `kept_in` is `keyring` or `file`."""

    kept_in: str
    label: str = ""
    kind: str = ""
    account: str = ""
    role: str = ""
    signed_in_at: str = ""


def _path() -> Path:
    return settings.config_folder() / "profiles.json"


def _read() -> dict[str, Any]:
    content = private_file.read(_path())
    profiles = content.get("profiles")
    return profiles if isinstance(profiles, dict) else {}


def _profile(profiles: dict[str, Any], name: str) -> dict[str, Any]:
    profile = profiles.get(name)
    return profile if isinstance(profile, dict) else {}


def server_of(name: str) -> str | None:
    """Return the server last signed in to with this profile."""
    server = _profile(_read(), name).get("server")
    return server if isinstance(server, str) and server else None


def find(name: str, origin: str) -> SignIn | None:
    """Return what is remembered of the sign-in of this profile on this server."""
    signed_in = _profile(_read(), name).get("signed_in")
    entry = signed_in.get(origin) if isinstance(signed_in, dict) else None
    if not isinstance(entry, dict) or not isinstance(entry.get("kept_in"), str):
        return None
    known = {field.name for field in fields(SignIn)}
    return SignIn(**{key: str(value) for key, value in entry.items() if key in known})


def remember(name: str, origin: str, sign_in: SignIn) -> None:
    """Store the sign-in and make its server the profile's own."""
    profiles = _read()
    profile = _profile(profiles, name)
    signed_in = profile.get("signed_in")
    entries = dict(signed_in) if isinstance(signed_in, dict) else {}
    entries[origin] = asdict(sign_in)
    profiles[name] = {"server": origin, "signed_in": entries}
    private_file.write(_path(), {"version": 1, "profiles": profiles})


def forget(name: str, origin: str) -> None:
    """Drop the sign-in of this profile on this server; the server stays the profile's own."""
    profiles = _read()
    profile = _profile(profiles, name)
    signed_in = profile.get("signed_in")
    if isinstance(signed_in, dict) and signed_in.pop(origin, None) is not None:
        private_file.write(_path(), {"version": 1, "profiles": profiles})
