"""`lumio-server doctor`: look at an installation and say what is wrong."""

import asyncio
import json
from typing import TYPE_CHECKING

import typer

from lumio.server.options import Json, read_settings

if TYPE_CHECKING:
    from lumio.app.doctor import Finding

SIGNS = {"ok": "ok     ", "warning": "warning", "error": "error  "}


def doctor(*, as_json: Json = False) -> None:
    """Look at this installation and say what is wrong. Exit code 1 when something is broken."""
    from lumio.app.doctor import examine

    settings = read_settings()

    async def look() -> "list[Finding]":
        return [finding async for finding in examine(settings)]

    found = asyncio.run(look())
    if as_json:
        typer.echo(json.dumps([one._asdict() for one in found]))
    else:
        for one in found:
            typer.echo(f"{SIGNS[one.level]}  {one.about}: {one.sentence}")
    raise typer.Exit(int(any(one.level == "error" for one in found)))
