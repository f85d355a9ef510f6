"""Tests a key where it stands, before any server is asked.

Promise: what is no credential of Lumio (a mistyped key, another product's secret) never leaves this machine.
"""

from lumio.cli.errors import CommandError, not_signed_in
from lumio.crypto import opaque

_OTHERS = {
    opaque.SYSTEM_KEY: "a system key, made for services",
    opaque.POPOUT_TOKEN: "a popout token, made for addresses",
}


def _mistyped(source: str) -> CommandError:
    return not_signed_in(
        f"{source} is not a key",
        "its form or its checksum is off, so it was mistyped or cut short",
        "Copy it again in one piece: lm_dev_ and 57 letters and digits",
    )


def check_credential(text: str, source: str) -> None:
    """Raise CommandError (exit code 4) unless the text is a well-formed key or an access token of Lumio."""
    if text.startswith("lm_eyJ") and opaque.MASKABLE.fullmatch(text):
        return
    if not opaque.is_well_formed(text):
        raise _mistyped(source)


def check_developer_key(text: str, source: str) -> None:
    """Raise CommandError (exit code 4) unless the text is a well-formed developer key."""
    if opaque.is_well_formed(text, opaque.DEVELOPER_KEY):
        return
    found = opaque.parse(text)
    if found is None:
        raise _mistyped(source)
    raise not_signed_in(
        f"{source} is not a developer key",
        f"it is {_OTHERS.get(found.prefix, 'of another kind')}",
        "lumio signs in with keys that begin with lm_dev_",
    )
