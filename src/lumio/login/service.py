"""Signing in, proving again, and the first operator.

Promise: nobody learns whether an address is known: not from the words, not from the work done.
"""

from msgspec import Struct

from lumio.access.action import action
from lumio.access.context import Context
from lumio.access.principal import Asker
from lumio.accounts.memberships import WITHHELD
from lumio.accounts.model import Person, own_account_name
from lumio.accounts.service import Accounts
from lumio.admin.service import Admin
from lumio.authority.subjects import Subject
from lumio.crypto import opaque
from lumio.crypto.hashing import StretchPool
from lumio.crypto.signing import LIFETIME_SECONDS
from lumio.kernel.errors import Denied, NotFound, Unauthenticated
from lumio.kernel.event import Actor
from lumio.login.codes import Codes
from lumio.login.guesses import Guesses
from lumio.login.model import Raised, SetUp, SignIn, StepUp, Welcome
from lumio.login.passwords import require_strong
from lumio.sessions.model import Opened
from lumio.sessions.service import Sessions
from lumio.storage.unit import Unit, Units, View

WRONG = "The mail address or the password is wrong. After a sign-up, open the link in your mail first."


class Checked(Struct, frozen=True):
    """What a password check found out before the unit opened."""

    person: Person | None
    account_id: str | None
    right: bool


