"""What the tests of the Developer REST API share: a team, bundles, and the calls that most of them begin with."""

import gzip
import io
import json
import tarfile
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2

from lumio.access.policy import Role
from tests.support.world import OPERATOR, World

EXTENSIONS = "/developer/v1/extensions"
PAGE = b"<!doctype html><title>Chat Confetti</title>"


def bundle(files: Mapping[str, bytes] | None = None) -> bytes:
    """Return a gzip'd tar of some files; the same files give the same bytes."""
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as archive:
        for name, content in sorted((files or {"index.html": PAGE, "assets/app.js": b"start();"}).items()):
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return gzip.compress(raw.getvalue(), mtime=0)


def manifest(version: str = "1.0.0", **fields: Any) -> bytes:
    """Return a manifest as it is sent."""
    return json.dumps({"name": "Chat Confetti", "version": version, **fields}).encode()


Parts = dict[str, Any]


def parts(version: str = "1.0.0", packed: bytes | None = None, **others: Any) -> Parts:
    """Return the parts of an upload for `files=`; None leaves one out."""
    made: Parts = {
        "manifest": ("manifest.json", manifest(version), "application/json"),
        "bundle": ("bundle.tar.gz", bundle() if packed is None else packed, "application/gzip"),
        **others,
    }
    return {name: part for name, part in made.items() if part is not None}


def plain(value: str) -> tuple[None, str]:
    """Return a plain form field, as `files=` wants it."""
    return (None, value)


async def make_extension(client: httpx2.AsyncClient, name: str = "Chat Confetti", **fields: Any) -> str:
    """Make an extension; return its id."""
    answer = await client.post(EXTENSIONS, json={"name": name, **fields})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def send(
    client: httpx2.AsyncClient,
    extension_id: str,
    files: Parts | None = None,
    headers: Mapping[str, str] | None = None,
) -> httpx2.Response:
    """Upload a version."""
    path = f"{EXTENSIONS}/{extension_id}/versions"
    return await client.post(path, files=parts() if files is None else files, headers=headers)


async def deploy(client: httpx2.AsyncClient, extension_id: str, version: str = "1.0.0") -> dict[str, Any]:
    """Upload a sound version; return it."""
    answer = await send(client, extension_id, parts(version))
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def publish(client: httpx2.AsyncClient, extension_id: str, version_id: str) -> httpx2.Response:
    """Publish a version."""
    return await client.post(f"{EXTENSIONS}/{extension_id}/versions/{version_id}/publish")


def stored(world: World) -> list[Path]:
    """Return every file in the bundle folder, staging included."""
    return sorted(path for path in world.house.settings.bundle_store.rglob("*") if path.is_file())


async def state(client: httpx2.AsyncClient) -> list[Any]:
    """Return everything that the account's extensions and versions show."""
    listed = (await client.get(EXTENSIONS)).json()["extensions"]
    found: list[Any] = []
    for item in listed:
        found.append((await client.get(f"{EXTENSIONS}/{item['id']}")).json())
        found.append((await client.get(f"{EXTENSIONS}/{item['id']}/versions")).json())
    return found


async def pieces(content: bytes, size: int = 64 * 1024) -> AsyncIterator[bytes]:
    """Yield content as a network would."""
    for at in range(0, len(content), size):
        yield content[at : at + size]


@dataclass(slots=True)
class Team:
    """One account, with a client for each role; `ci` presents a key of the Owner."""

    account_id: str
    owner: httpx2.AsyncClient
    admin: httpx2.AsyncClient
    member: httpx2.AsyncClient
    ci: httpx2.AsyncClient
    members: dict[str, dict[str, str]] = field(default_factory=dict)


async def make_team(world: World) -> Team:
    """Return the operator's account with an Admin and a Member in it."""
    owner = await world.sign_in(OPERATOR)
    account_id = await world.account_id(owner)
    key = (await world.mint_key(owner))["key"]
    people = {
        role: await world.new_person(f"{role}@example.com", role, account_id) for role in (Role.ADMIN, Role.MEMBER)
    }
    admin, member = [await world.sign_in(f"{role}@example.com") for role in people]
    return Team(account_id, owner, admin, member, world.bearer(key), {str(role): ids for role, ids in people.items()})
