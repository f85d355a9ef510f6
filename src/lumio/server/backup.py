"""`lumio-server backup` and `restore`: a copy of the database, and the way back.

Promise: neither touches the root secret, and after a restore nothing that was revoked works again.
"""

import asyncio
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lumio.server.options import Json, read_settings, told
from lumio.server.revocations import sentence
from lumio.settings import Settings

if TYPE_CHECKING:
    from lumio.app.copies import Restored


def backup(
    file: Annotated[Path, typer.Argument(help="The new file that the copy goes into.")], *, as_json: Json = False
) -> None:
    """Copy the database into a new file. SQLite; the server may run."""
    settings = read_settings()
    with told():
        bundles = asyncio.run(_back_up(settings, file))
    if as_json:
        named = [{"sha256": digest, "size": size} for digest, size in bundles]
        typer.echo(json.dumps({"file": str(file), "bundle_store": str(settings.bundle_store), "bundles": named}))
        return
    typer.echo(f"The database is in {file}. Not in it, and needed to come back:")
    typer.echo(f"  {settings.root_secret_file}: keep it apart from the copies; each is worthless without it")
    size = sum(size for _, size in bundles)
    typer.echo(f"  {settings.bundle_store}: {len(bundles)} bundle(s), {size / 2**20:.1f} MiB")
    typer.echo(f"  {settings.journal_dir}: says what is revoked after the copy; never restore an older state of it")


def restore(
    file: Annotated[Path, typer.Argument(help="A copy that `lumio-server backup` made.")],
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: Json = False,
) -> None:
    """Put a copy in the database's place. SQLite; the server must be stopped."""
    settings = read_settings()
    if not settings.root_secret_file.exists():
        typer.echo(f"error: there is no root secret at {settings.root_secret_file}; put it back first", err=True)
        raise typer.Exit(1)
    if not yes:
        typer.confirm(f"Everything since {file} was made is lost. Put it in the place of the database?", abort=True)
    with told():
        done = asyncio.run(_restore(settings, file))
    _say(done, as_json=as_json)


async def _back_up(settings: Settings, file: Path) -> list[tuple[str, int]]:
    from lumio.app.copies import back_up

    return list(await back_up(settings, file))


async def _restore(settings: Settings, file: Path) -> "Restored":
    from lumio.app.copies import restore

    return await restore(settings, file)


def _say(done: "Restored", *, as_json: bool) -> None:
    found = done.reconciled
    kept = [str(path) for path in (done.replaced, done.heads) if path is not None]
    if as_json:
        again = {"lost": found.lost, "epoch": found.epoch, "again": dict(found.changed)}
        typer.echo(json.dumps({"kept": kept, **again}))
        return
    typer.echo("The copy is in its place.")
    for path in kept:
        typer.echo(f"  kept: {path}")
    typer.echo(sentence(found))
