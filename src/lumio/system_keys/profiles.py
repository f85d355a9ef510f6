"""Profiles: the named permission lists of system keys, five built in, more in the settings file.

Promise: what a profile gives is decided when the server starts, by whoever operates it; no request can name a
permission.
"""

import re
from collections.abc import Iterable, Mapping

from lumio.access import permission
from lumio.access.kinds import Kind
from lumio.access.policy import ADMITTED
from lumio.kernel.errors import FieldError, Invalid
from lumio.settings import SettingsError
from lumio.system_keys.model import DEFAULT_PROFILE, Profile

BUILT_IN: Mapping[str, tuple[str, ...]] = {
    "service": ("auth:introspect", "extensions:read", "members:read", "system-connections:use"),
    "introspector": ("auth:introspect",),
    "connections": ("system-connections:use",),
    "deployer": ("extensions:read", "extensions:deploy"),
    "probe": (),
}

_NAME = re.compile(r"[a-z][a-z0-9-]{0,39}", re.ASCII)


class Profiles:
    """Every profile of this installation, in order: the built-in ones, then the operator's."""

    def __init__(self, more: Mapping[str, Iterable[str]]) -> None:
        """Add the profiles of the settings file.

        Raises:
            SettingsError: a name or a permission that cannot be; the sentence says which.
        """
        self._lists = {name: sorted(names) for name, names in BUILT_IN.items()}
        for name, names in more.items():
            self._lists[name] = _checked(name, list(names))

    def all(self) -> list[Profile]:
        """Return every profile."""
        return [Profile(name, list(names), name == DEFAULT_PROFILE) for name, names in self._lists.items()]

    def permissions(self, name: str) -> list[str]:
        """Return the list of one profile, sorted.

        Raises:
            Invalid: there is no such profile; the sentence names those that exist.
        """
        found = self._lists.get(name)
        if found is None:
            known = ", ".join(self._lists)
            raise Invalid([FieldError("profile", "choice", f"There is no such profile; there are: {known}.")])
        return list(found)


def _checked(name: str, names: list[str]) -> list[str]:
    if not _NAME.fullmatch(name):
        message = f"profiles.{name}: a profile is named by lower-case letters, digits and hyphens, 40 at most"
        raise SettingsError(message)
    if name in BUILT_IN:
        message = f"profiles.{name}: this profile is built in; give yours another name"
        raise SettingsError(message)
    for one in names:
        if one not in permission.ALL:
            message = f"profiles.{name}: there is no permission {one!r}"
            raise SettingsError(message)
        if one not in ADMITTED[Kind.SYSTEM_KEY]:
            message = f"profiles.{name}: {one} is for persons only"
            raise SettingsError(message)
    return sorted(set(names))
