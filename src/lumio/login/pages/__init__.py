"""Pages for getting in: they work without script."""

from collections.abc import Mapping
from typing import Any

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from lumio.access.perform import Perform
from lumio.kernel.errors import LumioError
from lumio.login.registration import Registration
from lumio.login.service import Login
from lumio.sessions.service import Sessions
from lumio.surface.html.cookies import no_session, session_cookie
from lumio.surface.html.pages import Pages, Web, asker_of, by_field, local_address, see_other
from lumio.surface.http.failures import status_of
from lumio.surface.http.forgery import FORM

FORM_POST: dict[str, Any] = {FORM: True}


class SignInPages(Controller):
    """Sign in and out."""

    @get("/login")
    async def sign_in_page(self, request: Web, pages: NamedDependency[Pages]) -> Response[Any]:
        """Show the sign-in form; whoever is signed in goes on."""
        wanted = local_address(request.query_params.get("next"))
        if asker_of(request).principal.page:
            return see_other(wanted)
        return await pages.show(request, "login/sign_in.html", "Sign in", next=wanted, email="", error=None)

    @post("/api/login", opt=FORM_POST, status_code=200)
    async def sign_in(
        self,
        request: Web,
        pages: NamedDependency[Pages],
        login: NamedDependency[Login],
        perform: NamedDependency[Perform],
    ) -> Response[Any]:
        """Open a page session: always with a new cookie."""
        fields = await pages.form(request)
        wanted = local_address(fields.pop("next", None))
        try:
            opened = await perform(login.sign_in_page, asker_of(request), fields)
        except LumioError as error:
            values = {"next": wanted, "email": fields.get("email", ""), "error": error.public}
            return await pages.show(request, "login/sign_in.html", "Sign in", status=status_of(error), **values)
        answer = see_other(wanted)
        answer.set_cookie(session_cookie(opened.page_secret or ""))
        return answer

    @post("/api/logout", opt=FORM_POST, status_code=200)
    async def sign_out(
        self,
        request: Web,
        pages: NamedDependency[Pages],
        sessions: NamedDependency[Sessions],
        perform: NamedDependency[Perform],
    ) -> Response[Any]:
        """End the page session."""
        await pages.form(request)
        await perform(sessions.sign_out, asker_of(request))
        answer = see_other("/login")
        answer.set_cookie(no_session())
        return answer


class SetUpPages(Controller):
    """The first operator."""

    @get("/setup/{code:str}")
    async def set_up_page(
        self, request: Web, code: FromPath[str], pages: NamedDependency[Pages], login: NamedDependency[Login]
    ) -> Response[Any]:
        """Show the set-up form, while the link is good."""
        await login.set_up_open(code)
        return await _set_up(request, pages, code, {}, {})

    @post("/api/setup", opt=FORM_POST, status_code=200)
    async def set_up(
        self,
        request: Web,
        pages: NamedDependency[Pages],
        login: NamedDependency[Login],
        perform: NamedDependency[Perform],
    ) -> Response[Any]:
        """Make the first operator and sign them in."""
        fields = await pages.form(request)
        try:
            await perform(login.set_up, asker_of(request), fields)
            proof = {"email": fields["email"], "password": fields["password"]}
            opened = await perform(login.sign_in_page, asker_of(request), proof)
        except LumioError as error:
            return await _set_up(request, pages, fields.get("code", ""), fields, by_field(error), status_of(error))
        answer = see_other("/dashboard")
        answer.set_cookie(session_cookie(opened.page_secret or ""))
        return answer


