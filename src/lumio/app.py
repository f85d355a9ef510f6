"""Wiring, by plain constructor calls: the only module that knows every domain."""

import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

from litestar import Litestar, Request, Response, Router
from litestar.datastructures import State
from litestar.di import Provide

from lumio.access.authenticator import Authenticator
from lumio.access.census import census
from lumio.access.kinds import Kind
from lumio.access.limit import FailureLimiter, Throttled
from lumio.access.perform import Perform
from lumio.access.principal import Asker
from lumio.access.rates import HOUR, MINUTE, RateLimiter, Rule
from lumio.accounts.graph import AccountQueries
from lumio.accounts.rest import MeRoutes
from lumio.accounts.service import Accounts
from lumio.accounts.store import AccountStore
from lumio.admin import events as admin_events
from lumio.admin.pages import UserPages
from lumio.admin.rest import AdminRoleRoutes, AdminUserRoutes
from lumio.admin.roles import AdminRoles
from lumio.admin.service import Admin
from lumio.admin.store import AdminStore
from lumio.admin.users import AdminUsers
from lumio.audit.graph import AuditQueries
from lumio.audit.pages import AuditPages
from lumio.audit.rest import AuditLogRoutes
from lumio.audit.service import AuditLog
from lumio.audit.store import AuditStore
from lumio.authority.local import LocalAuthority
from lumio.crypto import opaque, roots
from lumio.crypto.hashing import KEY_COST, PASSWORD_COST, Cost, Peppers, StretchPool, Tags
from lumio.crypto.proofs import Proofs
from lumio.crypto.sealing import Sealer
from lumio.crypto.signing import AccessTokens
from lumio.extensions.bundles import BundleStore
from lumio.extensions.pages import ExtensionPages
from lumio.extensions.rest.extensions import ExtensionRoutes
from lumio.extensions.rest.me import developer_me
from lumio.extensions.rest.versions import VersionRoutes
from lumio.extensions.service import Extensions
from lumio.extensions.store import ExtensionStore, VersionStore
from lumio.extensions.versions import Versions
from lumio.introspection.rest import IntrospectionRoutes
from lumio.introspection.service import Introspection
from lumio.kernel import clock
from lumio.kernel.errors import Unauthenticated, Unavailable
from lumio.kernel.event import SYSTEM, Event, Origin
from lumio.keys.graph import KeyMutations, KeyQueries
from lumio.keys.pages import KeyPages
from lumio.keys.rest import KeyRoutes
from lumio.keys.service import Keys
from lumio.keys.store import KeyStore
from lumio.keys.verify import KeyVerifier
from lumio.login.codes import Codes
from lumio.login.guesses import Guesses
from lumio.login.pages import ResetPages, SetUpPages, SignInPages, SignUpPages
from lumio.login.registration import Links, Registration
from lumio.login.rest import AuthRoutes, SetUpRoutes, StepUpRoutes
from lumio.login.service import Login
from lumio.login.store import LoginStore
from lumio.popouts.graph import PopoutMutations, PopoutQueries
from lumio.popouts.pages import PopoutPages
from lumio.popouts.rest import PopoutRoutes
from lumio.popouts.service import Popouts
from lumio.popouts.store import PopoutStore
from lumio.popouts.verify import PopoutVerifier
from lumio.sessions.service import Sessions
from lumio.sessions.store import SessionStore
from lumio.sessions.verify import SessionVerifier
from lumio.settings import Settings
from lumio.storage import idempotency
from lumio.storage.database import Database
from lumio.storage.journal import Journal
from lumio.storage.outbox import Outbox
from lumio.storage.rates import RateWindows
from lumio.storage.unit import Units
from lumio.surface.graph.endpoint import GraphRoutes
from lumio.surface.graph.graph import Graph
from lumio.surface.html.pages import Facts, Pages, Place
from lumio.surface.html.routes import dashboard, root, static_file
from lumio.surface.html.templating import StaticFiles, environment
from lumio.surface.http.failures import understand
from lumio.surface.http.forgery import FORM, ForgeryGuard
from lumio.surface.http.frame import Frame
from lumio.surface.http.gate import Gate
from lumio.surface.http.health import healthz, readyz
from lumio.surface.http.housekeeping import Chores
from lumio.surface.http.rating import Rating
from lumio.surface.mail.sender import Sender, choose
from lumio.surface.rest import developer, problem
from lumio.surface.rest.describe_routes import openapi_document
from lumio.system_keys.graph import SystemKeyMutations, SystemKeyQueries
from lumio.system_keys.pages import SystemPages
from lumio.system_keys.profiles import Profiles
from lumio.system_keys.rest import PageSystemKeyRoutes, ProfileRoutes, SystemKeyRoutes
from lumio.system_keys.service import SystemKeys
from lumio.system_keys.store import SystemKeyStore
from lumio.system_keys.verify import SystemKeyVerifier

