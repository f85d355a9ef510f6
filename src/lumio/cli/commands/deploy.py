"""`lumio deploy`: its options.

Promise: nothing of what packs and sends is loaded before it is needed.
"""

from pathlib import Path
from typing import Annotated

import typer

from lumio.cli.options import command
from lumio.cli.run import Run

_BUILT_FOLDER = ".lumio-dist"


@command
def deploy(
    run: Run,
    version: Annotated[
        str | None, typer.Option("--version", "-v", help="Version to use instead of the file's.")
    ] = None,
    description: Annotated[
        str | None, typer.Option("--description", "-d", help="What is new in this version.")
    ] = None,
    breaking: Annotated[bool, typer.Option("--breaking", help="Users must act before they can update.")] = False,
    outdir: Annotated[Path, typer.Option("--outdir", help="The built folder.", show_default=True)] = Path(
        _BUILT_FOLDER
    ),
    no_source: Annotated[bool, typer.Option("--no-source", help="Send the built folder only.")] = False,
) -> None:
    """Send the built folder as a new draft version."""
    from lumio.cli.deployment import Wish, carry_out

    carry_out(run, Wish(version, description, breaking, outdir, with_source=not no_source))
