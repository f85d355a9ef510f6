"""The receipt of a revocation, one GraphQL type for every kind of key."""

from datetime import datetime

import strawberry


@strawberry.type
class RevokedKey:
    """The receipt of a revocation; `effective` means that no node accepts the key any more."""

    id: strawberry.ID
    revoked_at: datetime
    seq: int
    effective: bool