VERSION = "0.1.0"
KEY_QUEUE = 16
"""How many system keys may wait for Argon2id: a third of a second's work, then 503."""


@dataclass(slots=True)
class House:
    """Everything that lives as long as the process."""

    settings: Settings
    database: Database
    units: Units
    journal: Journal
    perform: Perform
    login: Login
    system_keys: SystemKeys
    limiter: FailureLimiter
    passwords: StretchPool
    key_stretch: StretchPool
    chores: Chores
    web: Litestar
    asgi: Callable[[Any, Any, Any], Awaitable[None]]

    @asynccontextmanager
    async def open(self) -> AsyncIterator["House"]:
        """Open databases and start the background work; close in the opposite order."""
        await self.database.open()
        await self.journal.open()
        await self.chores.start()
        try:
            yield self
        finally:
            await self.chores.stop()
            with suppress(Unavailable):
                await self.limiter.sweep(everything=True)
            await self.journal.close()
            await self.database.close()
            self.close_pools()

    def close_pools(self) -> None:
        """End the threads that stretch secrets."""
        self.passwords.close()
        self.key_stretch.close()


def build(settings: Settings, *, password_cost: Cost = PASSWORD_COST, key_cost: Cost = KEY_COST) -> House:
    """Build the whole application; nothing is opened yet.

    Args:
        settings: what was read at start.
        password_cost: Argon2id parameters for passwords.
        key_cost: the same for system keys.
    """
    ring = roots.load(settings.root_secret_file)
    database = Database(settings.database_url)
    units = Units(database, settings.node)
    journal = Journal(database, settings.node, settings.journal_timeout_seconds)
    authority = LocalAuthority(database)
    peppers = Peppers(ring)
    access_tokens = AccessTokens(ring, settings.public_url)
    passwords = StretchPool(password_cost, threads=2)
    key_stretch = StretchPool(key_cost, threads=max(1, (os.cpu_count() or 2) - 1), queue=KEY_QUEUE)
    outbox = Outbox(database, Sealer(ring, "outbox"))

    accounts = Accounts(AccountStore(database.hot))
    admin = Admin(AdminStore())
    session_store = SessionStore(database.hot)
    sessions = Sessions(session_store, peppers, access_tokens, authority)
    key_store = KeyStore(database.hot)
    keys = Keys(key_store, peppers, accounts)
    popout_store = PopoutStore(database.hot)
    popouts = Popouts(popout_store, peppers, accounts)
    tags, proofs = Tags(ring), Proofs(peppers, key_stretch)
    system_key_store = SystemKeyStore(database.hot)
    system_keys = SystemKeys(system_key_store, Profiles(settings.profiles), admin, tags, proofs)
    extension_store = ExtensionStore()
    extensions = Extensions(extension_store)
    versions = Versions(extension_store, VersionStore(), BundleStore(settings.bundle_store), units)
    login_store = LoginStore()
    codes = Codes(login_store, peppers)
    guesses = Guesses(login_store, Peppers(ring, "guesses"), units)
    login = Login(accounts, admin, sessions, codes, guesses, passwords, units)
    registration = Registration(
        accounts, sessions, codes, guesses, passwords, outbox, units, Links(settings.public_url)
    )
    audit_log = AuditLog(AuditStore())

    async def throttled(one: Throttled) -> None:
        origin = Origin(ip=one.address, ip_source="peer")
        await journal.append(Event("auth.throttled", "failure", SYSTEM, origin, count=one.count))

    limiter = FailureLimiter(settings.rate_auth_failures, throttled)
    on_sessions = SessionVerifier(session_store, sessions, accounts, authority, peppers, access_tokens)
    on_keys = KeyVerifier(key_store, keys, accounts, authority, peppers)
    on_popouts = PopoutVerifier(popout_store, popouts, accounts, authority, peppers)
    on_system_keys = SystemKeyVerifier(system_key_store, system_keys, authority, tags, proofs)
    authenticator = Authenticator(
        {"lm_eyJ": on_sessions, opaque.PAGE_SESSION: on_sessions, opaque.DEVELOPER_KEY: on_keys,
         opaque.SYSTEM_KEY: on_system_keys, opaque.POPOUT_TOKEN: on_popouts},
        authority,
        journal,
        limiter,
        accounts.exists,
    )
    perform = Perform(units, journal, authority, [accounts, admin, system_keys])
    introspection = Introspection(authenticator, perform.rights_within)
    forgery = ForgeryGuard(Peppers(ring, "forms"), settings.public_url)
    sender = Sender(outbox, choose(settings.smtp_url, settings.mail_dir), settings.mail_from)
    windows = RateWindows(database)
    chores = Chores([
        (0.5, sender.run_once),
        (5, lambda: keys.flush(units)),
        (5, lambda: popouts.flush(units)),
        (5, lambda: system_keys.flush(units)),
        (5, lambda: sessions.flush(units)),
        (5, limiter.sweep),
        (3600, lambda: units.run(idempotency.forget_old)),
        (3600, guesses.sweep),
        (3600, versions.sweep),
        (600, lambda: windows.forget(int(clock.now().timestamp()))),
    ])  # fmt: skip

    static = StaticFiles()
    pages = Pages(environment(), static, forgery, lambda asker: describe_person(perform, accounts, asker), PLACES)
    graph = Graph(
        [AccountQueries, KeyQueries, PopoutQueries, SystemKeyQueries, AuditQueries],
        [KeyMutations, PopoutMutations, SystemKeyMutations],
        [accounts, keys, popouts, system_keys, audit_log], perform,
        introspection=settings.introspection,
    )  # fmt: skip
    known = {
        "perform": perform, "accounts": accounts, "sessions": sessions, "keys": keys, "login": login,
        "registration": registration, "audit_log": audit_log, "pages": pages, "static": static,
        "event_names": event_names(), "authority": authority, "extensions": extensions,
        "versions": versions, "graph": graph, "system_keys": system_keys, "admin": admin,
        "admin_roles": AdminRoles(AdminStore(), admin),
        "admin_users": AdminUsers(AdminStore(), admin, accounts, sessions.end_all),
        "popouts": popouts, "introspection": introspection, "public_url": settings.public_url,
    }  # fmt: skip
    programs: list[Any] = [
        StepUpRoutes, MeRoutes, KeyRoutes, PopoutRoutes, AuditLogRoutes, GraphRoutes, SystemKeyRoutes, ProfileRoutes,
        AdminUserRoutes, AdminRoleRoutes,
    ]  # fmt: skip
    html: list[Any] = [
        SignInPages, SetUpPages, SignUpPages, ResetPages, KeyPages, PopoutPages, AuditPages, ExtensionPages,
        SystemPages, UserPages,
    ]  # fmt: skip
    render = Renderer(pages)
    web = Litestar(
        [
            Router("/v1", route_handlers=[SetUpRoutes, AuthRoutes, IntrospectionRoutes, *programs]),
            Router("/api", route_handlers=[*programs, PageSystemKeyRoutes, ExtensionRoutes, VersionRoutes]),
            Router("/developer/v1", route_handlers=[developer_me, ExtensionRoutes, VersionRoutes]),
            *html,
            root,
            dashboard,
            healthz,
            readyz,
            static_file,
            openapi_document,
        ],
        dependencies={name: _provide(service) for name, service in known.items()},
        middleware=[Gate(authenticator, forgery, _rating(settings, windows), settings.trusted_proxies, render)],
        exception_handlers={Exception: render},
        state=State({"version": VERSION}),
        openapi_config=None,
        request_max_body_size=1024 * 1024,
        logging_config=None,
    )
    return House(
        settings, database, units, journal, perform, login, system_keys, limiter, passwords, key_stretch, chores, web,
        Frame(web, secure=settings.public_url.startswith("https")),
    )  # fmt: skip


