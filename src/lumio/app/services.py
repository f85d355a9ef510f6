"""The domains on their ground: each service once, and a verifier for each kind of credential."""

from dataclasses import dataclass

from lumio.access.authenticator import Authenticator, Verifier
from lumio.accounts.memberships import Memberships
from lumio.accounts.service import Accounts
from lumio.accounts.store import AccountStore
from lumio.accounts.store.membership import MemberStore
from lumio.accounts.store.withheld import WithheldStore
from lumio.accounts.withholding import Withholding
from lumio.admin.roles import AdminRoles
from lumio.admin.service import Admin
from lumio.admin.store import AdminStore
from lumio.admin.users import AdminUsers
from lumio.app.endings import Endings
from lumio.app.ground import Ground
from lumio.audit.exports import Exports
from lumio.audit.service import AuditLog, PlatformLog
from lumio.audit.signing import Signing
from lumio.audit.store.counting import CountStore
from lumio.audit.store.exporting import ExportStore
from lumio.audit.store.reading import AuditStore
from lumio.billing.service import Billing
from lumio.billing.store import BillingStore
from lumio.crypto import opaque
from lumio.crypto.hashing import Peppers, Tags
from lumio.crypto.proofs import Proofs
from lumio.crypto.sealing import Sealer
from lumio.departures.service import Departures
from lumio.extensions.bundles import BundleStore
from lumio.extensions.service import Extensions
from lumio.extensions.store import ExtensionStore, VersionStore
from lumio.extensions.versions import Versions
from lumio.keys.endings import KeyEndings
from lumio.keys.service import Keys
from lumio.keys.store import KeyStore
from lumio.keys.verify import KeyVerifier
from lumio.login.codes import Codes
from lumio.login.guesses import Guesses
from lumio.login.joining import Joining
from lumio.login.registration import Links, Registration
from lumio.login.service import Login
from lumio.login.store import LoginStore
from lumio.popouts.admission import admitted
from lumio.popouts.endings import PopoutEndings
from lumio.popouts.service import Popouts
from lumio.popouts.store import PopoutStore
from lumio.popouts.verify import PopoutVerifier
from lumio.revocations.service import Revocations
from lumio.sessions.endings import SessionEndings
from lumio.sessions.service import Sessions
from lumio.sessions.store import SessionStore
from lumio.sessions.verify import SessionVerifier
from lumio.system_keys.endings import SystemKeyEndings
from lumio.system_keys.profiles import Profiles
from lumio.system_keys.service import SystemKeys
from lumio.system_keys.store import SystemKeyStore
from lumio.system_keys.verify import SystemKeyVerifier
from lumio.teams.invitations import Invitations
from lumio.teams.service import Teams
from lumio.teams.store import InvitationStore
from lumio.teams.sub_accounts import SubAccounts


@dataclass(frozen=True, slots=True)
class Stores:
    """The stores that both a service and a verifier read."""

    sessions: SessionStore
    keys: KeyStore
    popouts: PopoutStore
    system_keys: SystemKeyStore


@dataclass(frozen=True, slots=True)
class Services:
    """Every domain's service."""

    accounts: Accounts
    admin: Admin
    admin_roles: AdminRoles
    admin_users: AdminUsers
    sessions: Sessions
    keys: Keys
    popouts: Popouts
    system_keys: SystemKeys
    extensions: Extensions
    versions: Versions
    codes: Codes
    guesses: Guesses
    login: Login
    registration: Registration
    joining: Joining
    audit_log: AuditLog
    teams: Teams
    invitations: Invitations
    sub_accounts: SubAccounts
    departures: Departures
    billing: Billing
    platform_log: PlatformLog
    exports: Exports
    signing: Signing
    revocations: Revocations
    withholding: Withholding
    endings: Endings


