"""`lumio login`, `logout`, `whoami`: who the command line acts as.

Promise: a key is stored only after it was tested here and accepted by the server, and it is never shown.
"""

from typing import Annotated, Any

import typer

from lumio.cli import credentials, profiles
from lumio.cli.credentials import Credential
from lumio.cli.errors import CommandError, usage_error
from lumio.cli.ids import segment
from lumio.cli.options import command, key_from_prompt, key_from_stdin
from lumio.cli.refusals import KEYS_PAGE
from lumio.cli.run import Run
from lumio.cli.shape import check_developer_key
from lumio.kernel import clock

_ARGUMENTS_ARE_SEEN = (
    "Note: arguments land in the shell's history and in process lists."
    " Next time: lumio login --with-token < key.txt, or lumio login alone"
)


def principal(run: Run) -> dict[str, Any]:
    """Ask the server who the key in use is."""
    answer = run.client.get("/v1/users/me")
    content = answer.content()
    return content if isinstance(content, dict) else answer.object()


def _account(me: dict[str, Any]) -> str:
    account = me.get("account")
    if not isinstance(account, dict):
        return ""
    name, slug = account.get("name") or "", account.get("slug") or ""
    return f"{name} ({slug})" if name and slug else str(name or slug)


def _standing(me: dict[str, Any]) -> str:
    role = str(me.get("role") or "")
    return ", ".join(part for part in (_account(me), role.title()) if part)


def _sign_in(me: dict[str, Any], place: str) -> profiles.SignIn:
    return profiles.SignIn(
        kept_in=place,
        label=str(me.get("label") or ""),
        kind=str(me.get("kind") or ""),
        account=_account(me),
        role=str(me.get("role") or ""),
        signed_in_at=clock.rfc3339(clock.now()),
    )


def _given_key(run: Run, *, with_stdin: bool) -> str:
    """Return the key to sign in with: `--token KEY`, stdin, or a hidden prompt."""
    given = run.options.key
    if with_stdin:
        if given is not None:
            what = "--token and --with-token exclude each other"
            raise usage_error(what, next_step="Use one of them")
        return key_from_stdin()
    if given not in {None, "", "-"} and run.interactive:
        run.out.note(_ARGUMENTS_ARE_SEEN)
    if given is None and run.interactive:
        run.out.note(f"Make a key at {run.origin}{KEYS_PAGE} and paste it here. It will not be shown")
        return key_from_prompt()
    return run.read_key()


def _refuse_while_variable_rules(run: Run) -> None:
    if run.around.key is not None:
        raise CommandError(
            "You were not signed in",
            "LUMIO_TOKEN is set and would win over the stored key",
            "Unset it first: unset LUMIO_TOKEN",
            code="variable_set",
        )


@command
def login(
    run: Run,
    with_token: Annotated[bool, typer.Option("--with-token", help="Read the key from stdin.")] = False,
) -> None:
    """Sign in with a developer key and keep it. Without options it asks for the key, hidden."""
    _refuse_while_variable_rules(run)
    key = _given_key(run, with_stdin=with_token)
    check_developer_key(key, "What was given")
    run.check_destination(Credential(key, "login", bound=False))
    run.client = run.client_with(key)
    run.credential = Credential(key, "login")
    me = principal(run)
    place = credentials.store(run.profile, run.origin, key)
    profiles.remember(run.profile, run.origin, _sign_in(me, place))
    if run.out.as_json:
        run.out.json({**me, "server": run.origin, "profile": run.profile, "kept_in": place})
        return
    where = "the system's keyring" if place == "keyring" else str(credentials.credential_path())
    run.out.note(f"The key is kept in {where}")
    run.out.line(f"Signed in to {run.origin} as {me.get('label')} ({_standing(me)})")


def _revoke_stored(run: Run, *, yes: bool) -> None:
    stored = credentials.load(run.profile, run.origin)
    if stored is None:
        what = f"Profile {run.profile} has no key for {run.origin}"
        raise CommandError(what, next_step="lumio keys list shows the keys you can revoke", code="not_signed_in")
    run.credential = stored
    me = principal(run)
    key_id = segment(str(me.get("credential_id") or ""), "a key")
    run.confirm(f"Revoke the key {me.get('label')}? It cannot be undone.", yes=yes)
    run.client.delete(f"/v1/api-keys/{key_id}")
    run.out.note(f"The key {me.get('label')} is revoked")


@command
def logout(
    run: Run,
    revoke: Annotated[bool, typer.Option("--revoke", help="Revoke the stored key too: final.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Forget the stored key."""
    if revoke:
        _revoke_stored(run, yes=yes)
    removed = credentials.remove(run.profile, run.origin)
    if run.out.as_json:
        run.out.json({"signed_out": removed, "server": run.origin, "profile": run.profile})
    else:
        told = "Signed out of" if removed else "You were not signed in to"
        run.out.line(f"{told} {run.origin} (profile {run.profile})")
    if run.around.key:
        run.out.note("LUMIO_TOKEN is still set and goes on being used")


def _facts(run: Run, me: dict[str, Any], source: str) -> None:
    user = me.get("user")
    run.out.facts(
        [
            ("label", me.get("label")),
            ("kind", me.get("kind")),
            ("user", user.get("email") if isinstance(user, dict) else None),
            ("account", _account(me)),
            ("role", str(me.get("role") or "").title()),
            ("server", run.origin),
            ("source", source),
        ]
    )


def _stored_answer(run: Run) -> dict[str, Any]:
    """Return what is known without asking the server."""
    sign_in = profiles.find(run.profile, run.origin)
    if run.around.key or run.options.key is not None or sign_in is None:
        return {}
    return {
        "label": sign_in.label,
        "kind": sign_in.kind,
        "account": {"name": sign_in.account},
        "role": sign_in.role,
        "signed_in_at": sign_in.signed_in_at,
    }


def _source(run: Run) -> str:
    """Name where the key comes from without opening a keyring."""
    if run.options.key is None and not run.around.key:
        sign_in = profiles.find(run.profile, run.origin)
        if sign_in is not None and sign_in.kept_in == "keyring":
            return credentials.described(run.profile, "keyring")
    return run.signed_in().source


def _show(run: Run, me: dict[str, Any], source: str, *, verified: bool) -> None:
    if run.out.as_json:
        extra = {"server": run.origin, "profile": run.profile, "source": source, "verified": verified}
        run.out.json({**me, **extra})
    else:
        _facts(run, me, source)


def _knock(run: Run) -> None:
    """Find out that nobody is there before the client is loaded; a proxy would answer for the server."""
    if not run.around.proxied:
        from lumio.cli.reach import knock

        knock(run.origin)


@command
def whoami(
    run: Run,
    offline: Annotated[bool, typer.Option("--offline", help="Say what is stored; ask no server.")] = False,
) -> None:
    """Show who you act as, where, and where the key comes from."""
    source = _source(run)
    if offline:
        _show(run, _stored_answer(run), source, verified=False)
        return
    run.signed_in()
    try:
        _knock(run)
        me = principal(run)
    except CommandError as error:
        if error.code == "unreachable":
            _show(run, _stored_answer(run), source, verified=False)
        raise
    _show(run, me, source, verified=True)
