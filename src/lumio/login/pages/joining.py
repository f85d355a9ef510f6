"""The page behind a mailed invitation: it works without script."""

from collections.abc import Mapping
from typing import Any

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from lumio.access.perform import Perform
from lumio.accounts.model import mail_key
from lumio.accounts.service import Accounts
from lumio.kernel.errors import LumioError, NotFound
from lumio.login.joining import Joining
from lumio.login.service import Login
from lumio.sessions.service import Sessions
from lumio.surface.html.cookies import session_cookie
from lumio.surface.html.pages import Pages, Web, asker_of, by_field, see_other
from lumio.surface.http.failures import status_of
from lumio.surface.http.forgery import FORM
from lumio.teams.invitations import Invitations
from lumio.teams.model import Opened

FORM_POST: dict[str, Any] = {FORM: True}
TEAM = "/dashboard/account/team"


class InvitationPages(Controller):
    """Whoever follows the link of an invitation."""

    @get("/invite/{code:str}")
    async def invitation_page(
        self,
        request: Web,
        code: FromPath[str],
        pages: NamedDependency[Pages],
        invitations: NamedDependency[Invitations],
        accounts: NamedDependency[Accounts],
        perform: NamedDependency[Perform],
    ) -> Response[Any]:
        """Show who invited whom to what, and the one step that is next; looking spends nothing."""
        opened = await invitations.opened(code)
        state = await _state(request, opened, accounts, perform)
        return await _show(request, pages, code, opened, state, {}, {})

    @post("/api/accept-invitation", opt=FORM_POST, status_code=200)
    async def accept(
        self,
        request: Web,
        pages: NamedDependency[Pages],
        invitations: NamedDependency[Invitations],
        sessions: NamedDependency[Sessions],
        perform: NamedDependency[Perform],
    ) -> Response[Any]:
        """Join as the person who is signed in, and act in the new account at once."""
        fields = await pages.form(request)
        try:
            joined = await perform(invitations.accept, asker_of(request), fields)
        except NotFound:
            raise
        except LumioError as error:
            code = fields.get("code", "")
            opened = await invitations.opened(code)
            return await _show(request, pages, code, opened, "ready", {}, by_field(error), status_of(error))
        await perform(sessions.activate, asker_of(request), {"account_id": joined.account_id})
        return see_other(TEAM)

    @post("/api/join", opt=FORM_POST, status_code=200)
    async def join(
        self,
        request: Web,
        pages: NamedDependency[Pages],
        invitations: NamedDependency[Invitations],
        joining: NamedDependency[Joining],
        login: NamedDependency[Login],
        perform: NamedDependency[Perform],
    ) -> Response[Any]:
        """Make an account and join in one step; the link has proven the address."""
        fields = await pages.form(request)
        fields.pop("username", None)  # for password managers
        code = fields.get("code", "")
        opened = await invitations.opened(code)
        try:
            await perform(joining.join, asker_of(request), fields)
            proof = {"email": opened.email, "password": fields["password"]}
            signed_in = await perform(login.sign_in_page, asker_of(request), proof)
        except NotFound:
            raise
        except LumioError as error:
            values = {"display_name": fields.get("display_name", "")}
            return await _show(request, pages, code, opened, "new", values, by_field(error), status_of(error))
        answer = see_other(TEAM)
        answer.set_cookie(session_cookie(signed_in.page_secret or ""))
        return answer


async def _state(request: Web, opened: Opened, accounts: Accounts, perform: Perform) -> str:
    """Return which step is next: join, sign in, make an account, or sign out first."""
    if not asker_of(request).principal.page:
        return "known" if opened.known else "new"
    me = await perform(accounts.me, asker_of(request))
    mine = me.user is not None and mail_key(me.user.email) == mail_key(opened.email)
    return "ready" if mine else "other"


async def _show(
    request: Web,
    pages: Pages,
    code: str,
    opened: Opened,
    state: str,
    values: Mapping[str, str],
    errors: Mapping[str, str],
    status: int = 200,
) -> Response[Any]:
    return await pages.show(
        request,
        "teams/invite.html",
        f"Join {opened.account_name}",
        status=status,
        code=code,
        invitation=opened,
        state=state,
        values=values,
        errors=errors,
    )
