"""Who belongs to an account: people and sub-accounts, with their roles."""

from typing import Any

from sqlalchemy import delete, func, insert, not_, select, update

from lumio.access.policy import Role
from lumio.accounts.model import Member, UserView
from lumio.accounts.store.tables import accounts, members, users
from lumio.accounts.store.withheld import WITHHELD, WITHHELD_FOR
from lumio.kernel import clock, ids
from lumio.storage.unit import Unit, View

_ROWS = select(
    members.c.id, members.c.account_id, members.c.user_id, members.c.kind, members.c.role, members.c.name,
    members.c.created_at, users.c.email, users.c.display_name, users.c.suspended_at,
    WITHHELD_FOR.label("withheld"),
).select_from(members.outerjoin(users, users.c.id == members.c.user_id))  # fmt: skip


class MemberStore:
    """Reads and writes memberships."""

    async def all(self, view: View, account_id: str) -> list[Member]:
        """Return every member of an account, the first to join first."""
        found = _ROWS.where(members.c.account_id == account_id)
        return [_member(row) for row in await view.execute(found.order_by(members.c.created_at, members.c.id))]

    async def one(self, view: View, account_id: str, member_id: str) -> Member | None:
        """Return a member of this account by id."""
        found = _ROWS.where(members.c.account_id == account_id, members.c.id == member_id)
        row = (await view.execute(found)).first()
        return None if row is None else _member(row)

    async def of_user(self, view: View, account_id: str, user_id: str) -> Member | None:
        """Return a person's membership in this account."""
        found = _ROWS.where(members.c.account_id == account_id, members.c.user_id == user_id)
        row = (await view.execute(found)).first()
        return None if row is None else _member(row)

    async def acting_owners(self, view: View, account_id: str) -> int:
        """Count the Owners who can act: one who is suspended or withheld cannot."""
        joined = select(func.count()).select_from(members.join(users, users.c.id == members.c.user_id))
        owners = joined.where(
            members.c.account_id == account_id,
            members.c.role == Role.OWNER,
            users.c.suspended_at.is_(None),
            not_(WITHHELD),
        )
        return int((await view.execute(owners)).scalar_one())

    async def add_sub_account(self, unit: Unit, account_id: str, name: str, role: str) -> str:
        """Insert a member that is no person; return the id."""
        row = {
            "id": ids.uuid7(), "account_id": account_id, "kind": "sub_account", "name": name, "role": role,
            "created_at": clock.now(),
        }  # fmt: skip
        await unit.execute(insert(members), row)
        return str(row["id"])

    async def set_role(self, unit: Unit, member_id: str, role: str) -> None:
        """Replace a member's role."""
        await unit.execute(update(members).where(members.c.id == member_id).values(role=role))

    async def remove(self, unit: Unit, member_id: str) -> None:
        """Delete a membership; its id is never used again."""
        await unit.execute(delete(members).where(members.c.id == member_id))

    async def rename_account(self, unit: Unit, account_id: str, name: str) -> None:
        """Replace an account's name; its slug stays, since addresses hold it."""
        await unit.execute(update(accounts).where(accounts.c.id == account_id).values(name=name))

    async def close_account(self, unit: Unit, account_id: str) -> None:
        """Close an account for good: nobody has a standing in it from here on."""
        await unit.execute(update(accounts).where(accounts.c.id == account_id).values(closed_at=clock.now()))


def _member(row: Any) -> Member:
    person = None if row.user_id is None else UserView(row.user_id, row.email, row.display_name)
    return Member(
        row.id,
        row.account_id,
        person,
        row.name or row.display_name or "",
        row.role,
        row.kind,
        row.created_at,
        suspended=row.suspended_at is not None,
        withheld=row.withheld,
    )
