"""The web on top: every route, the gate before them, and the form of every error."""

from functools import partial
from typing import Any, NamedTuple

from litestar import Litestar, Request, Response, Router
from litestar.datastructures import State
from litestar.di import Provide

from lumio.access.authenticator import Authenticator
from lumio.access.kinds import Kind
from lumio.access.perform import Perform
from lumio.access.principal import Asker
from lumio.access.rates import HOUR, MINUTE, RateLimiter, Rule
from lumio.accounts.graph import AccountQueries
from lumio.accounts.rest import MeRoutes
from lumio.accounts.service import Accounts
from lumio.admin.pages import UserPages
from lumio.admin.rest import AdminRoleRoutes, AdminUserRoutes
from lumio.app.ground import Ground
from lumio.app.listing import PLACES, event_names
from lumio.app.services import Services
from lumio.audit.graph import AuditQueries
from lumio.audit.pages import AuditPages, TailRoutes
from lumio.audit.rest import AuditLogRoutes, PlatformLogRoutes, audit_keys
from lumio.audit.tail import Tails
from lumio.billing.graph import BillingMutations, BillingQueries
from lumio.billing.pages import BillingPages
from lumio.billing.rest import BillingRoutes
from lumio.crypto.hashing import Peppers
from lumio.departures.graph import DepartureMutations, DepartureQueries
from lumio.departures.rest import DepartureRoutes
from lumio.extensions.pages import ExtensionPages
from lumio.extensions.rest.extensions import ExtensionRoutes
from lumio.extensions.rest.me import developer_me
from lumio.extensions.rest.versions import VersionRoutes
from lumio.introspection.rest import IntrospectionRoutes, direct_verify
from lumio.introspection.service import Introspection
from lumio.kernel.errors import Unauthenticated
from lumio.kernel.version import VERSION
from lumio.keys.graph import KeyMutations, KeyQueries
from lumio.keys.pages import KeyPages
from lumio.keys.rest import KeyRoutes
from lumio.login.pages import ResetPages, SetUpPages, SignInPages, SignUpPages
from lumio.login.pages.joining import InvitationPages
from lumio.login.rest import AuthRoutes, SetUpRoutes, StepUpRoutes
from lumio.popouts.graph import PopoutMutations, PopoutQueries
from lumio.popouts.pages import PopoutPages
from lumio.popouts.rest import PopoutRoutes
from lumio.revocations.graph import RevocationQueries
from lumio.revocations.rest import RevocationRoutes
from lumio.sessions.pages import SwitchPages
from lumio.sessions.rest import ActivationRoutes
from lumio.settings import Settings
from lumio.storage.database import Database
from lumio.storage.rates import RateWindows
from lumio.surface.graph.endpoint import GraphRoutes
from lumio.surface.graph.graph import Graph
from lumio.surface.html.pages import Facts, Pages, every
from lumio.surface.html.routes import dashboard, root, static_file
from lumio.surface.html.templating import StaticFiles, environment
from lumio.surface.http.constants import settle
from lumio.surface.http.counting import Counting, tell_why
from lumio.surface.http.direct import Direct
from lumio.surface.http.entrance import Entrance
from lumio.surface.http.failures import understand
from lumio.surface.http.forgery import FORM, ForgeryGuard
from lumio.surface.http.frame import Application, Frame
from lumio.surface.http.gate import Gate
from lumio.surface.http.health import healthz, readyz
from lumio.surface.http.metrics import Lookout, metrics
from lumio.surface.http.rating import Rating
from lumio.surface.http.scrape import Scrape
from lumio.surface.rest import developer, problem
from lumio.surface.rest.describe_routes import openapi_document
from lumio.system_keys.graph import SystemKeyMutations, SystemKeyQueries
from lumio.system_keys.pages import SystemPages
from lumio.system_keys.rest import PageSystemKeyRoutes, ProfileRoutes, SystemKeyRoutes
from lumio.teams.graph import TeamMutations, TeamQueries
from lumio.teams.pages import TeamPages
from lumio.teams.rest import AcceptRoutes, AccountRoutes, InvitationRoutes, SubAccountRoutes
from lumio.teams.service import Teams

BODY_MAX = 1024 * 1024
"""Bytes of a request body; a bundle's upload has its own limit."""

PROGRAMS: tuple[Any, ...] = (
    StepUpRoutes, MeRoutes, KeyRoutes, PopoutRoutes, AuditLogRoutes, GraphRoutes, SystemKeyRoutes, ProfileRoutes,
    AdminUserRoutes, AdminRoleRoutes, PlatformLogRoutes, AccountRoutes, ActivationRoutes, InvitationRoutes,
    AcceptRoutes, SubAccountRoutes, DepartureRoutes, BillingRoutes, RevocationRoutes,
)  # fmt: skip
"""Under `/v1` for programs, and once more under `/api` for the pages."""

HTML: tuple[Any, ...] = (
    SignInPages, SetUpPages, SignUpPages, ResetPages, KeyPages, PopoutPages, AuditPages, TailRoutes, ExtensionPages,
    SystemPages, UserPages, TeamPages, SwitchPages, InvitationPages, BillingPages,
)  # fmt: skip

MUTATIONS: tuple[Any, ...] = (
    KeyMutations, PopoutMutations, SystemKeyMutations, TeamMutations, DepartureMutations, BillingMutations,
)  # fmt: skip

OTHERS: tuple[Any, ...] = (root, dashboard, healthz, readyz, metrics, static_file, openapi_document, audit_keys)

