"""`/v1/accounts`, who is in them, and `/v1/invites`."""

from typing import Any

from litestar import Controller, Response, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from lumio.access.perform import Perform
from lumio.surface.rest import exchange
from lumio.surface.rest.exchange import Web
from lumio.surface.rest.openapi import shows
from lumio.teams.invitations import Invitations
from lumio.teams.model import (
    AccountItem,
    CreateAccount,
    Handed,
    InvitationView,
    InviteBody,
    Joined,
    MemberView,
    SubAccountBody,
    SubAccountView,
    TransferTo,
    Withdrawn,
)
from lumio.teams.service import Teams
from lumio.teams.sub_accounts import SubAccounts

ACCOUNTS = "/v1/accounts"
EVERYBODY = list[MemberView]


class AccountRoutes(Controller):
    """Accounts that the person belongs to."""

    path = "/accounts"

    @get("/", **shows(Teams.list, list[AccountItem]))
    async def list(
        self, request: Web, teams: NamedDependency[Teams], perform: NamedDependency[Perform]
    ) -> Response[Any]:
        """List the accounts that the person belongs to."""
        form = exchange.query(request)
        return exchange.many(request, await perform(teams.list, exchange.asker(request), form, lax=True))

    @post("/", **shows(Teams.create, AccountItem, body=CreateAccount, status=201))
    async def create(
        self, request: Web, teams: NamedDependency[Teams], perform: NamedDependency[Perform]
    ) -> Response[Any]:
        """Make another account, as its Owner."""
        form = await exchange.json_body(request)
        made = await perform(teams.create, exchange.asker(request, await request.body()), form)
        return exchange.one(request, made, status=201, collection=ACCOUNTS)

    @get("/{account_id:str}", **shows(Teams.show, AccountItem))
    async def show(
        self,
        request: Web,
        account_id: FromPath[str],
        teams: NamedDependency[Teams],
        perform: NamedDependency[Perform],
    ) -> Response[Any]:
        """Show one account."""
        found = await perform(teams.show, exchange.asker(request), {"account_id": account_id})
        return exchange.one(request, found, collection=ACCOUNTS)

    @patch("/{account_id:str}", **shows(Teams.rename, AccountItem, body=CreateAccount))
    async def rename(
        self,
        request: Web,
        account_id: FromPath[str],
        teams: NamedDependency[Teams],
        perform: NamedDependency[Perform],
    ) -> Response[Any]:
        """Give the account another name."""
        form = await exchange.placed(request, account_id=account_id)
        return exchange.one(request, await perform(teams.rename, exchange.asker(request), form), collection=ACCOUNTS)

    @post("/{account_id:str}/transfer", status_code=200, **shows(Teams.transfer, Handed, body=TransferTo))
    async def transfer(
        self,
        request: Web,
        account_id: FromPath[str],
        teams: NamedDependency[Teams],
        perform: NamedDependency[Perform],
    ) -> Response[Any]:
        """Hand the ownership over to another member."""
        form = await exchange.placed(request, account_id=account_id)
        return exchange.one(request, await perform(teams.transfer, exchange.asker(request), form))

    @get("/{account_id:str}/members", **shows(Teams.members, EVERYBODY))
    async def members(
        self,
        request: Web,
        account_id: FromPath[str],
        teams: NamedDependency[Teams],
        perform: NamedDependency[Perform],
    ) -> Response[Any]:
        """List everybody in the account, people and sub-accounts."""
        form = exchange.placed_query(request, account_id=account_id)
        return exchange.many(request, await perform(teams.members, exchange.asker(request), form, lax=True))

    @post("/{account_id:str}/members/{member_id:str}/confirm", status_code=200, **shows(Teams.confirm, MemberView))
    async def confirm(
        self,
        request: Web,
        account_id: FromPath[str],
        member_id: FromPath[str],
        teams: NamedDependency[Teams],
        perform: NamedDependency[Perform],
    ) -> Response[Any]:
        """Let a membership count again that a restore left in doubt."""
        await exchange.no_body(request)
        form = {"account_id": account_id, "id": member_id}
        return exchange.one(request, await perform(teams.confirm, exchange.asker(request), form))


class InvitationRoutes(Controller):
    """Open invitations of an account."""

    path = "/accounts/{account_id:str}/invites"

    @get("/", **shows(Invitations.list, list[InvitationView]))
    async def list(
        self,
        request: Web,
        account_id: FromPath[str],
        invitations: NamedDependency[Invitations],
        perform: NamedDependency[Perform],
    ) -> Response[Any]:
        """List the invitations that are open."""
        form = exchange.placed_query(request, account_id=account_id)
        return exchange.many(request, await perform(invitations.list, exchange.asker(request), form, lax=True))

    @post("/", **shows(Invitations.create, InvitationView, body=InviteBody, status=201))
    async def create(
        self,
        request: Web,
        account_id: FromPath[str],
        invitations: NamedDependency[Invitations],
        perform: NamedDependency[Perform],
    ) -> Response[Any]:
        """Invite a person by mail; the code is in the mail only."""
        form = await exchange.placed(request, account_id=account_id)
        made = await perform(invitations.create, exchange.asker(request, await request.body()), form)
        return exchange.one(request, made, status=201, collection=f"{ACCOUNTS}/{account_id}/invites")

    @delete("/{invite_id:str}", status_code=200, **shows(Invitations.withdraw, Withdrawn))
    async def withdraw(
        self,
        request: Web,
        account_id: FromPath[str],
        invite_id: FromPath[str],
        invitations: NamedDependency[Invitations],
        perform: NamedDependency[Perform],
    ) -> Response[Any]:
        """Withdraw an invitation."""
        await exchange.no_body(request)
        form = {"account_id": account_id, "id": invite_id}
        return exchange.one(request, await perform(invitations.withdraw, exchange.asker(request), form))


class AcceptRoutes(Controller):
    """Following an invitation."""

    path = "/invites"

    @post("/{code:str}/accept", status_code=200, **shows(Invitations.accept, Joined))
    async def accept(
        self,
        request: Web,
        code: FromPath[str],
        invitations: NamedDependency[Invitations],
        perform: NamedDependency[Perform],
    ) -> Response[Any]:
        """Accept a mailed invitation."""
        await exchange.no_body(request)
        joined = await perform(invitations.accept, exchange.asker(request), {"code": code})
        return exchange.one(request, joined, own=f"{ACCOUNTS}/{joined.account_id}")


class SubAccountRoutes(Controller):
    """Sub-accounts of an account."""

    path = "/accounts/{account_id:str}/sub-accounts"

    @get("/", **shows(SubAccounts.list, list[SubAccountView]))
    async def list(
        self,
        request: Web,
        account_id: FromPath[str],
        sub_accounts: NamedDependency[SubAccounts],
        perform: NamedDependency[Perform],
    ) -> Response[Any]:
        """List the sub-accounts."""
        form = exchange.placed_query(request, account_id=account_id)
        return exchange.many(request, await perform(sub_accounts.list, exchange.asker(request), form, lax=True))

    @post("/", **shows(SubAccounts.create, SubAccountView, body=SubAccountBody, status=201))
    async def create(
        self,
        request: Web,
        account_id: FromPath[str],
        sub_accounts: NamedDependency[SubAccounts],
        perform: NamedDependency[Perform],
    ) -> Response[Any]:
        """Make a sub-account; its keys are made for it afterwards."""
        form = await exchange.placed(request, account_id=account_id)
        made = await perform(sub_accounts.create, exchange.asker(request, await request.body()), form)
        return exchange.one(request, made, status=201, collection=f"{ACCOUNTS}/{account_id}/sub-accounts")
