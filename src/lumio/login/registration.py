"""Sign-up with mail verification, and password reset.

Promise: the answer is the same for a known and an unknown address; the truth goes to the mail box.
"""

from msgspec import Struct

from lumio.access.action import action
from lumio.access.context import Context
from lumio.access.principal import Asker
from lumio.accounts.model import Person, clean_name, mail_key, own_account_name
from lumio.accounts.service import Accounts
from lumio.authority.subjects import Subject
from lumio.crypto import opaque
from lumio.crypto.hashing import StretchPool
from lumio.kernel import clock
from lumio.kernel.errors import NotFound
from lumio.kernel.event import Actor
from lumio.login import mails
from lumio.login.codes import Codes
from lumio.login.guesses import Guesses
from lumio.login.model import Accepted, AskReset, Reset, SignUp, Waiting, WithCode
from lumio.login.passwords import require_strong
from lumio.sessions.service import Sessions
from lumio.storage.outbox import Outbox
from lumio.storage.unit import Unit, Units

LOOK_IN_MAIL = "If the address can be used, a mail is on its way to it. Open the link in it."


class Links(Struct, frozen=True):
    """Makes the addresses that go into mails; the host is the configured one, never the request's."""

    public_url: str

    def to(self, path: str) -> str:
        """Return the public address of a page."""
        return f"{self.public_url}{path}"


