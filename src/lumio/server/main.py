"""`lumio-server`: the operator's command line."""

import asyncio
import json
import sys
from typing import Annotated

import typer

from lumio import settings as settings_module
from lumio.server import audit, revocations, system_keys
from lumio.server.backup import backup, restore
from lumio.server.doctor import doctor
from lumio.server.options import Json, read_settings
from lumio.server.revoke import revoke

app = typer.Typer(
    name="lumio-server",
    help="Operate a Lumio installation.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

app.add_typer(system_keys.app)
app.add_typer(audit.app)
app.add_typer(revocations.app)
app.command()(backup)
app.command()(restore)
app.command()(revoke)
app.command()(doctor)


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.", min=1, max=65535)] = 8000,
    workers: Annotated[
        int | None, typer.Option(help="Worker processes; LUMIO_WORKERS or 1.", min=1, max=settings_module.WORKERS_MAX)
    ] = None,
) -> None:
    """Bring the schema up to date, then serve until stopped."""
    from lumio.server.running import run

    settings_module.hand_to_workers(port=port, workers=workers)
    raise typer.Exit(run(read_settings(port), host, port))


@app.command()
def migrate(*, as_json: Json = False) -> None:
    """Bring the database to the newest schema."""
    from lumio.storage.migrate import upgrade

    settings = read_settings()
    settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    asyncio.run(upgrade(settings.database_admin_url))
    typer.echo(json.dumps({"migrated": True}) if as_json else "The database has the newest schema.")


@app.command("version")
def version(*, as_json: Json = False) -> None:
    """Print the version."""
    from lumio.kernel.version import VERSION

    typer.echo(json.dumps({"version": VERSION}) if as_json else VERSION)


def main() -> None:
    """Run the command line; what is logged on the way goes to stderr, for stdout is the answer's."""
    if not {"--help", "-h"} & {*sys.argv}:  # the help logs nothing, and waits for no logger
        from lumio.server import logs

        logs.set_up("info")
    app()
