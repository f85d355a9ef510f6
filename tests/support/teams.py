"""What the tests of teams share: one account with people of every role, invitations read from the mail, and facts."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx2
from sqlalchemy import text

from lumio.access.policy import Role
from lumio.accounts.store.withheld import WithheldStore
from lumio.accounts.withholding import Withholding
from lumio.app import House
from lumio.authority.subjects import Ending, Entry, Subject
from lumio.kernel import clock
from lumio.storage.unit import Unit
from tests.api.rest.mailbox import MailFolder, code
from tests.support.world import OPERATOR, World

ANNA, MAX, SAM = "anna@example.com", "max@example.com", "sam@example.com"


@dataclass(slots=True)
class Team:
    """Robin's account with Anna the Admin and Max the Member in it; Sam is somebody else."""

    world: World
    account_id: str
    robin: httpx2.AsyncClient
    anna: httpx2.AsyncClient
    max: httpx2.AsyncClient
    sam: httpx2.AsyncClient
    ids: dict[str, dict[str, str]]

    @property
    def path(self) -> str:
        """The address of the account."""
        return f"/v1/accounts/{self.account_id}"

    def member(self, who: str) -> str:
        """Return the address of somebody's membership."""
        return f"{self.path}/members/{self.ids[who]['member_id']}"

    async def roles(self) -> dict[str, str]:
        """Return everybody's role by mail address, or by name where there is no person."""
        found = await self.members()
        return {one["user"]["email"] if one["user"] else one["name"]: one["role"] for one in found}

    async def members(self) -> list[dict[str, Any]]:
        """Return everybody in the account, as the database has them, whoever may still look."""
        sql = (
            "SELECT m.id, m.role, m.name, p.email FROM member m LEFT JOIN user_person p ON p.id = m.user_id"
            " WHERE m.account_id = :id ORDER BY m.created_at"
        )
        async with self.world.house.database.reading() as connection:
            rows = (await connection.execute(text(sql), {"id": self.account_id})).mappings().all()
        return [{**row, "user": {"email": row["email"]} if row["email"] else None} for row in rows]

    async def invite(self, client: httpx2.AsyncClient, email: str, role: str = "member") -> httpx2.Response:
        """Ask for an invitation."""
        return await client.post(f"{self.path}/invites", json={"email": email, "role": role})

    async def invited(self, mail: MailFolder, email: str, role: str = "member", count: int = 1) -> str:
        """Invite somebody as Robin; return the code that came by mail."""
        answer = await self.invite(self.robin, email, role)
        assert answer.status_code == 201, answer.text
        return code(await mail.newest_to(email, count))


async def make_team(world: World) -> Team:
    """Return Robin's account with an Admin and a Member in it, and Sam with an account of their own."""
    robin = await world.sign_in(OPERATOR)
    account_id = await world.account_id(robin)
    ids = {
        ANNA: await world.new_person(ANNA, Role.ADMIN, account_id),
        MAX: await world.new_person(MAX, Role.MEMBER, account_id),
        SAM: await world.new_person(SAM),
    }
    listed = (await robin.get(f"/v1/accounts/{account_id}/members")).json()["data"]
    mine = next(one for one in listed if one["user"]["email"] == OPERATOR)
    ids[OPERATOR] = {"user_id": mine["user"]["id"], "account_id": account_id, "member_id": mine["id"]}
    anna, max_, sam = [await world.sign_in(email) for email in (ANNA, MAX, SAM)]
    return Team(world, account_id, robin, anna, max_, sam, ids)


async def withhold(house: House, *subjects: Subject) -> None:
    """Leave subjects in doubt, as a replay does after a restore."""
    lost_at = clock.now() - timedelta(hours=3)

    async def step(unit: Unit) -> None:
        rows = [Entry(1, Ending(one, "changed", "robin", "role changed"), lost_at) for one in subjects]
        await Withholding(WithheldStore()).again(unit, rows)
        await house.authority.end(unit, [row.ending for row in rows])

    await house.units.run(step)


async def confirm_as_operator(house: House, subject: Subject) -> None:
    """Confirm a subject, as the command at the machine does."""
    holding = Withholding(WithheldStore())
    await house.units.run(lambda unit: holding.confirm_as_operator(unit, house.authority, subject))


async def accept(client: httpx2.AsyncClient, invitation: str) -> httpx2.Response:
    """Follow an invitation."""
    return await client.post(f"/v1/invites/{invitation}/accept")
