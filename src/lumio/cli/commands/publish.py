"""`lumio publish`: make a draft version the current one.

Promise: it names the version it published, and tells a Member which roles may.
"""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from lumio.cli.answer import Answer
from lumio.cli.commands.versions import find_version, versions_path
from lumio.cli.errors import CommandError
from lumio.cli.options import command
from lumio.cli.refusals import Advice
from lumio.cli.run import Run

if TYPE_CHECKING:
    from lumio.cli.client import Client

_FORBIDDEN = "forbidden"


def _role(client: "Client") -> str:
    """Return the caller's role, empty when the server does not say."""
    try:
        me = client.get("/v1/users/me").content()
    except CommandError:
        return ""
    return str(me.get("role") or "") if isinstance(me, dict) else ""


def _publish(run: Run, path: str, number: str) -> Answer:
    explain = {
        403: Advice(f"Version {number} was not published"),
        409: Advice(f"Version {number} was not published", "", "lumio versions list shows which versions are drafts"),
    }
    try:
        return run.client.post(path, explain=explain)
    except CommandError as error:
        if error.code == _FORBIDDEN:
            role = _role(run.client)
            error.why = f"your role here is {role.title()}" if role else "your role does not allow it"
            error.next_step = f"Owners and Admins can publish: ask one of them to run lumio publish {number}"
        raise


@command
def publish(
    run: Run,
    version: Annotated[str, typer.Argument(metavar="VERSION", help="A version's id (ver_…) or number (1.2.0).")],
    extension: Annotated[
        str | None, typer.Option("--extension", metavar="ID", help="The extension, if not the project's.")
    ] = None,
) -> None:
    """Make a version the current one for everybody. Needs the role Owner or Admin."""
    path = versions_path(run, extension)
    found: dict[str, Any] = find_version(run, path, version)
    number = str(found.get("version") or version)
    answer = _publish(run, f"{path}/{found['id']}/publish", number)
    if run.out.as_json:
        run.out.json(answer.object())
        return
    run.out.note(f"Version {number} is published")
    run.out.line(found["id"], "published")
