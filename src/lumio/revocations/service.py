"""Looking at what became of a revocation.

Promise: whoever neither made it nor may read all of them learns nothing, not even that there is one.
"""

from lumio.access import guard
from lumio.access.action import action
from lumio.access.context import Context
from lumio.authority.subjects import NodeProgress
from lumio.kernel.errors import NotFound
from lumio.revocations.model import NodeView, RevocationChoice, RevocationView, RevokedSubject

READS_ALL = "revocations:read"
"""A right of services alone: no person holds it."""
NUMBERS_END = 2**63


class Revocations:
    """Revocations by their number."""

    @action("revocations.show", signed_in=True)
    async def show(self, context: Context, form: RevocationChoice) -> RevocationView:
        """Return what became of one, to the one who made it and to those who may read all of them."""
        if not 0 < form.seq < NUMBERS_END:
            raise NotFound
        found = await context.authority.progress(context.view, form.seq)
        if found is None or not (_made_it(context, found.entry.ending.actor) or _reads_all(context)):
            raise NotFound
        subject = found.entry.ending.subject
        return RevocationView(
            seq=found.entry.seq,
            subject=RevokedSubject(subject.kind, subject.id),
            revoked_at=found.entry.at,
            effective=found.effective,
            nodes=[_node(one) for one in found.nodes if not _has_left(one, found.entry.seq)],
        )


def _has_left(one: NodeProgress, seq: int) -> bool:
    """Tell whether a node said goodbye before it knew the number: it holds no lease, and serves nobody."""
    return one.lease_until is None and one.applied_seq < seq


def _made_it(context: Context, actor: str) -> bool:
    return context.principal.actor.id == actor


def _reads_all(context: Context) -> bool:
    return READS_ALL in guard.effective(context.principal, context.held)


def _node(one: NodeProgress) -> NodeView:
    return NodeView(one.node_id, one.region, one.applied_seq, one.applied_at, one.lease_until)
