"""`lumio-server system-keys`: make a system key at the machine itself.

Promise: the key is printed once, alone on a line of stdout; everything else goes to stderr.
"""

import asyncio
import json
from typing import TYPE_CHECKING, Annotated

import typer

from lumio.server.options import Json, read_settings
from lumio.settings import Settings

if TYPE_CHECKING:
    from lumio.system_keys.model import CreatedSystemKey

app = typer.Typer(name="system-keys", help="Keys of internal services.", no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def system_keys() -> None:
    """Keys of internal services."""


@app.command()
def create(
    *,
    label: Annotated[str, typer.Option(help="What the key is for, such as kick-bot-prod.")],
    profile: Annotated[str | None, typer.Option(help="Which permissions it gets; the default is service.")] = None,
    as_json: Json = False,
) -> None:
    """Make a system key and print it, once."""
    from lumio.kernel.errors import LumioError

    settings = read_settings()
    try:
        made = asyncio.run(_create(settings, label, profile))
    except (LumioError, ValueError, OSError) as error:
        typer.echo(f"error: {_sentence(error)}", err=True)
        raise typer.Exit(1) from None
    if as_json:
        _print_json(made)
        return
    for warning in made.warnings:
        typer.echo(f"warning: {warning}", err=True)
    holds = ", ".join(made.permissions) or "no permission: it can only prove itself"
    typer.echo(f"Made {made.label} ({made.id}) with {holds}. The key is shown only now:", err=True)
    typer.echo(made.key)


def _print_json(made: "CreatedSystemKey") -> None:
    from lumio.kernel import clock

    shown = {name: getattr(made, name) for name in made.__struct_fields__}
    typer.echo(json.dumps({**shown, "created_at": clock.rfc3339(made.created_at)}))


def _sentence(error: Exception) -> str:
    from lumio.kernel.errors import Invalid, LumioError, Unavailable

    if isinstance(error, Invalid):
        return "\n".join(f"--{one.field}: {one.message}" for one in error.fields)
    if isinstance(error, Unavailable):
        return f"{error.internal}\nIs the database reachable, and has `lumio-server migrate` been run?"
    return error.public if isinstance(error, LumioError) else str(error)


async def _create(settings: Settings, label: str, profile: str | None) -> "CreatedSystemKey":
    from lumio.access.validate import validate
    from lumio.app import at_work
    from lumio.system_keys.model import CreateSystemKey

    form = validate(CreateSystemKey, {"label": label} | ({} if profile is None else {"profile": profile}))
    async with at_work(settings) as staff:
        return await staff.services.system_keys.provision(staff.units, form)
