"""`/v1/setup` and `/v1/auth/…`."""

from typing import Any

from litestar import Controller, Response, post
from litestar.di import NamedDependency

from lumio.access.perform import Perform
from lumio.login.model import (
    Accepted,
    AskReset,
    Raised,
    Reset,
    SetUp,
    SignIn,
    SignUp,
    StepUp,
    Welcome,
    WithCode,
)
from lumio.login.registration import Registration
from lumio.login.service import Login
from lumio.sessions.model import Refresh, TokenPair
from lumio.sessions.service import Sessions
from lumio.surface.html.cookies import session_cookie
from lumio.surface.rest import exchange
from lumio.surface.rest.exchange import Web
from lumio.surface.rest.openapi import shows


class SetUpRoutes(Controller):
    """The first operator."""

    path = "/setup"

    @post("/", **shows(Login.set_up, Welcome, body=SetUp, status=201))
    async def set_up(
        self, request: Web, login: NamedDependency[Login], perform: NamedDependency[Perform]
    ) -> Response[Any]:
        """Make the first operator and their account."""
        form = await exchange.json_body(request)
        made = await perform(login.set_up, exchange.asker(request), form)
        return exchange.one(request, made, status=201)


class AuthRoutes(Controller):
    """Getting in and out, for programs."""

    path = "/auth"

    @post("/signup", status_code=202, **shows(Registration.sign_up, Accepted, body=SignUp, status=202))
    async def sign_up(
        self, request: Web, registration: NamedDependency[Registration], perform: NamedDependency[Perform]
    ) -> Response[Any]:
        """Sign up; the answer is the same for known addresses."""
        form = await exchange.json_body(request)
        said = await perform(registration.sign_up, exchange.asker(request), form)
        return exchange.one(request, said, status=202)

    @post("/verify-email", **shows(Registration.verify_mail, Accepted, body=WithCode))
    async def verify_mail(
        self, request: Web, registration: NamedDependency[Registration], perform: NamedDependency[Perform]
    ) -> Response[Any]:
        """Take a mailed code."""
        form = await exchange.json_body(request)
        return exchange.one(request, await perform(registration.verify_mail, exchange.asker(request), form))

    @post("/reset", status_code=202, **shows(Registration.ask_reset, Accepted, body=AskReset, status=202))
    async def ask_reset(
        self, request: Web, registration: NamedDependency[Registration], perform: NamedDependency[Perform]
    ) -> Response[Any]:
        """Ask for a reset link; the answer is the same for unknown addresses."""
        form = await exchange.json_body(request)
        said = await perform(registration.ask_reset, exchange.asker(request), form)
        return exchange.one(request, said, status=202)

    @post("/reset/confirm", **shows(Registration.reset, Accepted, body=Reset))
    async def reset(
        self, request: Web, registration: NamedDependency[Registration], perform: NamedDependency[Perform]
    ) -> Response[Any]:
        """Set a new password by a mailed code; every session ends."""
        form = await exchange.json_body(request)
        return exchange.one(request, await perform(registration.reset, exchange.asker(request), form))

    @post("/login", **shows(Login.sign_in, TokenPair, body=SignIn))
    async def sign_in(
        self, request: Web, login: NamedDependency[Login], perform: NamedDependency[Perform]
    ) -> Response[Any]:
        """Sign in; an access token and a refresh token."""
        form = await exchange.json_body(request)
        opened = await perform(login.sign_in, exchange.asker(request), form)
        return exchange.one(request, opened.tokens)

    @post("/refresh", **shows(Sessions.refresh, TokenPair, body=Refresh))
    async def refresh(
        self, request: Web, sessions: NamedDependency[Sessions], perform: NamedDependency[Perform]
    ) -> Response[Any]:
        """Exchange a refresh token; using an old one ends the session."""
        form = await exchange.json_body(request)
        return exchange.one(request, await perform(sessions.refresh, exchange.asker(request), form))

    @post("/logout", status_code=204, **shows(Sessions.sign_out, None, status=204))
    async def sign_out(
        self, request: Web, sessions: NamedDependency[Sessions], perform: NamedDependency[Perform]
    ) -> None:
        """End the session of the request."""
        await exchange.no_body(request)
        await perform(sessions.sign_out, exchange.asker(request))


class StepUpRoutes(Controller):
    """Proving again; pages use it too."""

    path = "/auth"

    @post("/step-up", **shows(Login.step_up, Raised, body=StepUp))
    async def step_up(
        self, request: Web, login: NamedDependency[Login], perform: NamedDependency[Perform]
    ) -> Response[Any]:
        """Prove again who is asking; a page's cookie is replaced, a program gets a new access token."""
        form = await exchange.json_body(request)
        raised = await perform(login.step_up, exchange.asker(request), form)
        shown = {"auth_time": raised.auth_time, "expires_in": raised.expires_in}
        if raised.page_secret is None:
            return exchange.one(request, {**shown, "access_token": raised.access_token})
        answer = exchange.one(request, shown)
        answer.set_cookie(session_cookie(raised.page_secret))
        return answer
