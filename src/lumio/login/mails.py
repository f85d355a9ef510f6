"""The mails about getting in. One-time links stand in the mail and nowhere else."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

MAIL = "mail"
VOID = "void"


def _mail(to: str, subject: str, *lines: str) -> Mapping[str, str]:
    return {"to": to, "subject": subject, "text": "\n\n".join(lines) + "\n"}


@dataclass(frozen=True, slots=True)
class Asked:
    """When somebody asked, in UTC, and from which address on the network."""

    at: datetime
    ip: str | None


def verify_address(to: str, name: str, link: str, asked: Asked) -> Mapping[str, str]:
    """Return the mail that proves an address; it says enough of the sign-up to know it from somebody else's."""
    return _mail(
        to,
        "Confirm your mail address for Lumio",
        f"Hello {name},",
        "somebody, probably you, signed up at Lumio with this address. Open this link within a day to confirm it:",
        link,
        f"It was asked for at {asked.at:%H:%M} UTC on {asked.at:%Y-%m-%d}, from {asked.ip or 'an unknown address'}.",
        "The link makes the password of exactly that sign-up yours. If it was not you, or if several such mails came"
        " and you asked for one of them only, do not open the others: without the link nobody can use the account.",
    )


def already_known(to: str, sign_in: str, reset: str) -> Mapping[str, str]:
    """Return the mail for a sign-up with an address that has an account."""
    return _mail(
        to,
        "You already have a Lumio account",
        "Somebody, probably you, tried to sign up at Lumio with this address. It has an account already.",
        f"Sign in here: {sign_in}",
        f"If you forgot the password: {reset}",
        "If it was not you, nothing has changed and you need do nothing.",
    )


def reset_password(to: str, link: str) -> Mapping[str, str]:
    """Return the mail with a reset link."""
    return _mail(
        to,
        "Reset your Lumio password",
        "Somebody, probably you, asked to reset the password of this address. The link works once, for 15 minutes:",
        link,
        "If it was not you, do nothing: the password stays as it is.",
    )


def password_changed(to: str) -> Mapping[str, str]:
    """Return the notice that a password was changed."""
    return _mail(
        to,
        "Your Lumio password was changed",
        "The password of your Lumio account was just changed, and every signed-in device was signed out.",
        "If it was not you, reset the password at once and revoke your API keys.",
    )