def _rating(settings: Settings, windows: RateWindows) -> Rating:
    """Return the limits of product C5, as the settings have them."""
    rates = settings.rates
    counted = (Kind.SESSION, Kind.OAUTH, Kind.API_KEY, Kind.POPOUT_TOKEN, Kind.ANONYMOUS)
    limiter = RateLimiter(windows, {kind: rates[kind.value.upper()] for kind in counted})
    spans = {"developer_read": MINUTE, "developer_delete": MINUTE, "developer_extensions": HOUR}
    spans["developer_versions"] = HOUR
    return Rating(limiter, {name: Rule(name, rates[name.upper()], span) for name, span in spans.items()})


def _provide(service: Any) -> Provide:
    return Provide(lambda: service, use_cache=True, sync_to_thread=False)


SERVICES = (
    Accounts, Admin, AdminRoles, AdminUsers, Sessions, Keys, Popouts, SystemKeys, Login, Registration,
    Introspection, AuditLog, Extensions, Versions,
)  # fmt: skip
"""Every class that declares actions, for the census."""

AUTHENTICATION_EVENTS = ("auth.succeeded", "auth.failed", "auth.throttled")

PLACES = (
    Place("Build", "Extensions", "extensions", "/dashboard/extensions", "extensions:read"),
    Place("Build", "Tokens", "ticket", "/dashboard/account/tokens", "tokens:read"),
    Place("Account · Security", "API Keys", "key", "/dashboard/account/security/api-keys", "api-keys:read"),
    Place("Account · Security", "Audit Log", "log", "/dashboard/account/security/audit-log", "audit-log:read"),
    Place("Admin", "System", "system", "/system", "admin:access"),
    Place("Admin", "Users", "team", "/users", "users:read"),
)