def employ(ground: Ground, stores: Stores, tags: Tags, proofs: Proofs) -> Services:
    """Build the services, the lower ones first."""
    settings, units, peppers = ground.settings, ground.units, ground.peppers
    accounts, admin = Accounts(AccountStore(ground.database.hot)), Admin(AdminStore(), ground.database.hot)
    sessions = Sessions(stores.sessions, peppers, ground.access_tokens, ground.authority, ground.failures, accounts)
    keys = Keys(stores.keys, peppers, accounts)
    popouts = Popouts(stores.popouts, peppers, accounts, admitted(settings.popout_admits))
    memberships, outbox, withholding = Memberships(MemberStore()), ground.outbox, Withholding(WithheldStore())
    invitations = Invitations(InvitationStore(), peppers, accounts, memberships, outbox, units, settings.public_url)
    extensions, login_store = ExtensionStore(), LoginStore()
    codes = Codes(login_store, peppers)
    guesses = Guesses(login_store, Peppers(ground.ring, "guesses"), units)
    links = Links(settings.public_url)
    signing = Signing(ExportStore(), ground.notary)
    endings = _endings(stores, withholding)
    ground.outside.entrust(endings.replays())
    return Services(
        accounts=accounts,
        admin=admin,
        admin_roles=AdminRoles(AdminStore(), admin),
        admin_users=AdminUsers(AdminStore(), admin, accounts, sessions.end_all),
        sessions=sessions,
        keys=keys,
        popouts=popouts,
        system_keys=SystemKeys(
            stores.system_keys, Profiles(settings.profiles), admin, tags, proofs, ground.database.hot
        ),
        extensions=Extensions(extensions),
        versions=Versions(extensions, VersionStore(), BundleStore(settings.bundle_store), units),
        codes=codes,
        guesses=guesses,
        login=Login(accounts, admin, sessions, codes, guesses, ground.passwords, units),
        registration=Registration(accounts, sessions, codes, guesses, ground.passwords, ground.outbox, units, links),
        joining=Joining(accounts, invitations, codes, ground.passwords, units),
        audit_log=AuditLog(AuditStore(), CountStore(), signing),
        platform_log=PlatformLog(AuditStore(), CountStore(), signing),
        exports=Exports(ExportStore(), accounts, units, ground.notary),
        signing=signing,
        teams=Teams(accounts, memberships, withholding, outbox),
        invitations=invitations,
        sub_accounts=SubAccounts(memberships),
        departures=Departures(accounts, memberships, keys, popouts, sessions, outbox, units),
        billing=Billing(BillingStore(), Sealer(ground.ring, "billing")),
        revocations=Revocations(),
        withholding=withholding,
        endings=endings,
    )


def _endings(stores: Stores, withholding: Withholding) -> Endings:
    """Build what ends credentials of every kind at once."""
    return Endings(
        KeyEndings(stores.keys),
        PopoutEndings(stores.popouts),
        SessionEndings(stores.sessions),
        SystemKeyEndings(stores.system_keys),
        withholding,
    )


def make_stores() -> Stores:
    """Build the stores that both a service and a verifier read."""
    return Stores(SessionStore(), KeyStore(), PopoutStore(), SystemKeyStore())


def doorkeeper(ground: Ground, stores: Stores, services: Services, tags: Tags, proofs: Proofs) -> Authenticator:
    """Build the authenticator, with a verifier for each kind of credential."""
    accounts, authority, peppers = services.accounts, ground.authority, ground.peppers
    sessions = SessionVerifier(stores.sessions, services.sessions, accounts, authority, peppers, ground.access_tokens)
    verifiers: dict[str, Verifier] = {
        "lm_eyJ": sessions,
        opaque.PAGE_SESSION: sessions,
        opaque.DEVELOPER_KEY: KeyVerifier(stores.keys, services.keys, accounts, authority, peppers),
        opaque.SYSTEM_KEY: SystemKeyVerifier(stores.system_keys, services.system_keys, authority, tags, proofs),
        opaque.POPOUT_TOKEN: PopoutVerifier(stores.popouts, services.popouts, accounts, authority, peppers),
    }
    return Authenticator(verifiers, authority, ground.journal, ground.failures, accounts.exists, ground.metrics)
