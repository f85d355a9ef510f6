"""`lumio versions`: the versions of an extension.

Promise: a version is found by its id or its number; a number that fits none is answered with those there are.
"""

from typing import Annotated, Any

import typer

from lumio.cli.errors import CommandError, usage_error
from lumio.cli.ids import segment
from lumio.cli.light import LightCommand, LightGroup
from lumio.cli.options import command
from lumio.cli.project import FILE_NAME
from lumio.cli.refusals import Advice
from lumio.cli.rules import is_semver
from lumio.cli.run import Run

app = typer.Typer(cls=LightGroup, no_args_is_help=True, help="Versions of an extension.")

_SHOWN = 5  # numbers named when one is not found


def versions_path(run: Run, extension: str | None) -> str:
    """Return the address of the versions of the named extension, or of the project's."""
    chosen = extension or (run.project.extension_id if run.project else None)
    if not chosen:
        what = "It is not clear which extension is meant"
        raise usage_error(what, f"no {FILE_NAME} here names one", "Pass --extension ext_…")
    return f"/developer/v1/extensions/{segment(chosen, 'an extension')}/versions"


def all_versions(run: Run, path: str) -> list[dict[str, Any]]:
    """Return the versions as the server lists them."""
    no_extension = Advice(
        "There is no such extension that this key can see",
        "",
        "lumio extensions list shows the ones there are",
    )
    return run.client.get(path, explain={404: no_extension}).objects("versions")


def find_version(run: Run, path: str, wanted: str) -> dict[str, Any]:
    """Return the version with this id or number; raises CommandError when there is none."""
    if not (wanted.startswith("ver_") or is_semver(wanted)):
        what = f"{wanted} is neither a version's id nor its number"
        raise usage_error(what, next_step="Examples: ver_… or 1.2.0; lumio versions list shows both")
    versions = [each for each in all_versions(run, path) if isinstance(each.get("id"), str)]
    for each in versions:
        if wanted in {each["id"], each.get("version")}:
            return each
    numbers = ", ".join(str(each.get("version")) for each in versions[:_SHOWN])
    why = f"there are {numbers}" if numbers else "nothing was deployed yet"
    what = f"There is no version {wanted}"
    raise CommandError(what, why, "lumio versions list shows all of them", code="not_found")


@app.command("list", cls=LightCommand)
@command
def list_versions(
    run: Run,
    extension: Annotated[
        str | None, typer.Option("--extension", metavar="ID", help="The extension, if not the project's.")
    ] = None,
) -> None:
    """Show the versions of an extension."""
    versions = all_versions(run, versions_path(run, extension))
    if run.out.as_json:
        run.out.json({"versions": versions})
        return
    columns = ("ID", "VERSION", "STATUS", "CREATED", "DEPLOYED BY", "DESCRIPTION")
    members = ("id", "version", "status", "createdAt", "deployedBy", "description")
    run.out.table(columns, [[_shown(each.get(name)) for name in members] for each in versions])
    if not versions:
        run.out.note("No versions yet. lumio deploy makes the first one")


def _shown(value: object) -> object:
    """Return the label of a nested object, other values unchanged."""
    return value.get("label") or value.get("id") if isinstance(value, dict) else value
