"""Leaving `/v1/accounts/{id}`: members that change or go, sub-accounts and accounts that end."""

from typing import Any

from litestar import Controller, Response, delete, get, patch
from litestar.di import NamedDependency
from litestar.params import FromPath

from lumio.access.perform import Perform
from lumio.departures.model import Closed, Departed, Departure, RoleBody
from lumio.departures.service import Departures
from lumio.surface.rest import exchange
from lumio.surface.rest.exchange import Web
from lumio.surface.rest.openapi import shows
from lumio.teams.model import MemberView


class DepartureRoutes(Controller):
    """What changes or ends a membership."""

    path = "/accounts/{account_id:str}"

    @delete("/", status_code=200, **shows(Departures.close, Closed))
    async def close(
        self,
        request: Web,
        account_id: FromPath[str],
        departures: NamedDependency[Departures],
        perform: NamedDependency[Perform],
    ) -> Response[Any]:
        """Close an account, for good; only when nobody else is in it."""
        await exchange.no_body(request)
        closed = await perform(departures.close, exchange.asker(request), {"account_id": account_id})
        return exchange.one(request, closed)

    @get("/members/{member_id:str}/departure", **shows(Departures.plan, Departure))
    async def plan(
        self,
        request: Web,
        account_id: FromPath[str],
        member_id: FromPath[str],
        departures: NamedDependency[Departures],
        perform: NamedDependency[Perform],
    ) -> Response[Any]:
        """Show what the removal of a member would end."""
        exchange.query(request)
        form = {"account_id": account_id, "id": member_id}
        return exchange.one(request, await perform(departures.plan, exchange.asker(request), form))

    @patch("/members/{member_id:str}", **shows(Departures.change_role, MemberView, body=RoleBody))
    async def change_role(
        self,
        request: Web,
        account_id: FromPath[str],
        member_id: FromPath[str],
        departures: NamedDependency[Departures],
        perform: NamedDependency[Perform],
    ) -> Response[Any]:
        """Give a member another role."""
        form = await exchange.placed(request, account_id=account_id, id=member_id)
        return exchange.one(request, await perform(departures.change_role, exchange.asker(request), form))

    @delete("/members/me", status_code=200, **shows(Departures.leave, Departed))
    async def leave(
        self,
        request: Web,
        account_id: FromPath[str],
        departures: NamedDependency[Departures],
        perform: NamedDependency[Perform],
    ) -> Response[Any]:
        """Leave the account oneself."""
        await exchange.no_body(request)
        return exchange.one(
            request, await perform(departures.leave, exchange.asker(request), {"account_id": account_id})
        )

    @delete("/members/{member_id:str}", status_code=200, **shows(Departures.remove, Departed))
    async def remove(
        self,
        request: Web,
        account_id: FromPath[str],
        member_id: FromPath[str],
        departures: NamedDependency[Departures],
        perform: NamedDependency[Perform],
    ) -> Response[Any]:
        """Remove a person from the account, with everything that the plan shows."""
        await exchange.no_body(request)
        form = {"account_id": account_id, "id": member_id}
        return exchange.one(request, await perform(departures.remove, exchange.asker(request), form))

    @delete("/sub-accounts/{sub_account_id:str}", status_code=200, **shows(Departures.delete_sub_account, Departed))
    async def delete_sub_account(
        self,
        request: Web,
        account_id: FromPath[str],
        sub_account_id: FromPath[str],
        departures: NamedDependency[Departures],
        perform: NamedDependency[Perform],
    ) -> Response[Any]:
        """Delete a sub-account; its keys die with it."""
        await exchange.no_body(request)
        form = {"account_id": account_id, "id": sub_account_id}
        return exchange.one(request, await perform(departures.delete_sub_account, exchange.asker(request), form))
