"""`lumio audit`: read the account's audit log.

Promise: the five fields that the log is known for stand first, as the server recorded them.
"""

from typing import Annotated, Any, Literal

import typer

from lumio.cli.light import LightCommand, LightGroup
from lumio.cli.options import command
from lumio.cli.pages import listed
from lumio.cli.run import Run

app = typer.Typer(cls=LightGroup, no_args_is_help=True, help="Audit log of the account.")

_COLUMNS = ("timestamp", "event", "actor", "ip", "result")


def _row(item: dict[str, Any]) -> list[object]:
    return [item.get(column) for column in _COLUMNS]


@app.command("list", cls=LightCommand)
@command
def list_events(
    run: Run,
    event: Annotated[str | None, typer.Option("--event", help="Such as api_key.created or api_key.*")] = None,
    actor: Annotated[str | None, typer.Option("--actor", help="Mail address or label of a key.")] = None,
    result: Annotated[Literal["success", "failure"] | None, typer.Option("--result", help="How it ended.")] = None,
    ip: Annotated[str | None, typer.Option("--ip", help="Source address.")] = None,
    credential_id: Annotated[str | None, typer.Option("--credential-id", help="Id of the key.")] = None,
    since: Annotated[str | None, typer.Option("--since", metavar="TIME", help="From then on (RFC 3339).")] = None,
    until: Annotated[str | None, typer.Option("--until", metavar="TIME", help="Up to then (RFC 3339).")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=10_000, help="How many at most.")] = 50,
) -> None:
    """Show what happened in the account, newest first."""
    wanted = {
        "event": event,
        "actor": actor,
        "result": result,
        "ip": ip,
        "credential_id": credential_id,
        "since": since,
        "until": until,
    }
    filters = {name: value for name, value in wanted.items() if value is not None}
    items = listed(run.client, "/v1/audit-log", limit, filters)
    if run.out.as_json:
        run.out.json({"events": items})
        return
    run.out.table([column.upper() for column in _COLUMNS], [_row(item) for item in items])
    if not items:
        run.out.note("Nothing fits")