def event_names() -> tuple[str, ...]:
    """Return every event that an action can record, for people who filter the log."""
    promised = (terms.event for terms in census(SERVICES) if terms.event)
    return tuple(sorted({*AUTHENTICATION_EVENTS, *admin_events.BESIDE, *promised}))


async def describe_person(perform: Perform, accounts: Accounts, asker: Asker) -> Facts:
    """Return what the shell shows of whoever is signed in."""
    me = await perform(accounts.me, asker)
    if me.user is None or me.account is None:
        raise Unauthenticated(internal="the shell needs a person in an account")
    account = {"id": me.account.id, "name": me.account.name, "slug": me.account.slug}
    role = (me.role or "").capitalize()
    return Facts(me.user.display_name, me.user.email, role, account, frozenset(me.permissions))


class Renderer:
    """Shows an error in the form of the surface that was asked."""

    def __init__(self, pages: Pages) -> None:
        """Show people's errors with `pages`."""
        self._pages = pages

    def __call__(self, request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
        """Return the answer."""
        request_id = str(request.scope["state"]["request_id"])
        understood = understand(error, request_id)
        path = request.url.path
        if path.startswith(developer.PREFIX):
            return developer.render(understood, request_id)
        form = FORM in getattr(request.scope.get("route_handler"), "opt", {})
        if path.startswith(("/v1/", "/api/")) and not form:
            return problem.render(understood, request_id)
        return self._pages.problem(request, understood)
