"""The mails about teams. The code of an invitation stands in its mail and nowhere else."""

from collections.abc import Mapping

MAIL = "mail"


def _mail(to: str, subject: str, *lines: str) -> Mapping[str, str]:
    return {"to": to, "subject": subject, "text": "\n\n".join(lines) + "\n"}


def invitation(to: str, link: str, account: str, inviter: str, role: str) -> Mapping[str, str]:
    """Return the mail with the link of an invitation."""
    return _mail(
        to,
        f"Join {account} on Lumio",
        f"{inviter} invited you to the developer account {account}, as {role.capitalize()}.",
        "This link works once, for 7 days, and for this address only:",
        link,
        "If you do not know them, do nothing.",
    )


def role_changed(to: str, account: str, role: str) -> Mapping[str, str]:
    """Return the notice of a new role."""
    return _mail(
        to,
        f"Your role in {account} has changed",
        f"You are now {role.capitalize()} in the developer account {account}. "
        "Your keys there act with this role from now on.",
        "If this surprises you, ask an Owner of the account.",
    )


def removed(to: str, account: str) -> Mapping[str, str]:
    """Return the notice of a removal."""
    return _mail(
        to,
        f"You are no longer in {account}",
        f"You were taken out of the developer account {account}. "
        "The keys and popout tokens that you made there have ended.",
        "Your other accounts on Lumio are as they were.",
    )


def ownership_moved(to: str, account: str, giver: str, owner: str) -> Mapping[str, str]:
    """Return the notice of a transfer, for both."""
    return _mail(
        to,
        f"The ownership of {account} has moved",
        f"{giver} made {owner} Owner of the developer account {account}, and is Admin there from now on.",
        "If this surprises you, ask the other one at once.",
    )
