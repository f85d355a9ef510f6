"""The pages of teams and billing with sample values: a busy team, a lonely one, hostile names."""

from datetime import timedelta
from typing import Any

from lumio.access.policy import Role
from lumio.accounts.model import UserView, WithheldFor
from lumio.billing.model import CURRENCIES, METHODS, BillingView
from lumio.kernel import clock
from lumio.teams.model import InvitationView, MemberView, Opened, SubAccountView
from lumio.teams.pages import role_words
from tests.support import preview_samples as samples

DAY = timedelta(days=1)
TEAM, BILLING = "/dashboard/account/team", "/dashboard/account/billing"


def members() -> list[MemberView]:
    """Return people of every role, one suspended, one with a hostile name."""
    made: list[tuple[str, str, str, bool, WithheldFor | None]] = [
        ("Robin Vale", "robin@acme.example", "owner", False, None),
        ("Ada Okafor", "ada@acme.example", "admin", False, "owner"),
        ("Max Stern", "max.stern.with-a-long-address@overlays.acme.example", "member", True, "operator"),
        (samples.HOSTILE, "eve@acme.example", "member", False, None),
    ]
    return [
        MemberView(
            f"m{number}", UserView(f"u{number}", email, name), name, role, "person",
            clock.now() - number * 40 * DAY, False, suspended, withheld,
        )
        for number, (name, email, role, suspended, withheld) in enumerate(made)
    ]  # fmt: skip


def _team(people: list[MemberView], own: Role, invitations: list[Any], subs: list[Any]) -> dict[str, Any]:
    may = own is not Role.MEMBER
    me = next(one for one in people if one.role == own)
    return {
        "people": people,
        "withheld": sum(one.withheld is not None for one in [*people, *subs]),
        "own_id": me.id,
        "own_role": own.value,
        "heirs": [one for one in people if one.id != me.id] if own is Role.OWNER else [],
        "invitations": invitations,
        "sub_accounts": subs,
        "may_invite": may,
        "may_edit": may,
        "may_delete": may,
        **role_words(own),
    }


def team_pages() -> list[tuple[str, str, str, dict[str, Any], dict[str, Any]]]:
    """Return (name, template, address, values, shell) of each page."""
    invitations = [
        InvitationView("i1", "kim@example.com", "admin", "robin@acme.example", clock.now(), clock.now() + 6 * DAY)
    ]
    subs = [SubAccountView("s1", "ci-deploys", "member", clock.now() - 3 * DAY, "owner")]
    shell = samples.shell("Team", "Account")
    people = members()
    sets = {
        "team": _team(people, Role.OWNER, invitations, subs),
        "team-admin": _team(people, Role.ADMIN, [], []),
        "team-member": _team(people, Role.MEMBER, [], []),
        "team-alone": _team(people[:1], Role.OWNER, [], []),
    }
    found = [
        (name, "teams/team.html", TEAM if name == "team" else f"{TEAM}/{name}", values, shell)
        for name, values in sets.items()
    ]
    opened = Opened("Acme Overlays", "member", "kim@example.com", "robin@acme.example", clock.now() + DAY, known=True)
    for state in ("ready", "other", "known", "new"):
        values = {"code": samples.code("inv"), "invitation": opened, "state": state, "values": {}, "errors": {}}
        inside = samples.shell("Join Acme Overlays", signed_in=state in {"ready", "other"})
        found.append((f"invite-{state}", "teams/invite.html", f"/invite/{state}", values, inside))
    return found + _billing()


def _billing() -> list[tuple[str, str, str, dict[str, Any], dict[str, Any]]]:
    shell = samples.shell("Billing", "Account")
    filled = BillingView(
        "Acme Overlays GmbH", "Lange Straße 1", "", "Köln", "50667", "", "DE", "EUR", "••••789", "bank_transfer",
        "••••3000", clock.now() - DAY,
    )  # fmt: skip
    choices = {"currencies": CURRENCIES, "methods": METHODS}
    return [
        ("billing", "billing/billing.html", BILLING, {"details": filled, **choices}, shell),
        ("billing-empty", "billing/billing.html", f"{BILLING}/empty", {"details": BillingView(), **choices}, shell),
    ]
