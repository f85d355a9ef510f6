"""`lumio extensions`: list them, make one.

Promise: the id of a new extension goes into `lumio.config.json` only when somebody said so.
"""

from pathlib import Path
from typing import Annotated, Any

import typer

from lumio.cli.light import LightCommand, LightGroup
from lumio.cli.options import command
from lumio.cli.project import FILE_NAME, write_project
from lumio.cli.refusals import Advice
from lumio.cli.run import Run

app = typer.Typer(cls=LightGroup, no_args_is_help=True, help="Extensions of the account.")


@app.command("list", cls=LightCommand)
@command
def list_extensions(run: Run) -> None:
    """Show the account's extensions."""
    extensions = run.client.get("/developer/v1/extensions").objects("extensions")
    if run.out.as_json:
        run.out.json({"extensions": extensions})
        return
    columns = ("ID", "NAME", "SLUG", "VISIBILITY", "STATUS", "INSTALLS", "UPDATED")
    members = ("id", "name", "slug", "visibility", "status", "installCount", "updatedAt")
    run.out.table(columns, [[each.get(name) for name in members] for each in extensions])
    if not extensions:
        run.out.note('No extensions yet. Make one with: lumio extensions create --name "…"')


def _wants_id_written(run: Run, *, write: bool | None) -> bool:
    """Decide whether the new id goes into the project file: by flag, else by asking on a terminal."""
    if run.project is None or write is False:
        return False
    if write:
        return True
    return run.interactive and typer.confirm(f"Write its id into {FILE_NAME}?", default=True, err=True)


def _write_id(run: Run, extension_id: str) -> None:
    if run.project is not None:
        write_project(run.project.with_values(extensionId=extension_id))
        run.out.note(f"{FILE_NAME} now names {extension_id}")


@app.command("create", cls=LightCommand)
@command
def create_extension(
    run: Run,
    name: Annotated[str, typer.Option("--name", help="The name people see.")],
    slug: Annotated[str | None, typer.Option("--slug", help="The name in addresses.")] = None,
    description: Annotated[str | None, typer.Option("--description", help="What it does.")] = None,
    category: Annotated[str | None, typer.Option("--category", help="Where it is listed.")] = None,
    write: Annotated[
        bool | None, typer.Option("--write/--no-write", help=f"Write the id into {FILE_NAME} without asking.")
    ] = None,
) -> None:
    """Make an extension in the account."""
    wanted = {"name": name, "slug": slug, "description": description, "category": category}
    body = {member: value for member, value in wanted.items() if value is not None}
    explain = {409: Advice("The extension was not made", "", "Choose another name or --slug")}
    made: dict[str, Any] = run.client.post("/developer/v1/extensions", body, explain).object()
    extension_id = str(made.get("id", ""))
    if run.out.as_json:
        run.out.json(made)
    else:
        run.out.note(f"Extension {made.get('name')} is there: {run.origin}/dashboard/extensions/{extension_id}")
        run.out.line(extension_id)
    if _wants_id_written(run, write=write):
        _write_id(run, extension_id)
    elif run.project is None and write:
        run.out.note(f"There is no {FILE_NAME} in {Path.cwd()}: run lumio init --extension-id {extension_id}")
