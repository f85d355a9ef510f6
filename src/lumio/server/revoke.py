"""`lumio-server revoke --all`: end everything that was ever issued, at once and for good.

Promise: what was issued before its commit works nowhere afterwards, and what is issued later works.
"""

import asyncio
import json
from typing import TYPE_CHECKING, Annotated

import typer

from lumio.server.options import Json, read_settings, told
from lumio.settings import Settings

if TYPE_CHECKING:
    from lumio.app.endings import Ended
    from lumio.app.staff import Staff
    from lumio.authority.subjects import NodeProgress, Progress

NOUNS = {
    "api_keys": "developer key(s)", "system_keys": "system key(s)", "popout_tokens": "popout token(s)",
    "sessions": "session(s)",
}  # fmt: skip
PATIENCE_SECONDS = 60.0
LOOK_SECONDS = 0.25
LONGEST_WAIT = 60.0
"""Seconds: beyond the longest lease that is allowed, so that the barrier ends the wait and not this."""


def revoke(
    *,
    everything: Annotated[bool, typer.Option("--all", help="Everything: it is the only thing to say here.")] = False,
    reason: Annotated[str, typer.Option(help="Why, for the audit log.")] = "revoke --all",
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: Json = False,
) -> None:
    """End every key, popout token and session issued until now."""
    if not everything:
        typer.echo("error: say --all; a single key is revoked on its page or with `lumio keys revoke`", err=True)
        raise typer.Exit(2)
    settings = read_settings()
    if not yes:
        question = "Every key, popout token and session of everybody ends now, for good; people sign in anew. Go on?"
        typer.confirm(question, abort=True)
    with told():
        asyncio.run(_revoke(settings, reason[:200], as_json=as_json))


async def _revoke(settings: Settings, reason: str, *, as_json: bool) -> None:
    from lumio.app import at_work

    async with at_work(settings) as staff:
        ended = await staff.units.run(
            lambda unit: staff.services.endings.everything(unit, staff.authority, reason), PATIENCE_SECONDS
        )
        if not as_json:
            counts = ", ".join(f"{ended.counts[name]} {noun}" for name, noun in NOUNS.items())
            typer.echo(f"Ended {counts} in {ended.accounts} account(s); number {ended.receipt.seq} of the feed.")
        progress = await _watch(staff, ended.receipt.seq, quiet=as_json)
    if as_json:
        _print_json(ended, progress)
        return
    for node in progress.nodes:
        if node.applied_seq < ended.receipt.seq:
            typer.echo(f"  {_name(node)}: silent; it has no lease any more, and serves nobody")
    typer.echo("Nothing of it is accepted anywhere." if progress.effective else "Some nodes may still accept it.")
    if not progress.effective:
        raise typer.Exit(1)


async def _watch(staff: "Staff", seq: int, *, quiet: bool) -> "Progress":
    """Wait until no node accepts what ended; print each that knows it, as it comes to know it."""
    from lumio.kernel import clock

    until, seen = clock.monotonic() + LONGEST_WAIT, set[str]()
    while True:
        progress = await staff.units.read(lambda view: staff.authority.progress(view, seq))
        assert progress is not None  # noqa: S101 - the row is committed
        for node in progress.nodes:
            if node.applied_seq >= seq and node.node_id not in seen:
                seen.add(node.node_id)
                if not quiet:
                    typer.echo(f"  {_name(node)}: refuses it")
        if progress.effective or clock.monotonic() > until:
            return progress
        await asyncio.sleep(LOOK_SECONDS)


def _name(node: "NodeProgress") -> str:
    return f"node {node.node_id} in {node.region}"


def _print_json(ended: "Ended", progress: "Progress") -> None:
    seq = ended.receipt.seq
    serving = [one for one in progress.nodes if one.lease_until is not None or one.applied_seq >= seq]
    nodes = [{"node_id": one.node_id, "region": one.region, "applied_seq": one.applied_seq} for one in serving]
    counts = {**ended.counts, "accounts": ended.accounts}
    typer.echo(json.dumps({"seq": seq, "effective": progress.effective, "ended": counts, "nodes": nodes}))
