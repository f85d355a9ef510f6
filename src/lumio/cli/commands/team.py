"""`lumio team`: who is in the account, and what changes it.

Promise: nobody is removed unless exactly one member was meant, what ends with them was shown, and somebody said yes.
"""

from typing import Annotated, Any, Literal

import typer

from lumio.cli.errors import CommandError
from lumio.cli.ids import segment
from lumio.cli.light import LightCommand, LightGroup
from lumio.cli.options import command
from lumio.cli.pages import listed
from lumio.cli.refusals import TEAM_PAGE, Advice
from lumio.cli.run import Run

app = typer.Typer(cls=LightGroup, no_args_is_help=True, help="The team of the account.")

_LIMIT = 10_000
MemberName = Annotated[str, typer.Argument(metavar="MEMBER", help="Mail address, name or id.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


def _home(run: Run) -> str:
    """Return the address of the account that the key acts in."""
    me = run.client.get("/v1/users/me").content()
    account = me.get("account") if isinstance(me, dict) else None
    account_id = account.get("id") if isinstance(account, dict) else None
    return f"/v1/accounts/{segment(str(account_id or ''), 'an account')}"


def _mail(member: dict[str, Any]) -> str:
    user = member.get("user")
    return str(user.get("email", "")) if isinstance(user, dict) else ""


def _find(run: Run, home: str, wanted: str) -> dict[str, Any]:
    """Return the one member with this mail address, name or id."""
    folded = wanted.casefold()
    fitting = [
        one
        for one in listed(run.client, f"{home}/members", _LIMIT)
        if one.get("id") == wanted or folded in {_mail(one).casefold(), str(one.get("name", "")).casefold()}
    ]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        why = f"{len(fitting)} members have this name"
        raise CommandError(f"{wanted} is not clear", why, "Use the mail address or the id", code="ambiguous")
    raise CommandError(f"There is no member {wanted}", "", "lumio team list shows them", code="not_found")


def _refused(what: str) -> dict[int, Advice]:
    return {403: Advice(what, "", "An Owner or an Admin can, below their own role", page=TEAM_PAGE)}


@app.command("list", cls=LightCommand)
@command
def list_members(run: Run) -> None:
    """Show everybody in the account, people and sub-accounts."""
    members = listed(run.client, f"{_home(run)}/members", _LIMIT)
    if run.out.as_json:
        run.out.json({"members": members})
        return
    rows = [
        [one.get("id"), one.get("name"), _mail(one), one.get("role"), one.get("kind"), one.get("joined_at")]
        for one in members
    ]
    run.out.table(("ID", "NAME", "MAIL ADDRESS", "ROLE", "KIND", "JOINED"), rows)


@app.command("invite", cls=LightCommand)
@command
def invite(
    run: Run,
    email: Annotated[str, typer.Argument(metavar="MAIL", help="Where the invitation goes.")],
    role: Annotated[Literal["admin", "member"], typer.Option("--role", help="The role they join with.")] = "member",
) -> None:
    """Mail an invitation: it works once, for 7 days, for this address only."""
    body = {"email": email, "role": role}
    made = run.client.post(f"{_home(run)}/invites", body, _refused(f"{email} was not invited")).content()
    if run.out.as_json:
        run.out.json(made)
        return
    run.out.note(f"An invitation as {role} is on its way to {email}")
    run.out.line(made.get("id"), "invited")


@app.command("role", cls=LightCommand)
@command
def change_role(
    run: Run,
    member: MemberName,
    role: Annotated[Literal["owner", "admin", "member"], typer.Argument(help="The new role.")],
) -> None:
    """Give a member another role; their keys act with it at once."""
    home = _home(run)
    found = _find(run, home, member)
    path = f"{home}/members/{segment(str(found.get('id', '')), 'a member')}"
    name = found.get("name")
    changed = run.client.patch(path, {"role": role}, _refused(f"The role of {name} was not changed")).content()
    if run.out.as_json:
        run.out.json(changed)
        return
    run.out.note(f"{name} is {role} now")
    run.out.line(found.get("id"), role)


def _plan(run: Run, home: str, member_id: str) -> dict[str, Any]:
    explain = _refused("What this member leaves behind was not shown")
    plan = run.client.get(f"{home}/members/{member_id}/departure", explain=explain).content()
    return plan if isinstance(plan, dict) else {}


def _rows(plan: dict[str, Any]) -> list[list[object]]:
    kinds = (("developer key", "api_keys"), ("popout token", "popout_tokens"))
    return [
        [
            kind,
            one.get("label"),
            f"{one.get('prefix', '')}{one.get('lookup_id', '')}",
            one.get("last_used_at") or "never",
            one.get("last_used_ip") or "",
        ]
        for kind, member in kinds
        for one in plan.get(member) or []
        if isinstance(one, dict)
    ]


@app.command("departure", cls=LightCommand)
@command
def departure(run: Run, member: MemberName) -> None:
    """Show what the removal of a member would end."""
    home = _home(run)
    found = _find(run, home, member)
    plan = _plan(run, home, segment(str(found.get("id", "")), "a member"))
    if run.out.as_json:
        run.out.json(plan)
        return
    run.out.table(("WHAT", "LABEL", "STARTS WITH", "LAST USED", "FROM"), _rows(plan))


@app.command("remove", cls=LightCommand)
@command
def remove(run: Run, member: MemberName, yes: Yes = False) -> None:
    """Remove a member with every key and popout token that they made; shows these first."""
    home = _home(run)
    found = _find(run, home, member)
    member_id = segment(str(found.get("id", "")), "a member")
    rows = _rows(_plan(run, home, member_id))
    name = _mail(found) or found.get("name")
    for kind, label, _, used, source in rows:
        run.out.note(f"Ends: {kind} {label}, last used {used}" + (f" from {source}" if source else ""))
    run.confirm(f"Remove {name}, and end {len(rows)} key(s) and popout token(s)? It cannot be undone.", yes=yes)
    what = "sub-accounts" if found.get("kind") == "sub_account" else "members"
    explain = _refused(f"{name} was not removed")
    gone = run.client.delete(f"{home}/{what}/{member_id}", explain).content()
    if run.out.as_json:
        run.out.json(gone)
        return
    run.out.line(member_id, "removed")
