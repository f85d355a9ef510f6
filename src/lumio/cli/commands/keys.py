"""`lumio keys`: see the developer keys of the account, revoke one.

Promise: nothing is revoked unless exactly one key was meant and somebody said yes.
"""

from typing import Annotated, Any

import typer

from lumio.cli.errors import CommandError
from lumio.cli.hints import ROTATE_AFTER_DAYS
from lumio.cli.ids import segment
from lumio.cli.light import LightCommand, LightGroup
from lumio.cli.options import command
from lumio.cli.pages import listed
from lumio.cli.refusals import Advice
from lumio.cli.run import Run
from lumio.crypto import opaque

app = typer.Typer(cls=LightGroup, no_args_is_help=True, help="Developer keys of the account.")

_PATH = "/v1/api-keys"
_LIMIT = 10_000
_START = opaque.PREFIX_LENGTH + opaque.LOOKUP_LENGTH
_WAIT_SECONDS = 10
_BOUND = "each node refuses it within 30 seconds, or serves nothing"


def _all_keys(run: Run) -> list[dict[str, Any]]:
    return listed(run.client, _PATH, _LIMIT)


def _start_of(item: dict[str, Any]) -> str:
    """Return the recognisable start of a key: prefix and lookup id."""
    return f"{opaque.DEVELOPER_KEY}{item.get('lookup_id', '')}"


def _age(item: dict[str, Any]) -> str:
    days = item.get("age_days")
    if not isinstance(days, int):
        return ""
    return f"{days} days (rotate)" if days > ROTATE_AFTER_DAYS else f"{days} days"


def _person(value: object) -> object:
    """Return the readable name of a holder or minter."""
    if not isinstance(value, dict):
        return value
    return next((value[name] for name in ("label", "email", "display_name", "name", "id") if value.get(name)), "")


def _row(item: dict[str, Any]) -> list[object]:
    maker, used = _person(item.get("minter")), item.get("last_used_at") or "never"
    return [
        item.get("id"),
        item.get("label"),
        _start_of(item),
        maker,
        item.get("created_at"),
        used,
        _age(item),
    ]


@app.command("list", cls=LightCommand)
@command
def list_keys(run: Run) -> None:
    """Show the keys you may see."""
    keys = _all_keys(run)
    if run.out.as_json:
        run.out.json({"keys": keys})
        return
    run.out.table(
        ("ID", "LABEL", "STARTS WITH", "MADE BY", "CREATED", "LAST USED", "AGE"),
        [_row(item) for item in keys],
    )


def _find(run: Run, wanted: str) -> dict[str, Any]:
    """Return the one key with this id, label or start; of a whole key only the start is looked at."""
    start = wanted[:_START] if wanted.startswith(opaque.DEVELOPER_KEY) else None
    fitting = [
        item
        for item in _all_keys(run)
        if wanted in {item.get("id"), item.get("label")} or (start is not None and start == _start_of(item))
    ]
    if len(fitting) == 1:
        return fitting[0]
    name = start or wanted
    if fitting:
        why = f"{len(fitting)} keys have this label"
        raise CommandError(f"{name} is not clear", why, "Use the id from lumio keys list", code="ambiguous")
    raise CommandError(f"There is no key {name} that you may see", "", "lumio keys list shows them", code="not_found")


def _reach(receipt: Any, waited: int) -> tuple[str, str]:
    """Return how far a revocation has come by the server's own word: for a script, and as the end of a sentence."""
    effective = receipt.get("effective") if isinstance(receipt, dict) else None
    if effective is True:
        return "everywhere", ", and no node accepts it any more"
    if effective is False:
        seconds = f"; after {waited} s not every node has confirmed it" if waited else "; the nodes are being told"
        return "not-everywhere-yet", f"{seconds}: {_BOUND}"
    return "", f"; {_BOUND}"


@app.command("revoke", cls=LightCommand)
@command
def revoke_key(
    run: Run,
    key: Annotated[
        str, typer.Argument(metavar="KEY", help="Its id, its label, or how it starts (lm_dev_ and 12 more).")
    ],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    no_wait: Annotated[
        bool, typer.Option("--no-wait", help="Do not wait, 10 s at most, until it is refused everywhere.")
    ] = False,
) -> None:
    """Revoke a key: final, and everywhere within 30 seconds."""
    item = _find(run, key)
    label, key_id = item.get("label"), segment(str(item.get("id", "")), "a key")
    own = _start_of(item) == run.signed_in().key[:_START]
    about = " It is the key in use here." if own else ""
    run.confirm(f"Revoke {label} ({_start_of(item)}…)? It cannot be undone.{about}", yes=yes)
    explain = {403: Advice(f"The key {label} was not revoked", "", "Its maker, an Owner or an Admin can revoke it")}
    seconds = 0 if no_wait else _WAIT_SECONDS
    revoked = run.client.delete(f"{_PATH}/{key_id}", explain, wait=seconds).content()
    if run.out.as_json:
        run.out.json(revoked)
        return
    word, reach = _reach(revoked, seconds)
    run.out.note(f"The key {label} is revoked{reach}" + (". Sign in with another one: lumio login" if own else ""))
    run.out.line(key_id, "revoked", *filter(None, (word,)))
