"""`lumio audit`: read the account's audit log, or take it out as a file.

Promise: the five fields that the log is known for stand first, as the server recorded them; a file is kept only
when it came whole.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from lumio.cli.errors import CommandError
from lumio.cli.light import LightCommand, LightGroup
from lumio.cli.options import command
from lumio.cli.pages import listed
from lumio.cli.private_file import replacing
from lumio.cli.run import Run

app = typer.Typer(cls=LightGroup, no_args_is_help=True, help="Audit log of the account.")

_COLUMNS = ("timestamp", "event", "actor", "ip", "result")


def _row(item: dict[str, Any]) -> list[object]:
    return [item.get(column) for column in _COLUMNS]


Event = Annotated[str | None, typer.Option("--event", help="Such as api_key.created or api_key.*")]
Actor = Annotated[str | None, typer.Option("--actor", help="Mail address or label of a key.")]
Result = Annotated[Literal["success", "failure"] | None, typer.Option("--result", help="How it ended.")]
Ip = Annotated[str | None, typer.Option("--ip", help="Source address.")]
CredentialId = Annotated[str | None, typer.Option("--credential-id", help="Id of the key.")]
Since = Annotated[str | None, typer.Option("--since", metavar="TIME", help="From then on (RFC 3339).")]
Until = Annotated[str | None, typer.Option("--until", metavar="TIME", help="Up to then (RFC 3339).")]


def _given(**filters: str | None) -> dict[str, str]:
    return {name: value for name, value in filters.items() if value is not None}


@app.command("list", cls=LightCommand)
@command
def list_events(
    run: Run,
    event: Event = None,
    actor: Actor = None,
    result: Result = None,
    ip: Ip = None,
    credential_id: CredentialId = None,
    since: Since = None,
    until: Until = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=10_000, help="How many at most.")] = 50,
) -> None:
    """Show what happened in the account, newest first."""
    filters = _given(
        event=event, actor=actor, result=result, ip=ip, credential_id=credential_id, since=since, until=until
    )
    items = listed(run.client, "/v1/audit-log", limit, filters)
    if run.out.as_json:
        run.out.json({"events": items})
        return
    run.out.table([column.upper() for column in _COLUMNS], [_row(item) for item in items])
    if not items:
        run.out.note("Nothing fits")


@app.command("export", cls=LightCommand)
@command
def export_events(
    run: Run,
    form: Annotated[Literal["ndjson", "csv"], typer.Option("--format", help="The form of the file.")] = "ndjson",
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Where to; stdout if not given.")
    ] = None,
    event: Event = None,
    actor: Actor = None,
    result: Result = None,
    ip: Ip = None,
    credential_id: CredentialId = None,
    since: Since = None,
    until: Until = None,
) -> None:
    """Download the account's log in the order of its chain; the last line is signed."""
    query = _given(
        event=event, actor=actor, result=result, ip=ip, credential_id=credential_id, since=since, until=until
    )
    tail = _Tail()
    if output is None:
        _download(run, {"format": form, **query}, tail, run.out.bytes)
        return
    with replacing(output) as file:
        _download(run, {"format": form, **query}, tail, file.write)
    run.out.note(f"{tail.lines - 1} events are in {output}")


class _Tail:
    """Keeps the last line of what passes."""

    def __init__(self) -> None:
        self.lines = 0
        self._line = b""

    def take(self, piece: bytes) -> None:
        """Look at a piece."""
        self.lines += piece.count(b"\n")
        whole, feed, open_end = (self._line + piece).rpartition(b"\n")
        self._line = open_end or whole.rpartition(b"\n")[2] + feed

    @property
    def signed(self) -> bool:
        """Tell whether the last line is the statement that ends an export."""
        return self._line.endswith(b"\n") and self._line.lstrip(b"#").startswith(b'{"statement":"export"')


def _download(run: Run, query: dict[str, str], tail: _Tail, put: Callable[[bytes], object]) -> None:
    """Pass a file on piece by piece. Raises CommandError when it ends before its signed last line."""

    def take(piece: bytes) -> None:
        tail.take(piece)
        put(piece)

    run.client.download("/v1/audit-log/export", query, take)
    if not tail.signed:
        why = "it ended before its signed last line"
        raise CommandError("The export is not whole", why, "Run the command again", code="cut_off")
