"""What every verb of the operator's command line shares."""

from typing import Annotated

import typer

from lumio import settings as settings_module
from lumio.settings import Settings, SettingsError

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def read_settings(port: int = 8000) -> Settings:
    """Return the settings; a value that cannot be used ends the command with code 2 and its sentence."""
    try:
        return settings_module.load(port=port)
    except (SettingsError, OSError) as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(2) from None