class SignUpPages(Controller):
    """New people."""

    @get("/signup")
    async def sign_up_page(self, request: Web, pages: NamedDependency[Pages]) -> Response[Any]:
        """Show the sign-up form."""
        return await pages.show(request, "login/sign_up.html", "Make an account", values={}, errors={})

    @post("/api/signup", opt=FORM_POST, status_code=200)
    async def sign_up(
        self,
        request: Web,
        pages: NamedDependency[Pages],
        registration: NamedDependency[Registration],
        perform: NamedDependency[Perform],
    ) -> Response[Any]:
        """Sign up; what follows stands in the mail."""
        fields = await pages.form(request)
        try:
            await perform(registration.sign_up, asker_of(request), fields)
        except LumioError as error:
            shown = _without_password(fields)
            return await pages.show(
                request,
                "login/sign_up.html",
                "Make an account",
                status=status_of(error),
                values=shown,
                errors=by_field(error),
            )
        return await pages.show(request, "login/check_mail.html", "Check your mail", email=fields["email"])

    @get("/verify/{code:str}")
    async def verify_page(self, request: Web, code: FromPath[str], pages: NamedDependency[Pages]) -> Response[Any]:
        """Ask for one press: a mail scanner that only follows links spends no code."""
        return await pages.show(request, "login/verify.html", "Confirm your address", code=code)

    @post("/api/verify-email", opt=FORM_POST, status_code=200)
    async def verify(
        self,
        request: Web,
        pages: NamedDependency[Pages],
        registration: NamedDependency[Registration],
        perform: NamedDependency[Perform],
    ) -> Response[Any]:
        """Take the code."""
        await perform(registration.verify_mail, asker_of(request), await pages.form(request))
        return await pages.show(request, "login/verified.html", "Address confirmed")


class ResetPages(Controller):
    """People who forgot."""

    @get("/reset")
    async def ask_page(self, request: Web, pages: NamedDependency[Pages]) -> Response[Any]:
        """Ask for the address."""
        return await pages.show(request, "login/reset.html", "Reset your password", email="", errors={})

    @post("/api/reset", opt=FORM_POST, status_code=200)
    async def ask(
        self,
        request: Web,
        pages: NamedDependency[Pages],
        registration: NamedDependency[Registration],
        perform: NamedDependency[Perform],
    ) -> Response[Any]:
        """Mail a link, if the address is known; the page is the same."""
        fields = await pages.form(request)
        try:
            await perform(registration.ask_reset, asker_of(request), fields)
        except LumioError as error:
            values = {"email": fields.get("email", ""), "errors": by_field(error)}
            return await pages.show(
                request, "login/reset.html", "Reset your password", status=status_of(error), **values
            )
        return await pages.show(request, "login/check_mail.html", "Check your mail", email=fields["email"])

    @get("/reset/{code:str}")
    async def reset_page(self, request: Web, code: FromPath[str], pages: NamedDependency[Pages]) -> Response[Any]:
        """Ask for the new password."""
        return await pages.show(request, "login/new_password.html", "New password", code=code, errors={})

    @post("/api/reset/confirm", opt=FORM_POST, status_code=200)
    async def reset(
        self,
        request: Web,
        pages: NamedDependency[Pages],
        registration: NamedDependency[Registration],
        perform: NamedDependency[Perform],
    ) -> Response[Any]:
        """Set the new password; every session of the person ends, this one included."""
        fields = await pages.form(request)
        try:
            await perform(registration.reset, asker_of(request), fields)
        except LumioError as error:
            values = {"code": fields.get("code", ""), "errors": by_field(error)}
            return await pages.show(
                request, "login/new_password.html", "New password", status=status_of(error), **values
            )
        answer = see_other("/login")
        answer.set_cookie(no_session())
        return answer


async def _set_up(
    request: Web,
    pages: Pages,
    code: str,
    values: Mapping[str, str],
    errors: Mapping[str, str],
    status: int = 200,
) -> Response[Any]:
    shown = _without_password(values)
    return await pages.show(
        request, "login/set_up.html", "Set up Lumio", status=status, code=code, values=shown, errors=errors
    )


def _without_password(fields: Mapping[str, str]) -> dict[str, str]:
    """Return what may stand in the form again: everything but the password."""
    return {name: value for name, value in fields.items() if name != "password"}