class Registration:
    """New people, and people who forgot."""

    def __init__(
        self,
        accounts: Accounts,
        sessions: Sessions,
        codes: Codes,
        guesses: Guesses,
        passwords: StretchPool,
        outbox: Outbox,
        units: Units,
        links: Links,
    ) -> None:
        """Stand on the lower services."""
        self._accounts = accounts
        self._sessions = sessions
        self._codes = codes
        self._guesses = guesses
        self._passwords = passwords
        self._outbox = outbox
        self._units = units
        self._links = links

    async def _stretch(self, _asker: Asker, form: SignUp) -> str:
        await require_strong(form.password, [form.email, form.display_name])
        return await self._passwords.make(form.password)

    @action("login.sign_up", event="user.signed_up", prepare=_stretch)
    async def sign_up(self, context: Context, form: SignUp) -> Accepted:
        """Note a new person, or tell a known one by mail; the answer is the same."""
        unit = context.unit
        # Before anybody is looked up: a refusal must tell nothing about the address.
        name = clean_name("display_name", form.display_name)
        await unit.lock(shared=(), exclusive=(f"mail:{mail_key(form.email)}",))
        person = await self._accounts.person(unit, email=form.email)
        if person is not None and person.verified:
            mail = mails.already_known(person.email, self._links.to("/login"), self._links.to("/reset"))
            context.post(self._outbox.message(mails.MAIL, mail))
            context.record("user.signed_up", ("user", person.id), detail={"known": True})
            return Accepted(LOOK_IN_MAIL)
        # The password waits with the code: only the link of this very sign-up makes it the person's.
        user_id = (
            person.id if person else await self._accounts.add_person(unit, form.email, name, None, verified=False)
        )
        code = await self._codes.issue_for(unit, user_id, Waiting(name, context.prepared))
        asked = mails.Asked(clock.now(), context.asker.origin.ip)
        mail = mails.verify_address(form.email, name, self._links.to(f"/verify/{code}"), asked)
        context.post(self._outbox.message(mails.MAIL, mail))
        context.record("user.signed_up", ("user", user_id), detail={"known": False})
        return Accepted(LOOK_IN_MAIL)

    @action("login.verify_mail", event="user.mail_verified")
    async def verify_mail(self, context: Context, form: WithCode) -> Accepted:
        """Take a mailed code: its sign-up becomes a person with an account, every other with the address is void."""
        unit = context.unit
        waiting = await self._codes.look(unit, opaque.MAIL_VERIFICATION, form.code)
        await self._alone(unit, waiting.user_id)
        await self._codes.spend(unit, opaque.MAIL_VERIFICATION, form.code)
        await self._codes.cancel(unit, opaque.MAIL_VERIFICATION, waiting.user_id)
        await self._accounts.set_password(unit, waiting.user_id, waiting.password_hash)
        await self._accounts.rename(unit, waiting.user_id, waiting.display_name)
        await self._accounts.verify_mail(unit, waiting.user_id)
        person = await self._accounts.person(unit, user_id=waiting.user_id)
        if person is None:
            raise NotFound
        account_id = await self._accounts.found_account(unit, person.id, own_account_name(person))
        actor = Actor("user", person.id, person.email, auth_method="mailed_code")
        context.record("user.mail_verified", ("user", person.id), account_id=account_id, actor=actor)
        context.record("account.created", ("account", account_id), account_id=account_id, actor=actor)
        return Accepted("Your mail address is confirmed. You can sign in now.")

    @action("login.ask_reset", event="password.reset_asked")
    async def ask_reset(self, context: Context, form: AskReset) -> Accepted:
        """Mail a reset link to a known address; an unknown one costs the same and gets nothing."""
        person = await self._accounts.person(context.unit, email=form.email)
        home = await self._accounts.first_account_of(context.unit, person.id) if person else None
        code = await self._codes.issue(context.unit, opaque.PASSWORD_RESET, person.id if person else "nobody")
        mail = mails.reset_password(form.email, self._links.to(f"/reset/{code}"))
        context.post(self._outbox.message(mails.MAIL if person else mails.VOID, mail))
        context.record(
            "password.reset_asked",
            ("user", person.id) if person else None,
            account_id=home[0] if home else None,
        )
        return Accepted(LOOK_IN_MAIL)

    async def _alone(self, unit: Unit, user_id: str) -> Person:
        """Return a person whom no other sign-up, confirmation or reset touches until the unit's end."""
        person = await self._accounts.person(unit, user_id=user_id)
        if person is not None:
            await unit.lock(shared=(), exclusive=(f"mail:{mail_key(person.email)}",))
            person = await self._accounts.person(unit, user_id=user_id)
        if person is None:
            raise NotFound("This link is not valid any more.")
        return person

    async def _stretch_reset(self, _asker: Asker, form: Reset) -> str:
        row = await self._units.read(lambda view: self._codes.look(view, opaque.PASSWORD_RESET, form.code))
        person = await self._units.read(lambda view: self._accounts.person(view, user_id=row.user_id))
        if person is None:
            raise NotFound("This link is not valid any more.")
        await require_strong(form.password, [person.email, person.display_name])
        return await self._passwords.make(form.password)

    @action("login.reset", event="password.reset", prepare=_stretch_reset)
    async def reset(self, context: Context, form: Reset) -> Accepted:
        """Take a mailed code and a new password; every session of the person ends."""
        unit = context.unit
        spent = await self._codes.spend(unit, opaque.PASSWORD_RESET, form.code)
        person = await self._alone(unit, spent.user_id)
        await self._accounts.set_password(unit, person.id, context.prepared)
        await self._guesses.forgive(unit, person.email)
        home = await self._accounts.first_account_of(unit, person.id)
        if not person.verified:
            # The mail box is proven now; an unverified sign-up becomes a person like any other.
            await self._accounts.verify_mail(unit, person.id)
            await self._codes.cancel(unit, opaque.MAIL_VERIFICATION, person.id)
            account_id = await self._accounts.found_account(unit, person.id, own_account_name(person))
        else:
            account_id = home[0] if home else ""
        context.post(self._outbox.message(mails.MAIL, mails.password_changed(person.email)))
        actor = Actor("user", person.id, person.email, auth_method="mailed_code")
        context.record("password.reset", ("user", person.id), account_id=account_id or None, actor=actor)
        ended: list[Subject] = await self._sessions.end_all(unit, person.id)
        if ended:
            await context.end(*ended, reason="password reset")
        return Accepted("Your password is changed. Sign in with the new one.")
