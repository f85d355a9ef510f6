"""People, accounts and standing; the tables are read in this package and nowhere else."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import bindparam, insert, not_, or_, select, tuple_, update

from lumio.accounts.model import (
    AccountView,
    Listed,
    Membership,
    Person,
    Place,
    Standing,
    UserView,
    mail_key,
    name_key,
)
from lumio.accounts.store.tables import accounts, members, users
from lumio.accounts.store.withheld import USER_WITHHELD, WITHHELD
from lumio.kernel import clock, ids
from lumio.storage.hot import HOT_ROWS_MAX, HotQuery, HotReader
from lumio.storage.unit import Unit, View

_STANDING = (
    select(
        members.c.id, members.c.account_id, members.c.user_id, members.c.role,
        members.c.name, users.c.display_name, users.c.email,
    )
    .select_from(
        members.outerjoin(users, users.c.id == members.c.user_id)
        .join(accounts, accounts.c.id == members.c.account_id)
    )
    .where(users.c.suspended_at.is_(None), accounts.c.closed_at.is_(None), not_(WITHHELD))
)  # fmt: skip
_BY_MEMBER = HotQuery(_STANDING.where(members.c.id == bindparam("member_id")))
_BY_USER = HotQuery(
    _STANDING.where(members.c.account_id == bindparam("account_id"), members.c.user_id == bindparam("user_id"))
)
_ACCOUNT = select(accounts.c.id, accounts.c.slug, accounts.c.name).where(accounts.c.closed_at.is_(None))
_ACCOUNT_NOW = HotQuery(_ACCOUNT.where(accounts.c.id == bindparam("account_id")))
_PLACE = HotQuery(
    select(
        users.c.id, users.c.email, users.c.display_name, accounts.c.id, accounts.c.slug, accounts.c.name,
        members.c.role, users.c.suspended_at,
    )
    .select_from(
        members.outerjoin(users, users.c.id == members.c.user_id)
        .join(accounts, accounts.c.id == members.c.account_id)
    )
    .where(members.c.id == bindparam("member_id"), accounts.c.closed_at.is_(None))
)  # fmt: skip


class AccountStore:
    """Reads and writes people, accounts, memberships."""

    def __init__(self, hot: HotReader) -> None:
        """Use `hot` for the reads of every request."""
        self._hot = hot

    async def standing_of_member(self, hot: HotReader, member_id: str) -> Standing | None:
        """Return what a member is now, by the hot path."""
        row = await hot.row(_BY_MEMBER, member_id=member_id)
        return None if row is None else _same_standing(row)

    async def standing_of_user(self, hot: HotReader, account_id: str, user_id: str) -> Standing | None:
        """Return what a person is in an account now, by the hot path."""
        row = await hot.row(_BY_USER, account_id=account_id, user_id=user_id)
        return None if row is None else _same_standing(row)

    async def exists(self, account_id: str) -> bool:
        """Tell whether there is such an account, by the hot path."""
        return await self.account_now(account_id) is not None

    async def account_now(self, account_id: str) -> AccountView | None:
        """Return an account, by the hot path."""
        row = await self._hot.row(_ACCOUNT_NOW, account_id=account_id)
        return None if row is None else AccountView(*row)

    async def place_of_member(self, member_id: str) -> Place:
        """Return who a member is and where, by the hot path."""
        row = await self._hot.row(_PLACE, member_id=member_id)
        if row is None:
            return Place(None, None, None)
        user = None if row[0] is None else UserView(*row[:3])
        return Place(user, AccountView(*row[3:6]), row[6] if row[7] is None else None)

    async def standing_within(self, view: View, member_id: str) -> Standing | None:
        """Return what a member is, as `view` sees it."""
        row = (await view.execute(_STANDING.where(members.c.id == member_id))).first()
        return None if row is None else _standing(row)

    async def members_of(self, view: View, account_id: str) -> dict[str, Standing]:
        """Return every active member of an account by id."""
        rows = await view.execute(_STANDING.where(members.c.account_id == account_id))
        return {row.id: _standing(row) for row in rows}

    async def accounts_of(self, view: View, user_id: str) -> list[tuple[str, str]]:
        """Return (account id, member id) of a person's memberships that count, the oldest first."""
        found = select(members.c.account_id, members.c.id).join(accounts, accounts.c.id == members.c.account_id)
        open_ones = found.where(members.c.user_id == user_id, accounts.c.closed_at.is_(None), not_(WITHHELD))
        rows = await view.execute(open_ones.order_by(members.c.created_at, members.c.id))
        return [(row.account_id, row.id) for row in rows]

    async def is_withheld(self, view: View, user_id: str) -> bool:
        """Tell whether a person, or a place of theirs in an account that is open, is withheld."""
        person = select(users.c.id).where(users.c.id == user_id, USER_WITHHELD)
        place = select(members.c.id).join(accounts, accounts.c.id == members.c.account_id)
        place = place.where(members.c.user_id == user_id, accounts.c.closed_at.is_(None), WITHHELD)
        return any([(await view.execute(found.limit(1))).first() is not None for found in (person, place)])

    async def account(self, view: View, account_id: str) -> AccountView | None:
        """Return an account."""
        row = (await view.execute(_ACCOUNT.where(accounts.c.id == account_id))).first()
        return None if row is None else AccountView(row.id, row.slug, row.name)

    async def person(self, view: View, *, user_id: str = "", email: str = "") -> Person | None:
        """Return a person by id or by mail address, with what sign-in needs."""
        match = users.c.id == user_id if user_id else users.c.email_key == mail_key(email)
        row = (await view.execute(select(users).where(match))).first()
        return None if row is None else _person(row)

    async def people(
        self, view: View, wanted: str, limit: int, after: tuple[datetime, str] | None
    ) -> Sequence[Listed]:
        """Return people whose address or name has `wanted` in it, the newest first."""
        found = select(users)
        if wanted:
            key = name_key(wanted)
            match = [column.contains(key, autoescape=True) for column in (users.c.email_key, users.c.name_key)]
            found = found.where(or_(*match))
        if after is not None:
            last = tuple_(*after, types=[users.c.created_at.type, users.c.id.type])
            found = found.where(tuple_(users.c.created_at, users.c.id) < last)
        ordered = found.order_by(users.c.created_at.desc(), users.c.id.desc()).limit(limit)
        return [_listed(row) for row in await view.execute(ordered)]

    async def listed(self, view: View, user_id: str) -> Listed | None:
        """Return one person in the same form."""
        row = (await view.execute(select(users).where(users.c.id == user_id))).first()
        return None if row is None else _listed(row)

    async def memberships(self, view: View, user_ids: Iterable[str]) -> dict[str, list[Membership]]:
        """Return the accounts of some people by person, the oldest membership first."""
        found: dict[str, list[Membership]] = {user_id: [] for user_id in user_ids}
        joined = select(members.c.user_id, accounts.c.id, accounts.c.name, members.c.role).join(
            accounts, accounts.c.id == members.c.account_id
        )
        open_ones = joined.where(accounts.c.closed_at.is_(None))
        wanted = open_ones.where(members.c.user_id.in_(list(found))).order_by(members.c.created_at, members.c.id)
        for row in await view.execute(wanted):
            found[row.user_id].append(Membership(row.id, row.name, row.role))
        return found

    async def any_active(self, view: View, user_ids: Iterable[str]) -> bool:
        """Tell whether one of these people can sign in: not suspended, not withheld, with a confirmed address."""
        able = select(users.c.id).where(
            users.c.id.in_(list(user_ids)),
            users.c.suspended_at.is_(None),
            users.c.verified_at.is_not(None),
            not_(USER_WITHHELD),
        )
        return (await view.execute(able.limit(1))).first() is not None

    async def slug_taken(self, view: View, slug: str) -> bool:
        """Tell whether an account has this slug."""
        return (await view.execute(select(accounts.c.id).where(accounts.c.slug == slug))).first() is not None

    async def add_user(self, unit: Unit, email: str, name: str, password_hash: str | None, *, verified: bool) -> str:
        """Insert a person; return the id. Raises IntegrityError when the address is taken."""
        row = {
            "id": ids.uuid7(), "email": email, "email_key": mail_key(email), "display_name": name,
            "name_key": name_key(name), "password_hash": password_hash, "created_at": clock.now(),
            "verified_at": clock.now() if verified else None,
        }  # fmt: skip
        await unit.execute(insert(users), row)
        return str(row["id"])

    async def add_account(self, unit: Unit, slug: str, name: str) -> str:
        """Insert an account; return the id."""
        row = {"id": ids.uuid7(), "slug": slug, "name": name, "created_at": clock.now()}
        await unit.execute(insert(accounts), row)
        return str(row["id"])

    async def add_member(self, unit: Unit, account_id: str, user_id: str, role: str) -> str:
        """Insert a person's membership; return the id."""
        row = {
            "id": ids.uuid7(), "account_id": account_id, "user_id": user_id, "kind": "person",
            "role": role, "created_at": clock.now(),
        }  # fmt: skip
        await unit.execute(insert(members), row)
        return str(row["id"])

    async def change_user(self, unit: Unit, user_id: str, **values: Any) -> None:
        """Update columns of a person."""
        await unit.execute(update(users).where(users.c.id == user_id).values(**values))


def _standing(row: Any) -> Standing:
    member_id, account_id, user_id, role, own_name, display_name, email = row
    return Standing(member_id, account_id, user_id, role, own_name or display_name or "", email)


@lru_cache(HOT_ROWS_MAX)
def _same_standing(row: tuple[Any, ...]) -> Standing:
    """Return a standing: the same object as long as the database says the same."""
    return _standing(row)


def _listed(row: Any) -> Listed:
    return Listed(row.id, row.email, row.display_name, row.verified_at is not None, row.suspended_at, row.created_at)


def _person(row: Any) -> Person:
    return Person(
        row.id,
        row.email,
        row.display_name,
        row.password_hash,
        verified=row.verified_at is not None,
        active=row.suspended_at is None,
    )