KNOWN = (
    "accounts", "admin", "admin_roles", "admin_users", "sessions", "keys", "popouts", "system_keys", "extensions",
    "versions", "login", "registration", "audit_log", "platform_log", "exports", "signing", "teams", "invitations",
    "sub_accounts", "departures", "billing", "joining", "revocations",
)  # fmt: skip
"""The services that handlers ask for by name."""


class Web(NamedTuple):
    """The framework's application, all of the web (the frame around it and around the direct way), and its limits."""

    framework: Litestar
    asgi: Application
    rates: RateLimiter


def open_door(
    ground: Ground, services: Services, perform: Perform, authenticator: Authenticator, scrape: Scrape
) -> Web:
    """Build the web: routes, the entrance before them, and what their handlers may ask for."""
    settings = ground.settings
    forgery = ForgeryGuard(Peppers(ground.ring, "forms"), settings.public_url)
    static = StaticFiles()
    describe = partial(describe_person, perform, services.accounts, services.teams)
    pages = Pages(environment(), static, forgery, describe, PLACES)
    introspection = Introspection(authenticator, perform.rights)
    known = {name: getattr(services, name) for name in KNOWN} | {
        "perform": perform,
        "pages": pages,
        "static": static,
        "event_names": event_names(),
        "authority": ground.authority,
        "graph": _graph(services, perform, introspection=settings.introspection),
        "introspection": introspection,
        "tails": Tails(),
        "scrape": scrape,
        "lookout": Lookout(settings.metrics_token, settings.trusted_proxies),
        "public_url": settings.public_url,
    }
    render = Renderer(pages)
    rates = _limiter(settings, ground.database)
    rating = _rating(settings, rates)
    entrance = Entrance(authenticator, rating, settings.trusted_proxies)
    framework = Litestar(
        [
            Router("/v1", route_handlers=[SetUpRoutes, AuthRoutes, IntrospectionRoutes, *PROGRAMS]),
            Router("/api", route_handlers=[*PROGRAMS, PageSystemKeyRoutes, ExtensionRoutes, VersionRoutes]),
            Router("/developer/v1", route_handlers=[developer_me, ExtensionRoutes, VersionRoutes]),
            *HTML,
            *OTHERS,
        ],
        dependencies={name: _provide(service) for name, service in known.items()},
        middleware=[Gate(entrance, forgery, render)],
        exception_handlers={Exception: render},
        state=State({"version": VERSION}),
        openapi_config=None,
        request_max_body_size=BODY_MAX,
        logging_config=None,
    )
    settle(framework, known)
    hot = {"/v1/auth/verify": direct_verify(introspection, perform)}
    direct, count = Direct(entrance, hot, problem.direct), Counting(ground.metrics)
    secure = settings.public_url.startswith("https")
    return Web(framework, Frame(framework, count, secure=secure, direct=direct), rates)


def _graph(services: Services, perform: Perform, *, introspection: bool) -> Graph:
    return Graph(
        [
            AccountQueries, KeyQueries, PopoutQueries, SystemKeyQueries, AuditQueries, TeamQueries, DepartureQueries,
            BillingQueries, RevocationQueries,
        ],
        MUTATIONS,
        [
            services.accounts, services.keys, services.popouts, services.system_keys, services.audit_log,
            services.platform_log, services.teams, services.invitations, services.sub_accounts, services.departures,
            services.billing, services.revocations,
        ],
        perform,
        introspection=introspection,
    )  # fmt: skip


def _limiter(settings: Settings, database: Database) -> RateLimiter:
    """Return the limits of kinds (product C5), as the settings have them; one worker on a file counts alone."""
    counted = (Kind.SESSION, Kind.OAUTH, Kind.API_KEY, Kind.POPOUT_TOKEN, Kind.ANONYMOUS)
    limits = {kind: settings.rates[kind.value.upper()] for kind in counted}
    alone = settings.workers == 1 and database.dialect.single_writer
    return RateLimiter(RateWindows(database), limits, alone=alone)


def _rating(settings: Settings, limiter: RateLimiter) -> Rating:
    """Return those of kinds and those of addresses."""
    rates = settings.rates
    spans = {"developer_read": MINUTE, "developer_delete": MINUTE, "developer_extensions": HOUR}
    spans["developer_versions"] = HOUR
    return Rating(limiter, {name: Rule(name, rates[name.upper()], span) for name, span in spans.items()})


def _provide(service: Any) -> Provide:
    return Provide(lambda: service, use_cache=True, sync_to_thread=False)


async def describe_person(perform: Perform, accounts: Accounts, teams: Teams, asker: Asker) -> Facts:
    """Return what the shell shows of whoever is signed in."""
    me = await perform(accounts.me, asker)
    if me.user is None or me.account is None:
        raise Unauthenticated(internal="the shell needs a person in an account")
    account = {"id": me.account.id, "name": me.account.name, "slug": me.account.slug}
    role = (me.role or "").capitalize()
    belongs = [
        {"id": one.id, "name": one.name, "role": one.role or "", "active": one.active}
        for one in await every(perform, teams.list, asker)
    ]
    return Facts(me.user.display_name, me.user.email, role, account, frozenset(me.permissions), belongs)


class Renderer:
    """Shows an error in the form of the surface that was asked."""

    def __init__(self, pages: Pages) -> None:
        """Show people's errors with `pages`."""
        self._pages = pages

    def __call__(self, request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
        """Return the answer."""
        request_id = str(request.scope["state"]["request_id"])
        understood = understand(error, request_id)
        tell_why(request.scope, understood)
        path = request.url.path
        if path.startswith(developer.PREFIX):
            return developer.render(understood, request_id)
        form = FORM in getattr(request.scope.get("route_handler"), "opt", {})
        if path.startswith(("/v1/", "/api/")) and not form:
            return problem.render(understood, request_id)
        return self._pages.problem(request, understood)
