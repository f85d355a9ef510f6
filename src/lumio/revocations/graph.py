"""Revocations, for GraphQL; the shapes are those of the models."""

from datetime import datetime

import strawberry

from lumio.revocations.service import Revocations
from lumio.surface.graph.call import Info, shown


@strawberry.type
class RevokedSubject:
    """What was ended or changed; a `role` has the id `<account>,<user>`."""

    kind: str
    id: strawberry.ID


@strawberry.type
class RevocationNode:
    """How far one node has come. `leaseUntil` is by that node's own clock, null where none is needed or held."""

    node_id: strawberry.ID
    region: str
    applied_seq: int
    applied_at: datetime
    lease_until: datetime | None


@strawberry.type
class Revocation:
    """What became of a revocation; `effective` means that no node accepts its subject any more."""

    seq: int
    subject: RevokedSubject
    revoked_at: datetime
    effective: bool
    nodes: list[RevocationNode]


@strawberry.type
class RevocationQueries:
    """What can be asked of revocations."""

    @strawberry.field
    async def revocation(self, info: Info, seq: int) -> Revocation:
        """Show node by node whether a revocation is refused everywhere."""
        call = info.context
        return shown(Revocation, await call.perform(call.of(Revocations).show, call.asker, {"seq": seq}))
