"""`lumio init`: write `lumio.config.json`, from answers on a terminal and from flags elsewhere.

Promise: the file passes the checks of `lumio deploy`; one that exists is replaced only with `--force`.
"""

from pathlib import Path
from typing import Annotated, Any

import typer

from lumio.cli import rules
from lumio.cli.errors import CommandError, ExitCode, usage_error
from lumio.cli.options import command
from lumio.cli.origin import parse_origin
from lumio.cli.project import FIELDS, FILE_NAME, Project, checked, write_project
from lumio.cli.run import Run

_FIRST_VERSION = "0.1.0"


def _ask(run: Run, field: str, question: str, default: str) -> str:
    """Ask until the answer passes the field's rule."""
    while True:
        answer: str = typer.prompt(question, default=default, err=True, show_default=bool(default))
        broken = FIELDS[field](answer) if answer else None
        if broken is None:
            return answer
        run.out.note(f"{field} {broken}")


def _asked(run: Run, given: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Fill in what no flag said, by asking."""
    answers = dict(given)
    questions = (
        ("name", "Name", folder.name),
        ("description", "Description", ""),
        ("category", "Category", ""),
        ("version", "Version", _FIRST_VERSION),
    )
    for field, question, default in questions:
        if field not in answers:
            answers[field] = _ask(run, field, question, default)
    if "targets" not in answers:
        answers["targets"] = [_ask_target(run)]
    return answers


def _ask_target(run: Run) -> str:
    while True:
        target: str = typer.prompt(f"Runs in ({', '.join(rules.TARGETS)})", default=rules.TARGETS[0], err=True)
        if target in rules.TARGETS:
            return target
        run.out.note(f"{target} is none of {', '.join(rules.TARGETS)}")


def _new_project(path: Path, values: dict[str, Any]) -> Project:
    """Order the fields as the specification lists them, leave out empty ones, and check them."""
    present = {name: values[name] for name in FIELDS if values.get(name) not in (None, "", [])}
    try:
        return checked(Project(path, present))
    except CommandError as error:
        error.exit_code, error.what = ExitCode.USAGE, f"{FILE_NAME} was not written"
        error.next_step = "Correct the options and run lumio init again"
        raise


def _refuse_to_overwrite(path: Path, *, force: bool) -> None:
    if path.exists() and not force:
        what = f"There is a {FILE_NAME} already"
        raise CommandError(what, next_step="Edit it, or replace it with lumio init --force", code="file_exists")


@command
def init(
    run: Run,
    name: Annotated[str | None, typer.Option("--name", help="The name people see.")] = None,
    description: Annotated[str | None, typer.Option("--description", help="What the extension does.")] = None,
    category: Annotated[str | None, typer.Option("--category", help="Where it is listed.")] = None,
    version: Annotated[str | None, typer.Option("--version", help="The first version, 0.1.0 if left out.")] = None,
    target: Annotated[
        list[str] | None, typer.Option("--target", help="editor, layer or interactive; repeatable.")
    ] = None,
    visibility: Annotated[
        str | None, typer.Option("--visibility", help="Who may see it: private, unlisted, public, paid.")
    ] = None,
    extension_id: Annotated[
        str | None, typer.Option("--extension-id", help="The extension, if there is one (ext_…).")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the file that is there.")] = False,
) -> None:
    """Write lumio.config.json for the extension in this folder."""
    path = Path.cwd() / FILE_NAME
    _refuse_to_overwrite(path, force=force)
    flags = {
        "extensionId": extension_id,
        "name": name,
        "description": description,
        "category": category,
        "version": version,
        "targets": target or None,
        "server": parse_origin(run.options.server) if run.options.server else None,
        "visibility": visibility,
    }
    given = {field: value for field, value in flags.items() if value is not None}
    if run.interactive:
        given = _asked(run, given, path.parent)
    elif "name" not in given:
        what = "The extension needs a name"
        raise usage_error(what, "nobody is there to be asked", 'Example: lumio init --name "My extension"')
    project = _new_project(path, {"version": _FIRST_VERSION, "targets": [rules.TARGETS[0]], **given})
    write_project(project)
    _report(run, project)


def _report(run: Run, project: Project) -> None:
    if run.out.as_json:
        run.out.json(project.values)
        return
    run.out.line(f"Wrote {FILE_NAME}")
    if project.extension_id is None:
        run.out.note(f'Next: lumio extensions create --name "{project.name}", then build, then lumio deploy')
    else:
        run.out.note("Next: build, then lumio deploy")
