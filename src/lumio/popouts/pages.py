"""Account → Tokens: popout tokens, and what can be done with them."""

from collections.abc import Iterable
from typing import Any

from litestar import Controller, Response, get
from litestar.di import NamedDependency

from lumio.access.perform import Perform
from lumio.access.permission import OWN
from lumio.popouts.model import Choices
from lumio.popouts.service import Popouts
from lumio.surface.html.pages import Pages, Web, asker_of, every, require_session

ADDRESS = "/dashboard/account/tokens"
SORTS = {
    "label": lambda popout: popout.label.casefold(),
    "created_at": lambda popout: popout.created_at,
    "last_used_at": lambda popout: (popout.last_used_at is not None, popout.last_used_at or popout.created_at),
}
WORDS = {
    "extensions:read": "See extensions, their versions and installs",
    "members:read": "See who is in the account, with names and roles",
    "tokens:read": "See the list of popout tokens, never their secrets",
    "tokens:create": "Make popout tokens",
    "tokens:edit": "Change popout tokens",
    "tokens:delete": "Revoke popout tokens",
    "account:read": "See the account",
    "account:edit": "Change the account",
    "account:delete": "Delete the account",
    "members:invite": "Invite people into the account",
    "members:edit": "Change the roles of members",
    "members:delete": "Remove members",
    "api-keys:read": "See the list of API keys, never their secrets",
    "api-keys:create": "Make API keys",
    "api-keys:delete": "Revoke API keys",
    "audit-log:read": "Read the audit log",
    "extensions:deploy": "Deploy versions of extensions",
    "extensions:publish": "Publish versions of extensions",
    "extensions:delete": "Delete extensions",
    "billing:read": "See the billing settings",
    "billing:edit": "Change the billing settings",
}
"""What each permission allows, as people read it beside its box."""


class PopoutPages(Controller):
    """The list, and what can be done from it."""

    @get(ADDRESS)
    async def popouts_page(
        self,
        request: Web,
        pages: NamedDependency[Pages],
        popouts: NamedDependency[Popouts],
        perform: NamedDependency[Perform],
        public_url: NamedDependency[str],
    ) -> Response[Any]:
        """Show every popout token that is not revoked."""
        require_session(request)
        asker = asker_of(request)
        found = await every(perform, popouts.list, asker)
        sort = request.query_params.get("sort", "created_at")
        sort = sort if sort in SORTS else "created_at"
        order = "asc" if request.query_params.get("order") == "asc" else "desc"
        rights = {name.removesuffix(OWN) for name in await perform.rights(asker.principal)}
        may_create = "tokens:create" in rights
        choices = await perform(popouts.choices, asker) if may_create else Choices([], [])
        return await pages.show(
            request,
            "popouts/popout_tokens.html",
            "Popout Tokens",
            "Account",
            popouts=sorted(found, key=SORTS[sort], reverse=order == "desc"),
            count=len(found),
            sort=sort,
            order=order,
            may_create=may_create,
            may_edit="tokens:edit" in rights,
            may_delete="tokens:delete" in rights,
            boxes=boxes(popouts.admits, choices),
            members=choices.members,
            address=public_url,
        )


def boxes(admits: Iterable[str], choices: Choices) -> list[dict[str, Any]]:
    """Return each permission that a popout token may have, in words, and whether the person can give it."""
    return [{"name": name, "words": WORDS[name], "held": name in choices.permissions} for name in sorted(admits)]
