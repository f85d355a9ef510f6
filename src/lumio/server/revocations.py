"""`lumio-server revocations`: hold the database against the journal, and confirm what a restore left in doubt."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from lumio.server.options import Json, read_settings, told

if TYPE_CHECKING:
    from lumio.accounts.withholding import Withheld
    from lumio.app.staff import Staff
    from lumio.authority.reconciliation import Reconciled
    from lumio.authority.subjects import Subject

Answer = TypeVar("Answer")
NOUNS = {
    "key": "key(s) ended", "session": "session(s) ended", "popout": "popout token(s) ended",
    "all": "thing(s) ended with everything",
    "role": "membership(s) withheld", "user": "person(s) withheld", "account": "account(s) withheld",
}  # fmt: skip
app = typer.Typer(
    name="revocations", help="After a restore: reconcile, list, confirm.", no_args_is_help=True, rich_markup_mode=None
)


@app.callback()
def revocations() -> None:
    """After a restore: reconcile, list, confirm."""


@app.command()
def reconcile(*, as_json: Json = False) -> None:
    """Hold the database against the journal of revocations, and do again what it lacks; `serve` does so too."""

    async def work(staff: "Staff") -> "Reconciled":
        return staff.reconciled

    found = _with_staff(work)
    if as_json:
        typer.echo(json.dumps({"lost": found.lost, "epoch": found.epoch, "again": dict(found.changed)}))
    else:
        typer.echo(sentence(found))


@app.command("list")
def list_withheld(*, as_json: Json = False) -> None:
    """List what gives nobody a right until it is confirmed, and who confirms it."""
    found = _with_staff(lambda staff: staff.units.read(staff.services.withholding.all))
    if as_json:
        typer.echo(json.dumps([_shown(one) for one in found]))
        return
    for one in found:
        typer.echo(f"{one.subject}  lost: {one.reason}, {one.lost_at:%Y-%m-%d %H:%M} UTC  confirms: {_who(one)}")
        for member in one.members:
            typer.echo(f"    {member.name}, {member.role} in {member.account_name}")
    if not found:
        typer.echo("Nothing is withheld.")


@app.command()
def confirm(
    subjects: Annotated[list[str] | None, typer.Argument(help="As `revocations list` names them.")] = None,
    *,
    everything: Annotated[bool, typer.Option("--all", help="All that is withheld.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: Json = False,
) -> None:
    """Let accounts, people and memberships count again, with the rights that the restored database gives them."""
    named = [_subject(one) for one in subjects or []]
    if bool(named) == everything:
        typer.echo("error: name subjects, or say --all", err=True)
        raise typer.Exit(2)
    if not yes:
        what = "All that is withheld" if everything else ", ".join(map(str, named))
        typer.confirm(f"{what} will have the rights of the backup. Go on?", abort=True)
    done = _with_staff(lambda staff: _confirm(staff, None if everything else named))
    if as_json:
        typer.echo(json.dumps({"confirmed": done}))
    else:
        typer.echo("\n".join(f"Confirmed {one}." for one in done) or "Nothing is withheld.")


def sentence(found: "Reconciled") -> str:
    """Say in words what a look at the journal came to."""
    if not found.lost:
        return "Nothing is missing: the database has every revocation that was noted."
    done = ", ".join(f"{count} {NOUNS.get(kind, kind)}" for kind, count in found.changed.items())
    return f"The database lacked {found.lost} revocation(s); done again: {done}. Epoch {found.epoch} begins."


async def _confirm(staff: "Staff", wanted: "list[Subject] | None") -> list[str]:
    withholding = staff.services.withholding
    if wanted is None:
        wanted = [one.subject for one in await staff.units.read(withholding.all)]
    for subject in wanted:
        await staff.units.run(partial(withholding.confirm_as_operator, authority=staff.authority, subject=subject))
    return [str(subject) for subject in wanted]


def _subject(text: str) -> "Subject":
    from lumio.authority.subjects import Subject

    kind, _, name = text.partition(":")
    if kind not in {"role", "user", "account"} or not name:
        typer.echo(f"error: {text!r} is none of the subjects that `revocations list` shows", err=True)
        raise typer.Exit(2)
    return Subject(kind, name)  # type: ignore[arg-type]  # one of the three


def _who(one: "Withheld") -> str:
    return "an Owner, or you" if one.subject.kind == "role" else "you"


def _shown(one: "Withheld") -> dict[str, object]:
    from lumio.kernel import clock

    members = [{name: getattr(member, name) for name in member.__struct_fields__} for member in one.members]
    return {
        "subject": str(one.subject), "since": clock.rfc3339(one.since), "lost_at": clock.rfc3339(one.lost_at),
        "actor": one.actor, "reason": one.reason, "members": members,
    }  # fmt: skip


def _with_staff(work: "Callable[[Staff], Awaitable[Answer]]") -> Answer:
    """Run `work`; what goes wrong ends the command with code 1 and its sentence."""
    from lumio.app import at_work

    settings = read_settings()

    async def run() -> Answer:
        async with at_work(settings) as staff:
            return await work(staff)

    with told():
        return asyncio.run(run())
