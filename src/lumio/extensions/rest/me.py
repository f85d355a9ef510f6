"""`GET /developer/v1/me`."""

from typing import Any

import msgspec
from litestar import Response, get
from litestar.di import NamedDependency

from lumio.access import guard
from lumio.access.perform import Perform
from lumio.accounts.service import Accounts
from lumio.surface.rest import exchange
from lumio.surface.rest.exchange import Web
from lumio.surface.rest.openapi import shows


class PersonAnswer(msgspec.Struct, frozen=True, rename="camel"):
    """A person, as `/developer/v1` shows them."""

    id: str
    email: str
    display_name: str


class AccountAnswer(msgspec.Struct, frozen=True, rename="camel"):
    """An account, as `/developer/v1` shows it."""

    id: str
    slug: str
    name: str


class MeAnswer(msgspec.Struct, frozen=True, rename="camel"):
    """Who is asking, as `/developer/v1` shows it."""

    kind: str
    label: str
    user: PersonAnswer | None
    account: AccountAnswer | None
    role: str | None
    permissions: list[str]


@get("/me", **shows(Accounts.me, MeAnswer, bare=True))
async def developer_me(
    request: Web, accounts: NamedDependency[Accounts], perform: NamedDependency[Perform]
) -> Response[Any]:
    """Tell who is asking, in which account, with which rights right now."""
    asker = exchange.asker(request)
    guard.placed(asker.principal)
    me = await perform(accounts.me, asker)
    return exchange.bare(msgspec.convert(me, MeAnswer, from_attributes=True))
