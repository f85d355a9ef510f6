"""Developer keys, for GraphQL; the shapes are those of the models."""

from datetime import datetime
from typing import Annotated

import strawberry

from lumio.kernel import clock, paging
from lumio.keys.model import ListKeys
from lumio.keys.service import Keys
from lumio.surface.graph.call import Info, shown
from lumio.surface.graph.receipt import RevokedKey

KeyId = Annotated[strawberry.ID, strawberry.argument(name="id", description="Which key.")]
FIRST = ListKeys().limit


@strawberry.type
class Party:
    """A holder or a minter, by id and name."""

    id: strawberry.ID
    name: str


@strawberry.type
class ApiKey:
    """A developer key as lists show it; never its secret."""

    id: strawberry.ID
    label: str
    prefix: str
    lookup_id: str
    holder: Party
    minter: Party
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    last_used_ip: str | None
    age_days: int
    predecessor_id: strawberry.ID | None

    @strawberry.field
    @staticmethod
    def cursor(root: strawberry.Parent["ApiKey"]) -> str:
        """The value of `after` for the keys that come after this one."""
        return paging.encode(clock.to_micros(root.created_at), root.id)


@strawberry.type
class CreatedApiKey:
    """The only answer that carries the key itself."""

    id: strawberry.Private[str]
    key: str

    @strawberry.field
    async def api_key(self, info: Info) -> ApiKey | None:
        """The key as lists show it. Null when it cannot be read now, so that `key` is never lost with it."""
        call = info.context
        return shown(ApiKey, await call.perform(call.of(Keys).show, call.asker, {"id": self.id}))


@strawberry.type
class KeyQueries:
    """What can be asked of developer keys."""

    @strawberry.field
    async def api_keys(self, info: Info, first: int = FIRST, after: str | None = None) -> list[ApiKey]:
        """List the keys that are not revoked, the newest first; `first` is 1 to 200."""
        call = info.context
        page = await call.perform(call.of(Keys).list, call.asker, {"limit": first, "cursor": after})
        return shown(list[ApiKey], page.items)


@strawberry.type
class KeyMutations:
    """What can be done with developer keys."""

    @strawberry.mutation
    async def create_api_key(
        self,
        info: Info,
        label: str,
        expires_at: datetime | None = None,
        sub_account_id: strawberry.ID | None = None,
    ) -> CreatedApiKey:
        """Make a key; this answer alone carries it.

        Make one key per request: when another field of the same request fails, `data` is null, this key is made
        all the same, and its text is lost.
        """
        call = info.context
        form = {"label": label, "expires_at": expires_at, "sub_account_id": sub_account_id}
        return shown(CreatedApiKey, await call.perform(call.of(Keys).create, call.asker, form))

    @strawberry.mutation
    async def rotate_api_key(self, info: Info, key_id: KeyId) -> CreatedApiKey:
        """Make the successor of a key; the old one works until it is revoked. One per request, as when making one."""
        call = info.context
        return shown(CreatedApiKey, await call.perform(call.of(Keys).rotate, call.asker, {"id": key_id}))

    @strawberry.mutation
    async def revoke_api_key(self, info: Info, key_id: KeyId) -> RevokedKey:
        """End a key, for good."""
        call = info.context
        return shown(RevokedKey, await call.perform(call.of(Keys).revoke, call.asker, {"id": key_id}))
