"""`lumio-server audit`: verify the log, export it, purge it, hold an account's part of it, erase a person from it."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from lumio.server.audit_export import export
from lumio.server.options import Json, read_settings
from lumio.settings import Settings

if TYPE_CHECKING:
    from lumio.app.audit_tools import AuditTools
    from lumio.audit.verdict import Verdict

Answer = TypeVar("Answer")
app = typer.Typer(
    name="audit",
    help="The audit log: verify, export, purge, hold, erase.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
app.command()(export)
Account = Annotated[str, typer.Argument(help="The id of the account.")]


@app.callback()
def audit() -> None:
    """The audit log: verify, export, purge, hold, erase."""


@app.command()
def verify(
    *,
    account: Annotated[str | None, typer.Option(help="Verify the chain of this account alone.")] = None,
    against: Annotated[Path | None, typer.Option(help="A copy of the file of heads, kept elsewhere.")] = None,
    exported: Annotated[
        Path | None, typer.Option("--export", help="Verify this export instead of the database.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Check that nothing was changed or cut off. Exit code: 0 intact, 1 altered, 2 incomplete, 3 unreadable."""
    settings = read_settings()
    verdict = _verdict(settings, account, against, exported)
    if as_json:
        said = {"outcome": verdict.outcome.name.lower(), "position": verdict.position, "sentence": verdict.sentence}
        typer.echo(json.dumps(said))
    else:
        where = "" if verdict.position is None else f" (first bad position: {verdict.position})"
        typer.echo(f"{verdict.outcome.name.lower()}: {verdict.sentence}{where}")
    raise typer.Exit(int(verdict.outcome))


@app.command()
def purge(
    *,
    trust_clock: Annotated[bool, typer.Option("--trust-clock", help="The clock was looked at and is right.")] = False,
    as_json: Json = False,
) -> None:
    """Delete what is older than 90 days, behind a signed checkpoint."""

    async def work(tools: "AuditTools") -> Any:
        tools.reserve.give_back()
        try:
            return await tools.retention.purge(trust_clock=trust_clock)
        finally:
            tools.reserve.keep()

    done = _with_tools(work)
    if as_json:
        typer.echo(json.dumps({"days": done.days, "events": done.events, "refused": done.refused}))
    else:
        typer.echo(f"Purged {done.days} day(s) with {done.events} event(s).")
    if done.refused is not None:
        typer.echo(f"error: {done.refused}", err=True)
        raise typer.Exit(1)


@app.command()
def hold(
    account: Account, *, reason: Annotated[str, typer.Option(help="Why, such as the number of a case.")]
) -> None:
    """Keep an account's events beyond 90 days, until the hold is released."""
    _with_tools(lambda tools: tools.holds.place(account, reason))
    typer.echo(f"Account {account} is on hold.")


@app.command()
def release(account: Account) -> None:
    """End a hold: what only the hold kept is deleted."""
    _with_tools(lambda tools: tools.holds.release(account))
    typer.echo(f"The hold on account {account} has ended.")


@app.command()
def holds(*, as_json: Json = False) -> None:
    """List the accounts on hold."""
    from lumio.kernel import clock

    found = _with_tools(lambda tools: tools.holds.all())
    if as_json:
        rows = [{"account": one.account_id, "reason": one.reason, "since": clock.rfc3339(one.since)} for one in found]
        typer.echo(json.dumps(rows))
        return
    for one in found:
        typer.echo(f"{one.account_id}  {clock.rfc3339(one.since)}  {one.reason}")
    if not found:
        typer.echo("No account is on hold.")


@app.command()
def erase(
    user: Annotated[str, typer.Argument(help="The id of the person.")],
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Erase label, address, user agent and detail from every event that names a person; the chain stays provable."""
    if not yes:
        typer.confirm(f"This cannot be undone. Erase what the log says of {user}?", abort=True)
    count = _with_tools(lambda tools: tools.erasure.of_person(user))
    typer.echo(f"Erased the personal fields of {count} event(s).")


def _verdict(settings: Settings, account: str | None, against: Path | None, exported: Path | None) -> "Verdict":
    from lumio.app.audit_tools import audit_tools
    from lumio.audit.export_check import check_export
    from lumio.audit.heads import HeadFile
    from lumio.audit.verdict import Outcome, Verdict
    from lumio.kernel.errors import LumioError

    async def work() -> Verdict:
        async with audit_tools(settings) as tools:
            if exported is not None:
                return check_export(exported, tools.notary.public_keys)
            if account is not None:
                return await tools.verification.account(account)
            return await tools.verification.everything(tools.heads if against is None else HeadFile(against))

    if not settings.root_secret_file.exists():  # a new root would call every signature false
        return Verdict(Outcome.UNREADABLE, f"There is no root secret at {settings.root_secret_file}.")
    try:
        return asyncio.run(work())
    except LumioError as error:
        return Verdict(Outcome.UNREADABLE, str(error.internal or error.public))
    except (OSError, ValueError) as error:
        return Verdict(Outcome.UNREADABLE, str(error))


def _with_tools(work: "Callable[[AuditTools], Awaitable[Answer]]") -> Answer:
    """Run `work`; what goes wrong ends the command with code 1 and its sentence."""
    from lumio.app.audit_tools import audit_tools
    from lumio.kernel.errors import LumioError

    settings = read_settings()

    async def run() -> Answer:
        async with audit_tools(settings) as tools:
            return await work(tools)

    try:
        return asyncio.run(run())
    except LumioError as error:
        typer.echo(f"error: {error.internal or error.public}", err=True)
    except (OSError, ValueError) as error:
        typer.echo(f"error: {error}", err=True)
    raise typer.Exit(1)
