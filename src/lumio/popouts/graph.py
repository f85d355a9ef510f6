"""Popout tokens, for GraphQL; the shapes are those of the models."""

from datetime import datetime
from typing import Annotated

import strawberry

from lumio.kernel import clock, paging
from lumio.popouts.model import ListPopouts
from lumio.popouts.service import Popouts
from lumio.surface.graph.call import Info, shown
from lumio.surface.graph.receipt import RevokedKey

PopoutId = Annotated[strawberry.ID, strawberry.argument(name="id", description="Which popout token.")]
FIRST = ListPopouts().limit


@strawberry.type
class PopoutParty:
    """A member or a maker, by id and name."""

    id: strawberry.ID
    name: str


@strawberry.type
class PopoutToken:
    """A popout token as lists show it; never its secret. `member` is whose role it uses."""

    id: strawberry.ID
    label: str
    permissions: list[str]
    prefix: str
    lookup_id: str
    member: PopoutParty
    maker: PopoutParty
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    last_used_ip: str | None

    @strawberry.field
    @staticmethod
    def cursor(root: strawberry.Parent["PopoutToken"]) -> str:
        """The value of `after` for the popout tokens that come after this one."""
        return paging.encode(clock.to_micros(root.created_at), root.id)


@strawberry.type
class CreatedPopoutToken:
    """The only answer that carries the popout token itself."""

    id: strawberry.Private[str]
    secret: str = strawberry.field(name="token")

    @strawberry.field
    async def popout_token(self, info: Info) -> PopoutToken | None:
        """The popout token as lists show it. Null when it cannot be read now, so that `token` is not lost with it."""
        call = info.context
        return shown(PopoutToken, await call.perform(call.of(Popouts).show, call.asker, {"id": self.id}))


@strawberry.type
class PopoutQueries:
    """What can be asked of popout tokens."""

    @strawberry.field
    async def popout_tokens(self, info: Info, first: int = FIRST, after: str | None = None) -> list[PopoutToken]:
        """List the popout tokens that are not revoked, the newest first; `first` is 1 to 200."""
        call = info.context
        page = await call.perform(call.of(Popouts).list, call.asker, {"limit": first, "cursor": after})
        return shown(list[PopoutToken], page.items)


@strawberry.type
class PopoutMutations:
    """What can be done with popout tokens."""

    @strawberry.mutation
    async def create_popout_token(
        self,
        info: Info,
        label: str,
        permissions: list[str] | None = None,
        member_id: strawberry.ID | None = None,
        expires_at: datetime | None = None,
    ) -> CreatedPopoutToken:
        """Make a popout token, read-only unless permissions are named; this answer alone carries it.

        Make one per request: when another field of the same request fails, `data` is null, this popout token is
        made all the same, and its text is lost.
        """
        call = info.context
        chosen = {} if permissions is None else {"permissions": permissions}
        form = {"label": label, "member_id": member_id, "expires_at": expires_at, **chosen}
        return shown(CreatedPopoutToken, await call.perform(call.of(Popouts).create, call.asker, form))

    @strawberry.mutation
    async def update_popout_token(
        self, info: Info, popout_id: PopoutId, label: str | None = None, permissions: list[str] | None = None
    ) -> PopoutToken:
        """Change the label or the permissions; what is left out stays."""
        call = info.context
        given = {"id": popout_id, "label": label, "permissions": permissions}
        form = {name: value for name, value in given.items() if value is not None}
        return shown(PopoutToken, await call.perform(call.of(Popouts).update, call.asker, form))

    @strawberry.mutation
    async def delete_popout_token(self, info: Info, popout_id: PopoutId) -> RevokedKey:
        """End a popout token, for good."""
        call = info.context
        return shown(RevokedKey, await call.perform(call.of(Popouts).delete, call.asker, {"id": popout_id}))
