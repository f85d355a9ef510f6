"""A small world for tests: a real house on a real database, people with roles, and clients named by credential."""

import asyncio
import re
import shutil
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import httpx2

from lumio.access.policy import Role
from lumio.accounts.store import AccountStore
from lumio.app import House, build
from lumio.authority.lease import Instant
from lumio.authority.leased import LeasedAuthority
from lumio.crypto.hashing import Cost
from lumio.kernel import clock
from lumio.login.model import SetUp
from lumio.settings import RATES, Settings, load
from lumio.storage.migrate import upgrade
from lumio.storage.rates import RateWindows
from tests.support.postgres import PostgresServer

PASSWORD = "violet-otter-sings-9-times"
OPERATOR = "robin@example.com"
PUBLIC = "https://lumio.example"
HOME, TEMPLATE = "home_house", "template_house"
CHEAP = Cost(8, 1)
"""Argon2id for tests: the real algorithm, at its smallest."""


@dataclass(slots=True)
class Template:
    """A migrated database with the first operator in it, to be copied for each test."""

    backend: str
    folder: Path
    postgres: PostgresServer | None

    def fresh(self) -> Settings:
        """Return settings for a new copy, always in the same place: a house built once can serve many tests."""
        home = self.folder.with_name(f"home-{self.backend}")
        shutil.rmtree(home, ignore_errors=True)
        home.mkdir()
        shutil.copy(self.folder / "root.secret", home / "root.secret")
        settings = _settings(home, None if self.postgres is None else self.postgres.renew(HOME, TEMPLATE))
        if self.postgres is None:
            shutil.copy(self.folder / "lumio.db", home / "lumio.db")
        shutil.rmtree(settings.journal_dir, ignore_errors=True)
        shutil.copytree(_settings(self.folder).journal_dir, settings.journal_dir)
        return settings


def _settings(folder: Path, url: str | None = None) -> Settings:
    given = {"LUMIO_DATA_DIR": str(folder), "LUMIO_PUBLIC_URL": PUBLIC}
    given |= {f"LUMIO_RATE_{name}": "1000000" for name in RATES}  # a test of a limit sets its own
    if url is not None:
        given["LUMIO_DATABASE_URL"] = url
    return load(given)


@dataclass(slots=True)
class Templates:
    """The templates of this process, made when first asked for, and on another day anew: the log has days."""

    _made: dict[str, tuple[date, Template]] = field(default_factory=dict)

    def of(self, backend: str, folder: Path, postgres: PostgresServer | None) -> Template:
        """Return the template of a backend; `folder` is where one that has to be made gets a place of its own."""
        today = clock.now().date()
        if backend not in self._made or self._made[backend][0] != today:
            place = folder / f"template-{backend}-{today}"
            place.mkdir()
            self._made[backend] = today, asyncio.run(make_template(backend, place, postgres))
        return self._made[backend][1]


async def make_template(backend: str, folder: Path, postgres: PostgresServer | None) -> Template:
    """Migrate an empty database and make its first operator, through the real set-up."""
    url = None if postgres is None else postgres.begin_anew(TEMPLATE, HOME)
    settings = _settings(folder, url)
    await upgrade(settings.database_url)
    async with opened(settings) as world:
        code = await world.house.units.run(world.house.login.offer_set_up)
        assert code is not None
        form = SetUp(code, OPERATOR, PASSWORD, "Robin Vale", "Acme Overlays")
        body = {name: getattr(form, name) for name in SetUp.__struct_fields__}
        answer = await world.anonymous().post("/v1/setup", json=body)
        assert answer.status_code == 201, answer.text
        await world.house.rates.close()  # what was lent is not drawn after all rows are gone
        await RateWindows(world.house.database).forget(2**40)
    if postgres is None:
        with sqlite3.connect(folder / "lumio.db") as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.close()
    return Template(backend, folder, postgres)


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator["World"]:
    """Open a house on `settings`."""
    async with built(settings).open() as house:
        yield World(house)


def built(settings: Settings) -> House:
    """Build a house in which a test may travel in time: a jump of the wall clock means nothing to its lease."""
    house = build(settings, password_cost=CHEAP, key_cost=CHEAP)
    if isinstance(house.authority, LeasedAuthority):
        house.authority.lease.read = lambda: Instant(clock.boottime(), clock.boottime())
    return house


