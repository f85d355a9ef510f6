"""What an upload says, once all of it is there: a manifest, notes, one or two archives that passed the check.

Promise: whatever is wrong with an upload is found here, before anything of it is kept.
"""

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar
from weakref import WeakKeyDictionary

import msgspec
from msgspec import Struct

from lumio.access.validate import validate
from lumio.crypto.hashing import digest
from lumio.extensions.archive import DEFAULT, check_archive
from lumio.extensions.arrival import Arrival
from lumio.extensions.bundles import Received
from lumio.extensions.manifest import Manifest, read_manifest
from lumio.extensions.model import Description
from lumio.kernel.errors import FieldError, Invalid

CHECKS_AT_ONCE = 2
Found = TypeVar("Found")


class Notes(Struct, frozen=True, forbid_unknown_fields=True):
    """The plain parts of an upload."""

    description: Description = ""
    breaking: bool = False


class Package(Struct, frozen=True):
    """A sound upload. `body_digest` tells repetitions of it from other uploads, however they were encoded."""

    manifest: Manifest
    manifest_text: str
    notes: Notes
    files: Mapping[str, Received]
    body_digest: str


class Inspection:
    """Opens uploads; looks into a few archives at once, since each may cost a second of a processor."""

    def __init__(self) -> None:
        """Begin with nobody inside."""
        self._rooms: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore] = WeakKeyDictionary()

    def _room(self) -> asyncio.Semaphore:
        """Return the room of the event loop that runs now: a house may be closed and opened again on another."""
        return self._rooms.setdefault(asyncio.get_running_loop(), asyncio.Semaphore(CHECKS_AT_ONCE))

    async def open(self, arrival: Arrival, extension_id: str) -> Package:
        """Return what arrived for an extension.

        Raises:
            Invalid: names every rule that manifest and notes break, or the first that an archive breaks; an
                archive's refusal is noted for the journal.
        """
        problems = [] if "bundle" in arrival.files else [FieldError("bundle", "required", "Is required.")]
        manifest = _gathered(problems, lambda: _manifest(arrival, extension_id))
        notes = _gathered(problems, lambda: _notes(arrival))
        if problems or manifest is None or notes is None:
            raise Invalid(problems)
        for name, received in arrival.files.items():
            await self._look_into(name, received.path)
        raw = arrival.fields["manifest"]
        return Package(manifest, raw.decode(), notes, dict(arrival.files), _digest(raw, notes, arrival.files))

    async def _look_into(self, name: str, path: Path) -> None:
        async with self._room():
            try:
                await asyncio.to_thread(check_archive, path, DEFAULT, name)
            except Invalid as error:
                raise error.noted(reason=f"archive_{error.fields[0].rule}") from None


def _gathered(problems: list[FieldError], read: Callable[[], Found]) -> Found | None:
    """Return what `read` gives; what is wrong with it joins the `problems`."""
    try:
        return read()
    except Invalid as error:
        problems.extend(error.fields)
        return None


def _manifest(arrival: Arrival, extension_id: str) -> Manifest:
    if "manifest" not in arrival.fields:
        raise Invalid([FieldError("manifest", "required", "Is required.")])
    return read_manifest(arrival.fields["manifest"], extension_id)


def _notes(arrival: Arrival) -> Notes:
    plain: dict[str, str] = {}
    for name in Notes.__struct_fields__:
        if name in arrival.fields:
            try:
                plain[name] = arrival.fields[name].decode()
            except UnicodeDecodeError:
                raise Invalid([FieldError(name, "characters", "Must be UTF-8.")]) from None
    return validate(Notes, plain, lax=True)


def _digest(manifest: bytes, notes: Notes, files: Mapping[str, Received]) -> str:
    hashes = {name: received.sha256 for name, received in sorted(files.items())}
    return digest(msgspec.json.encode([digest(manifest), notes.description, notes.breaking, hashes]))
