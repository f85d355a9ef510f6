"""System keys, for GraphQL; the shapes are those of the models."""

from datetime import datetime
from typing import Annotated

import strawberry

from lumio.surface.graph.call import Info, shown
from lumio.surface.graph.receipt import RevokedKey
from lumio.system_keys.listing import every
from lumio.system_keys.service import SystemKeys

SystemKeyId = Annotated[strawberry.ID, strawberry.argument(name="id", description="Which key.")]


@strawberry.type
class SystemKey:
    """A system key as lists show it; never any part of the key itself."""

    id: strawberry.ID
    label: str
    permissions: list[str]
    created_at: datetime
    last_used_at: datetime | None


@strawberry.type
class CreatedSystemKey:
    """The only answer that carries the key itself; `warnings` are sentences for people."""

    key: str
    system_key: SystemKey
    warnings: list[str]


@strawberry.type
class SystemKeyQueries:
    """What can be asked of system keys."""

    @strawberry.field
    async def admin_system_keys(self, info: Info) -> list[SystemKey]:
        """List the system keys, the newest first."""
        call = info.context
        return shown(list[SystemKey], await every(call.perform, call.of(SystemKeys), call.asker))


@strawberry.type
class SystemKeyMutations:
    """What can be done with system keys."""

    @strawberry.mutation
    async def admin_create_system_key(self, info: Info, label: str, profile: str | None = None) -> CreatedSystemKey:
        """Make a key with the permissions of a profile; this answer alone carries it. One per request."""
        call = info.context
        form = {"label": label} | ({} if profile is None else {"profile": profile})
        made = await call.perform(call.of(SystemKeys).create, call.asker, form)
        fresh = SystemKey(
            id=strawberry.ID(made.id),
            label=made.label,
            permissions=made.permissions,
            created_at=made.created_at,
            last_used_at=None,
        )
        return CreatedSystemKey(key=made.key, system_key=fresh, warnings=made.warnings)

    @strawberry.mutation
    async def admin_delete_system_key(self, info: Info, key_id: SystemKeyId) -> RevokedKey:
        """End a key by deleting its row, for good."""
        call = info.context
        return shown(RevokedKey, await call.perform(call.of(SystemKeys).revoke, call.asker, {"id": key_id}))
