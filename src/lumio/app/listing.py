"""What the house has: every service, every event, every place in the sidebar."""

from lumio.access.census import census
from lumio.accounts.service import Accounts
from lumio.accounts.withholding import WITHHELD
from lumio.admin import events as admin_events
from lumio.admin.roles import AdminRoles
from lumio.admin.service import Admin
from lumio.admin.users import AdminUsers
from lumio.app.endings import ALL_ENDED, RESTORED
from lumio.audit.exports import Exports
from lumio.audit.service import AuditLog, PlatformLog
from lumio.authority.reconciliation import REPLAYED
from lumio.billing.service import Billing
from lumio.departures.service import Departures
from lumio.extensions.service import Extensions
from lumio.extensions.versions import Versions
from lumio.introspection.service import Introspection
from lumio.keys.service import Keys
from lumio.login.joining import Joining
from lumio.login.registration import Registration
from lumio.login.service import Login
from lumio.popouts.service import Popouts
from lumio.revocations.service import Revocations
from lumio.sessions.service import Sessions
from lumio.surface.html.pages import Place
from lumio.system_keys.service import SystemKeys
from lumio.teams import events as team_events
from lumio.teams.invitations import Invitations
from lumio.teams.service import Teams
from lumio.teams.sub_accounts import SubAccounts

SERVICES = (
    Accounts, Admin, AdminRoles, AdminUsers, Sessions, Keys, Popouts, SystemKeys, Login, Registration,
    Introspection, AuditLog, PlatformLog, Exports, Extensions, Versions, Teams, Invitations, SubAccounts, Departures,
    Billing, Joining, Revocations,
)  # fmt: skip
"""Every class that declares actions, for the census."""

OPERATORS_EVENTS = (
    "audit_log.purged", "audit_log.held", "audit_log.released", "audit_log.erased",
    ALL_ENDED, REPLAYED, RESTORED, WITHHELD,
)  # fmt: skip
"""What the operator's commands record, and a start on a restored database."""

AUTHENTICATION_EVENTS = ("auth.succeeded", "auth.failed", "auth.throttled")

PLACES = (
    Place("Build", "Extensions", "extensions", "/dashboard/extensions", "extensions:read"),
    Place("Build", "Tokens", "ticket", "/dashboard/account/tokens", "tokens:read"),
    Place("Account", "Team", "team", "/dashboard/account/team", "members:read"),
    Place("Account", "Billing", "money", "/dashboard/account/billing", "billing:read"),
    Place("Account · Security", "API Keys", "key", "/dashboard/account/security/api-keys", "api-keys:read"),
    Place("Account · Security", "Audit Log", "log", "/dashboard/account/security/audit-log", "audit-log:read"),
    Place("Admin", "System", "system", "/system", "admin:access"),
    Place("Admin", "Users", "team", "/users", "users:read"),
    Place("Admin", "Audit Log", "log", "/audit-log", "platform-audit:read"),
)
"""The sidebar."""


def event_names() -> tuple[str, ...]:
    """Return every event that an action can record, for people who filter the log."""
    promised = (terms.event for terms in census(SERVICES) if terms.event)
    besides = {*AUTHENTICATION_EVENTS, *OPERATORS_EVENTS, *admin_events.BESIDE, *team_events.BESIDE}
    return tuple(sorted({*besides, *promised}))
