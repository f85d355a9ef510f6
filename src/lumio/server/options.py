"""What every verb of the operator's command line shares."""

from collections.abc import Iterator
from contextlib import contextmanager
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


@contextmanager
def told() -> Iterator[None]:
    """Let what goes wrong inside end the command with code 1 and its sentence."""
    from lumio.kernel.errors import LumioError, Unavailable

    try:
        yield
        return
    except Unavailable as error:
        hint = "Is the database reachable, and has `lumio-server migrate` been run?"
        typer.echo(f"error: {error.internal}\n{hint}", err=True)
    except LumioError as error:
        typer.echo(f"error: {error.public}", err=True)
    except (OSError, ValueError, RuntimeError) as error:
        typer.echo(f"error: {error}", err=True)
    raise typer.Exit(1)
