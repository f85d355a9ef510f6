"""Every page with sample values, for tests of the templates and for looking at them.

Run `python -m tests.support.preview FOLDER` to write each page as a file; `preview_server` serves them.
"""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lumio.surface.html.templating import STATIC, environment
from tests.support import preview_samples as samples
from tests.support.preview_team import team_pages

__all__ = ["STATIC", "Page", "pages", "write"]
TEMPLATES = environment()
"""One for all pages, as in the server: a template is compiled once."""


@dataclass(frozen=True)
class Page:
    """One template with the values that it is shown with, at the address where people find it."""

    name: str
    template: str
    address: str
    values: Mapping[str, Any]
    shell: Mapping[str, Any]

    def html(self, theme: str = "auto") -> str:
        """Render the page in a theme."""
        shell = {**self.shell, "theme": theme, "static": lambda name: f"/static/preview/{name}"}
        return TEMPLATES.get_template(self.template).render(shell=shell, **self.values)


def _login() -> list[Page]:
    out = samples.shell
    code = samples.code
    wrong = {"email": "This is not a mail address.", "password": "Too easy to guess: add a word or two."}
    typed = {"email": "robin@", "display_name": "Robin Vale", "account_name": "Acme Overlays"}
    sent = {"email": "robin@acme.example"}
    refused = {"next": "", "email": "robin@acme.example", "error": "Mail address and password do not match."}
    rows: list[tuple[str, str, str, str, dict[str, Any]]] = [
        ("sign-in", "sign_in", "/login", "Sign in", {"next": "/dashboard", "email": "", "error": None}),
        ("sign-in-refused", "sign_in", "/login/refused", "Sign in", refused),
        ("set-up", "set_up", "/setup/new", "Set up", {"code": code("set"), "values": {}, "errors": {}}),
        (
            "set-up-wrong",
            "set_up",
            "/setup/wrong",
            "Set up",
            {"code": code("set"), "values": typed, "errors": wrong},
        ),
        ("sign-up", "sign_up", "/signup", "Make an account", {"values": {}, "errors": {}}),
        ("check-mail", "check_mail", "/signup/sent", "Check your mail", sent),
        ("verify", "verify", "/verify/new", "Confirm your address", {"code": code("vfy")}),
        ("reset", "reset", "/reset", "Reset your password", {"email": "", "errors": {}}),
        ("new-password", "new_password", "/reset/new", "New password", {"code": code("pwr"), "errors": {}}),
        ("verified", "verified", "/verify/done", "Address confirmed", {}),
    ]
    return [
        Page(name, f"login/{file}.html", address, values, out(title, signed_in=False))
        for name, file, address, title, values in rows
    ]


def _errors() -> list[Page]:
    told = {
        403: ("Not allowed", "You are not allowed to do this."),
        404: ("Nothing here", "There is nothing here."),
        500: ("Something broke", "Something went wrong on our side."),
        503: ("Not now", "The service cannot answer safely right now. Try again shortly."),
    }
    return [
        Page(
            f"error-{status}",
            "error.html",
            f"/error/{status}",
            {"status": status, "title": title, "detail": detail, "request_id": samples.REQUEST},
            samples.shell(title, signed_in=False),
        )
        for status, (title, detail) in told.items()
    ]


def _keys() -> list[Page]:
    def page(name: str, address: str, keys: list[Any], *, may: bool = True) -> Page:
        values = {
            "keys": keys,
            "count": len(keys),
            "may_create": may,
            "may_revoke": may,
            "sort": "created_at",
            "order": "desc",
        }
        shell = samples.shell("API Keys", "Account", "Security")
        return Page(name, "keys/api_keys.html", address, values, shell)

    home = "/dashboard/account/security/api-keys"
    return [
        page("keys", home, samples.keys()),
        page("keys-empty", f"{home}/empty", []),
        page("keys-read-only", f"{home}/read-only", samples.keys(), may=False),
    ]


def _extensions() -> list[Page]:
    shell = samples.shell("Extensions")
    inside = samples.shell("Extensions", "Extensions")
    home = "/dashboard/extensions"

    def detail(name: str, address: str, versions: list[Any], *, may: bool = True) -> Page:
        reason = "" if may else "Publishing needs the role Owner or Admin; you are a Member."
        values = {
            "extension": samples.extensions()[0],
            "versions": versions,
            "may_publish": may,
            "may_publish_reason": reason,
        }
        return Page(name, "extensions/detail.html", address, values, inside)

    listed = {"extensions": samples.extensions(), "may_create": True}
    return [
        Page("extensions", "extensions/list.html", home, listed, shell),
        Page(
            "extensions-empty",
            "extensions/list.html",
            f"{home}-empty",
            {"extensions": [], "may_create": True},
            shell,
        ),
        detail("extension", f"{home}/ext_confetti", samples.versions()),
        detail("extension-empty", f"{home}/ext_empty", []),
        detail("extension-member", f"{home}/ext_member", samples.versions(), may=False),
    ]


def _audit() -> list[Page]:
    shell = samples.shell("Audit Log", "Account", "Security")
    home = "/dashboard/account/security/audit-log"

    def page(
        name: str, address: str, items: list[Any], filters: dict[str, str], cursor: str | None = None, **errors: str
    ) -> Page:
        values = {
            "items": items,
            "filters": {**samples.NO_FILTERS, **filters},
            "next_cursor": cursor,
            "errors": errors,
            "show_authentications": False,
            "events": ["api_key.created", "api_key.revoked", "extension.deployed", "extension.published"],
            "reached": samples.NOW if cursor else None,
            "query": "hide_authentications=true",
            "head": samples.head(),
            "platform": False,
            "base": "/api/audit-log",
            "plot": samples.plot(),
            "live": not errors,
        }
        return Page(name, "audit/log.html", address, values, shell)

    return [
        page("audit", home, samples.events(), {}, "MTc2"),
        page("audit-none", f"{home}/none", [], {"event": "billing.*", "result": "failure"}),
        page(
            "audit-wrong",
            f"{home}/wrong",
            [],
            {"event": "api key"},
            event="Must be an event such as api_key.created.",
        ),
    ]


def pages() -> list[Page]:
    """Return every page, in the order in which a new person meets them."""
    team = [Page(*one) for one in team_pages()]
    return [*_login(), *_extensions(), *_keys(), *team, *_audit(), *_errors()]


def write(folder: Path) -> None:
    """Write each page of each theme into `folder` as `<name>-<theme>.html`."""
    folder.mkdir(parents=True, exist_ok=True)
    for page in pages():
        for theme in ("light", "dark"):
            (folder / f"{page.name}-{theme}.html").write_text(page.html(theme))


if __name__ == "__main__":
    write(Path(sys.argv[1]))