class Login:
    """Passwords in, sessions out."""

    def __init__(
        self,
        accounts: Accounts,
        admin: Admin,
        sessions: Sessions,
        codes: Codes,
        guesses: Guesses,
        passwords: StretchPool,
        units: Units,
    ) -> None:
        """Stand on the lower services; `units` is for what must be known before an action's own unit."""
        self._accounts = accounts
        self._admin = admin
        self._sessions = sessions
        self._codes = codes
        self._guesses = guesses
        self._passwords = passwords
        self._units = units

    async def _stretch(self, _asker: Asker, form: SetUp) -> str:
        """Look at the code first, so that a stranger cannot buy Argon2id with a made-up one."""
        await self._units.read(lambda view: self._codes.look(view, opaque.SET_UP, form.code))
        await require_strong(form.password, [form.email, form.display_name, form.account_name])
        return await self._passwords.make(form.password)

    async def set_up_open(self, code: str) -> None:
        """Return when the set-up link is good. Raises NotFound otherwise."""
        await self._units.read(lambda view: self._open(view, code))

    async def _open(self, view: View, code: str) -> None:
        if await self._admin.has_operator(view):
            raise NotFound
        await self._codes.look(view, opaque.SET_UP, code)

    async def offer_set_up(self, unit: Unit) -> str | None:
        """Return a new one-time set-up code while there is no operator yet; older ones die."""
        if await self._admin.has_operator(unit):
            return None
        return await self._codes.issue(unit, opaque.SET_UP, None)

    @action("login.set_up", event="operator.created", prepare=_stretch)
    async def set_up(self, context: Context, form: SetUp) -> Welcome:
        """Make the first operator and their account; the code is spent."""
        unit = context.unit
        await unit.lock(shared=(), exclusive=("set-up",))
        if await self._admin.has_operator(unit):
            raise NotFound
        await self._codes.spend(unit, opaque.SET_UP, form.code)
        user_id = await self._accounts.add_person(
            unit, form.email, form.display_name, context.prepared, verified=True
        )
        account_id = await self._accounts.found_account(unit, user_id, form.account_name)
        await self._admin.appoint(unit, user_id)
        actor = Actor("user", user_id, form.email, auth_method="set_up")
        for event, target in (
            ("operator.created", ("user", user_id)),
            ("account.created", ("account", account_id)),
        ):
            context.record(event, target, account_id=account_id, actor=actor)
        return Welcome(user_id, account_id, form.email, form.account_name)

    async def _check(self, asker: Asker, form: SignIn) -> Checked:
        """Count the try, then compare; an unknown address costs the same as a known one."""
        person, account_id = await self._units.read(lambda view: self._person(view, form.email))
        ip = asker.origin.ip
        known = person is not None and await self._units.read(
            lambda view: self._sessions.known_address(view, person.id, ip)
        )
        await self._guesses.count(form.email, ip, known_address=known)
        right = await self._passwords.matches(form.password, person.password_hash if person else None)
        return Checked(person, account_id, right)

    async def _person(self, view: View, email: str) -> tuple[Person | None, str | None]:
        person = await self._accounts.person(view, email=email)
        home = await self._accounts.first_account_of(view, person.id) if person else None
        return person, home[0] if home else None

    @action("login.sign_in", event="session.created", prepare=_check)
    async def sign_in(self, context: Context, form: SignIn) -> Opened:
        """Open a session for a program: an access token and a refresh token."""
        return await self._open_session(context, form, page=False)

    @action("login.sign_in_page", event="session.created", prepare=_check)
    async def sign_in_page(self, context: Context, form: SignIn) -> Opened:
        """Open a session for a browser: always a new cookie."""
        return await self._open_session(context, form, page=True)

    async def _open_session(self, context: Context, form: SignIn, *, page: bool) -> Opened:
        checked: Checked = context.prepared
        person = checked.person
        if person is None or not (checked.right and person.active and person.verified):
            raise self._wrong(checked, form)
        actor = Actor("user", person.id, person.email, auth_method="password")
        if not await self._accounts.same_password(context.unit, person):
            raise self._wrong(checked, form)
        account_id = await self._home(context, person, actor)
        opened = await self._sessions.open(context.unit, person.id, account_id, context.asker.origin, page=page)
        await self._guesses.forgive(context.unit, form.email, context.asker.origin.ip)
        context.record("session.created", ("session", opened.session_id), account_id=account_id, actor=actor)
        await self._end_planted(context)
        return opened

    async def _home(self, context: Context, person: Person, actor: Actor) -> str:
        """Return the account that a new session acts in; whoever belongs to none any more gets one of their own."""
        home = await self._accounts.first_account_of(context.unit, person.id)
        if home is not None:
            return home[0]
        if await self._accounts.is_withheld(context.unit, person.id):
            raise Denied(WITHHELD).noted(reason="withheld", actor=actor)
        account_id = await self._accounts.found_account(context.unit, person.id, own_account_name(person))
        context.record("account.created", ("account", account_id), account_id=account_id, actor=actor)
        return account_id

    async def _end_planted(self, context: Context) -> None:
        """End the session that the browser came with: whoever planted it must not share the new one."""
        before = context.principal.session_id
        if before is not None and context.principal.page:
            await self._sessions.end_one(context.unit, before)
            context.record("session.ended", ("session", before), detail={"reason": "signed_in_again"})
            await context.end(Subject("session", before), reason="signed in again")

    def _wrong(self, checked: Checked, form: SignIn) -> Unauthenticated:
        """Return one error for every reason; the log tells a known person's failure in their account."""
        error = Unauthenticated(WRONG, internal="sign-in refused")
        if checked.person is None:
            name = self._guesses.name(form.email)[:16]
            return error.noted(actor=Actor("anonymous", label=f"unknown:{name}"), reason="unknown_or_wrong")
        actor = Actor("user", checked.person.id, checked.person.email, auth_method="password")
        return error.noted(actor=actor, account_id=checked.account_id, reason="wrong_password")

    async def _check_again(self, asker: Asker, form: StepUp) -> Checked:
        user_id = asker.principal.user_id
        if user_id is None or asker.principal.session_id is None:
            raise Denied("Only a signed-in person can do this.")
        person = await self._units.read(lambda view: self._accounts.person(view, user_id=user_id))
        if person is None:
            raise Unauthenticated(internal="the person is gone")
        await self._guesses.count(person.email, asker.origin.ip, known_address=True)
        right = await self._passwords.matches(form.password, person.password_hash)
        return Checked(person, asker.principal.account_id, right)

    @action("login.step_up", event="session.stepped_up", signed_in=True, prepare=_check_again)
    async def step_up(self, context: Context, form: StepUp) -> Raised:
        """Prove again who is asking: a new access token for a program, a new cookie for a page."""
        checked: Checked = context.prepared
        person, principal = checked.person, context.principal
        if person is None or not checked.right:
            raise Denied("The password is wrong.").noted(reason="wrong_password")
        page = principal.page
        secret, moment = await self._sessions.raise_proof(context.unit, principal, page=page)
        await self._guesses.forgive(context.unit, person.email, context.asker.origin.ip)
        session_id = principal.session_id or ""
        context.record("session.stepped_up", ("session", session_id), detail={"method": form.method})
        if page:
            context.asker.outcome.ended_self = True  # the secret that asked is dead at commit: as promised
            await context.end(Subject("session", session_id), reason="stepped up", effect="changed")
            return Raised(moment, LIFETIME_SECONDS, page_secret=secret)
        return Raised(moment, LIFETIME_SECONDS, access_token=secret)
