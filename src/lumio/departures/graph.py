"""Departures, for GraphQL; the shapes are those of the models. Everything is about the active account."""

from datetime import datetime
from typing import Annotated

import strawberry

from lumio.departures.service import Departures
from lumio.keys.graph import ApiKey
from lumio.popouts.graph import PopoutToken
from lumio.surface.graph.call import Info, shown
from lumio.teams.graph import Member

MemberId = Annotated[strawberry.ID, strawberry.argument(name="id", description="Which member.")]
SubAccountId = Annotated[strawberry.ID, strawberry.argument(name="id", description="Which sub-account.")]


@strawberry.type
class Departure:
    """What a removal would end: keys and popout tokens that the member holds, and those that they made."""

    member: Member
    api_keys: list[ApiKey]
    popout_tokens: list[PopoutToken]


@strawberry.type
class Departed:
    """The receipt of a departure; `effective` means that no node accepts what ended any more."""

    id: strawberry.ID
    removed_at: datetime
    api_keys: int
    popout_tokens: int
    seq: int
    effective: bool


@strawberry.type
class DepartureQueries:
    """What can be asked of departures."""

    @strawberry.field
    async def departure(self, info: Info, member_id: MemberId) -> Departure:
        """Show what the removal of a member would end."""
        call = info.context
        return shown(Departure, await call.perform(call.of(Departures).plan, call.asker, {"id": member_id}))


@strawberry.type
class DepartureMutations:
    """What changes or ends a membership."""

    @strawberry.mutation
    async def update_member_role(self, info: Info, member_id: MemberId, role: str) -> Member:
        """Give a member another role; their keys act with it at once."""
        call = info.context
        form = {"id": member_id, "role": role}
        return shown(Member, await call.perform(call.of(Departures).change_role, call.asker, form))

    @strawberry.mutation
    async def remove_member(self, info: Info, member_id: MemberId) -> Departed:
        """Remove a person from the account, with everything that the plan shows."""
        call = info.context
        return shown(Departed, await call.perform(call.of(Departures).remove, call.asker, {"id": member_id}))

    @strawberry.mutation
    async def leave_account(self, info: Info) -> Departed:
        """Leave the account oneself; the session ends with it."""
        call = info.context
        return shown(Departed, await call.perform(call.of(Departures).leave, call.asker, {}))

    @strawberry.mutation
    async def delete_sub_account(self, info: Info, sub_account_id: SubAccountId) -> Departed:
        """Delete a sub-account; its keys die with it."""
        call = info.context
        form = {"id": sub_account_id}
        return shown(Departed, await call.perform(call.of(Departures).delete_sub_account, call.asker, form))
