"""Shapes of revocations: the only schema of them, for every surface."""

from datetime import datetime

from msgspec import Struct


class RevocationChoice(Struct, frozen=True, forbid_unknown_fields=True):
    """Input: the number that a receipt gave."""

    seq: int


class RevokedSubject(Struct, frozen=True):
    """What was ended or changed; a `role` has the id `<account>,<user>`."""

    kind: str
    id: str


class NodeView(Struct, frozen=True):
    """How far one node has come. `lease_until` is by that node's own clock, null where none is needed or held."""

    node_id: str
    region: str
    applied_seq: int
    applied_at: datetime
    lease_until: datetime | None


class RevocationView(Struct, frozen=True):
    """What became of a revocation; `effective` means that no node accepts its subject any more."""

    seq: int
    subject: RevokedSubject
    revoked_at: datetime
    effective: bool
    nodes: list[NodeView]
