"""Joining a team with a new account: the mailed invitation proves the address, so no second mail is needed.

Promise: only an address without a confirmed person can be joined with; a known person signs in instead.
"""

from msgspec import Struct

from lumio.access.action import action
from lumio.access.context import Context
from lumio.access.principal import Asker
from lumio.accounts.model import clean_name
from lumio.accounts.service import Accounts
from lumio.authority.subjects import Subject
from lumio.crypto import opaque
from lumio.crypto.hashing import StretchPool
from lumio.kernel.errors import Conflict
from lumio.kernel.event import Actor
from lumio.login.codes import Codes
from lumio.login.model import Join
from lumio.login.passwords import require_strong
from lumio.storage.unit import Units
from lumio.teams.invitations import Invitations
from lumio.teams.model import Joined


class Ready(Struct, frozen=True):
    """The stretched password, and the subjects that an acceptance locks."""

    password_hash: str
    ends: tuple[Subject, ...]


class Joining:
    """New people who were invited."""

    def __init__(
        self, accounts: Accounts, invitations: Invitations, codes: Codes, passwords: StretchPool, units: Units
    ) -> None:
        """Stand on the lower services."""
        self._accounts = accounts
        self._invitations = invitations
        self._codes = codes
        self._passwords = passwords
        self._units = units

    async def _stretch(self, _asker: Asker, form: Join) -> Ready:
        """Look at the invitation first, so that a stranger cannot buy Argon2id with a made-up one."""
        row = await self._units.read(lambda view: self._invitations.look(view, form.code))
        clean_name("display_name", form.display_name)
        await require_strong(form.password, [row.email, form.display_name])
        password_hash = await self._passwords.make(form.password)
        return Ready(password_hash, tuple(self._invitations.locks(row, None)))

    @action("login.join", event="invitation.accepted", prepare=_stretch)
    async def join(self, context: Context, form: Join) -> Joined:
        """Make the person, with the address that the invitation went to, and let them in."""
        unit = context.unit
        row = await self._invitations.look(unit, form.code)
        await unit.lock(shared=(), exclusive=(f"mail:{row.email_key}",))
        user_id = await self._person(context, row.email, form)
        actor = Actor("user", user_id, row.email, auth_method="mailed_code")
        joined = await self._invitations.enter(context, row, user_id, actor)
        context.record("user.mail_verified", ("user", user_id), account_id=row.account_id, actor=actor)
        subject = Subject("role", f"{row.account_id},{user_id}")
        await context.end(subject, reason="joined", effect="changed")
        return joined

    async def _person(self, context: Context, email: str, form: Join) -> str:
        """Return a person with a proven address; what an unconfirmed sign-up left is replaced."""
        unit, ready = context.unit, context.prepared
        name = clean_name("display_name", form.display_name)
        person = await self._accounts.person(unit, email=email)
        if person is None:
            return await self._accounts.add_person(unit, email, name, ready.password_hash, verified=True)
        if person.verified:
            raise Conflict("This address has an account already. Sign in to join.")
        await self._accounts.set_password(unit, person.id, ready.password_hash)
        await self._accounts.rename(unit, person.id, name)
        await self._accounts.verify_mail(unit, person.id)
        await self._codes.cancel(unit, opaque.MAIL_VERIFICATION, person.id)
        return person.id