@dataclass(slots=True)
class World:
    """An open house and ways to talk to it."""

    house: House

    def client(self, ip: str = "203.0.113.7", **headers: str) -> httpx2.AsyncClient:
        """Return a client that speaks to the application without a network."""
        transport = httpx2.ASGITransport(self.house.asgi, raise_app_exceptions=False, client=(ip, 4711))
        return httpx2.AsyncClient(transport=transport, base_url=PUBLIC, headers=headers, trust_env=False)

    def anonymous(self, ip: str = "203.0.113.7") -> httpx2.AsyncClient:
        """Return a client that presents nothing."""
        return self.client(ip)

    def bearer(self, credential: str, ip: str = "203.0.113.7") -> httpx2.AsyncClient:
        """Return a client that presents `credential` in the Authorization header."""
        return self.client(ip, Authorization=f"Bearer {credential}")

    async def sign_in(self, email: str = OPERATOR, ip: str = "203.0.113.7") -> httpx2.AsyncClient:
        """Return a client with a fresh access token."""
        answer = await self.anonymous(ip).post("/v1/auth/login", json={"email": email, "password": PASSWORD})
        assert answer.status_code == 200, answer.text
        return self.bearer(answer.json()["data"]["access_token"], ip)

    async def page_client(self, email: str = OPERATOR, ip: str = "203.0.113.7") -> httpx2.AsyncClient:
        """Return a client that signed in through the page, with its cookies and its form token as a header."""
        client = self.client(ip, Origin=PUBLIC)
        form = await client.get("/login")
        csrf = re.search(r'name="_csrf" value="([^"]+)"', form.text)
        assert csrf is not None, form.text
        fields = {"email": email, "password": PASSWORD, "_csrf": csrf.group(1)}
        answer = await client.post("/api/login", data=fields)
        assert answer.status_code == 303, answer.text
        page = await client.get("/dashboard/account/security/api-keys")
        token = re.search(r'name="csrf-token" content="([^"]+)"', page.text)
        assert token is not None, page.text
        client.headers["X-CSRF-Token"] = token.group(1)
        return client

    async def forget(self) -> None:
        """Let this node know nothing of any status, as one that has just started."""
        authority = self.house.authority
        if isinstance(authority, LeasedAuthority):
            authority.memory.reset(authority.memory.cursor, authority.tail.written_at)

    async def new_person(self, email: str, role: Role | None = None, account_id: str | None = None) -> dict[str, str]:
        """Make a verified person: alone with an account of their own, or a member of `account_id` with `role`."""
        house, store = self.house, AccountStore(self.house.database.hot)
        hashed = await house.passwords.make(PASSWORD)

        async def step(unit: Any) -> dict[str, str]:
            user_id = await store.add_user(unit, email, email.partition("@")[0].title(), hashed, verified=True)
            home = account_id or await store.add_account(unit, f"home-{user_id[-12:]}", f"Home of {email}")
            member_id = await store.add_member(unit, home, user_id, role or Role.OWNER)
            return {"user_id": user_id, "account_id": home, "member_id": member_id}

        return await house.units.run(step)

    async def account_id(self, client: httpx2.AsyncClient) -> str:
        """Return the account that a client acts in."""
        return str((await client.get("/v1/users/me")).json()["data"]["account"]["id"])

    async def mint_key(self, client: httpx2.AsyncClient, label: str = "ci-github-actions") -> dict[str, Any]:
        """Make a developer key; return the answer's data with the key."""
        answer = await client.post("/v1/api-keys", json={"label": label})
        assert answer.status_code == 201, answer.text
        made: dict[str, Any] = answer.json()["data"]
        return made

    async def log(self, client: httpx2.AsyncClient, **filters: str) -> list[dict[str, Any]]:
        """Return the newest entries of the account's audit log."""
        answer = await client.get("/v1/audit-log", params={"limit": "200", **filters})
        assert answer.status_code == 200, answer.text
        entries: list[dict[str, Any]] = answer.json()["data"]
        return entries
