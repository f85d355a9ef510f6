"""Account → Team: people, invitations, sub-accounts, and what each role may do."""

from typing import Any

from litestar import Controller, Response, get
from litestar.di import NamedDependency

from lumio.access.perform import Perform
from lumio.access.policy import CAPABILITIES, ROLES, Role, not_above
from lumio.surface.html.pages import Pages, Web, asker_of, every, require_session
from lumio.teams.invitations import Invitations
from lumio.teams.model import MemberView
from lumio.teams.service import Teams
from lumio.teams.sub_accounts import SubAccounts

ADDRESS = "/dashboard/account/team"
NEVER_INVITED = "An Owner is never invited: invite an Admin, and hand the ownership over then."
ABOVE = "Above your own role: only an Owner makes Owners."
SHORT = ("Deploy", "Publish", "Billing", "Invite")
"""The four headings of `CAPABILITIES`, for a dialog on a phone."""
PERSON = "Only a person can be an Owner."


class TeamPages(Controller):
    """The team, and what can be done with it."""

    @get(ADDRESS)
    async def team_page(
        self,
        request: Web,
        pages: NamedDependency[Pages],
        teams: NamedDependency[Teams],
        invitations: NamedDependency[Invitations],
        sub_accounts: NamedDependency[SubAccounts],
        perform: NamedDependency[Perform],
    ) -> Response[Any]:
        """Show everybody in the account."""
        require_session(request)
        asker = asker_of(request)
        rights = await perform.rights(asker.principal)
        may_invite = "members:invite" in rights
        members = await every(perform, teams.members, asker)
        people = [one for one in members if one.user is not None]
        withheld = sum(one.withheld is not None for one in members)
        own = next(one for one in people if one.id == asker.principal.member_id)
        return await pages.show(
            request,
            "teams/team.html",
            "Team",
            "Account",
            people=people,
            withheld=withheld,
            own_id=own.id,
            own_role=own.role,
            heirs=[one for one in people if one.id != own.id and _may_inherit(one)] if own.role == Role.OWNER else [],
            invitations=await every(perform, invitations.list, asker) if may_invite else [],
            sub_accounts=await every(perform, sub_accounts.list, asker) if may_invite else [],
            may_invite=may_invite,
            may_edit="members:edit" in rights,
            may_delete="members:delete" in rights,
            **role_words(Role(own.role)),
        )


def _may_inherit(member: MemberView) -> bool:
    return not member.suspended and member.withheld is None


def role_words(own: Role) -> dict[str, Any]:
    """Return what the page says of roles: the table, which of them are in reach, and why a choice is closed."""
    return {
        "capabilities": [heading for heading, _ in CAPABILITIES],
        "short": SHORT,
        "roles": [
            {
                "value": role.value,
                "label": role.capitalize(),
                "can": [name in ROLES[role] for _, name in CAPABILITIES],
            }
            for role in Role
        ],
        "reachable": {role.value for role in Role if not_above(role, own)},
        "invite_closed": {Role.OWNER.value: NEVER_INVITED},
        "sub_closed": {Role.OWNER.value: PERSON},
        "role_closed": {} if own is Role.OWNER else {Role.OWNER.value: ABOVE},
    }
