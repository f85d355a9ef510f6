"""What the surroundings say: environment variables and folders, read here and nowhere else.

Promise: an empty variable counts as unset, so that a missing CI secret is not taken for a key.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

DEFAULT_SERVER = "http://localhost:8000"
DEFAULT_PROFILE = "default"
APPLICATION = "lumio"
COMPLETION_VARIABLE = "_LUMIO_COMPLETE"  # set by the completion scripts when they ask for words
_PROXIES = ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY")
_NO = frozenset({"", "0", "false", "no", "off"})


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The environment of one run. `key` is the value of LUMIO_TOKEN and never shown."""

    key: str | None = field(default=None, repr=False)
    key_is_empty: bool = False
    server: str | None = None
    no_color: bool = False
    dumb: bool = False
    ci: bool = False
    proxied: bool = False
    completing: bool = False


def surroundings(environment: Mapping[str, str] | None = None) -> Surroundings:
    """Read the variables that this program knows; `environment` stands in for the real one in tests."""
    variables = os.environ if environment is None else environment
    key = variables.get("LUMIO_TOKEN")
    return Surroundings(
        key=(key or "").strip() or None,
        key_is_empty=key is not None and not key.strip(),
        server=variables.get("LUMIO_SERVER", "").strip() or None,
        no_color=bool(variables.get("NO_COLOR")),  # https://no-color.org: any non-empty value
        dumb=variables.get("TERM", "") == "dumb",
        completing=bool(variables.get(COMPLETION_VARIABLE)),
        proxied=any(variables.get(name) or variables.get(name.lower()) for name in _PROXIES),
        ci=variables.get("CI", "").strip().lower() not in _NO,
    )


def config_folder() -> Path:
    """Where profiles and the credential file live: the XDG config folder, or what the system has instead."""
    import platformdirs

    return platformdirs.user_config_path(APPLICATION, appauthor=False)


def state_folder() -> Path:
    """Where the dates of the hints live: the XDG state folder, or what the system has instead."""
    import platformdirs

    return platformdirs.user_state_path(APPLICATION, appauthor=False)
