"""`me`, for GraphQL; the shapes are those of the models."""

import strawberry

from lumio.accounts.service import Accounts
from lumio.surface.graph.call import Info, shown


@strawberry.type
class User:
    """A person as others see them."""

    id: strawberry.ID
    email: str
    display_name: str


@strawberry.type
class Account:
    """A developer account."""

    id: strawberry.ID
    slug: str
    name: str


@strawberry.type
class Me:
    """The principal of the request: who is asking, where, with which rights right now."""

    kind: str
    label: str
    user: User | None
    account: Account | None
    role: str | None
    permissions: list[str]
    credential_id: strawberry.ID | None


@strawberry.type
class AccountQueries:
    """What can be asked of accounts."""

    @strawberry.field
    async def me(self, info: Info) -> Me:
        """Show the principal of the request."""
        call = info.context
        return shown(Me, await call.perform(call.of(Accounts).me, call.asker))
