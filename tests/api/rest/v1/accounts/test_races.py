"""Changes of membership that meet: an account never loses its last Owner, and no right is used while it ends."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from litestar.di import Provide
from sqlalchemy import text

from lumio.access.kinds import Kind
from lumio.access.policy import Role
from lumio.access.principal import Asker, Principal
from lumio.accounts.service import Accounts, subjects_of
from lumio.accounts.store import AccountStore
from lumio.authority.subjects import Subject
from lumio.departures.service import Departures
from lumio.kernel import clock, ids
from lumio.kernel.errors import LumioError
from lumio.kernel.event import Actor, Origin
from lumio.teams.service import Teams
from tests.api.rest.mailbox import MailFolder
from tests.api.rest.outward import count
from tests.support.teams import ANNA, SAM, Team, accept
from tests.support.world import World

ROUNDS = 200
Act = Callable[["Pair", int], Awaitable[Any]]


class Pair:
    """Two Owners of one account, asking the services directly: a round costs two units and no sign-in."""

    def __init__(self, world: World, who: list[dict[str, str]]) -> None:
        self.world = world
        self.who = who
        known = {type(value): value for value in _services(world)}
        self.departures: Departures = known[Departures]
        self.teams: Teams = known[Teams]

    async def asker(self, one: int) -> Asker:
        """Return a person as the gate would: signed in just now, with the standing of this moment."""
        who = self.who[one]
        hot = self.world.house.database.hot
        standing = await AccountStore(hot).standing_of_member(hot, who["member_id"])
        assert standing is not None
        session = ids.uuid7()
        return Asker(
            Principal(
                Kind.SESSION,
                Actor("user", who["user_id"], str(one), auth_method="session", credential_id=session),
                subjects=(Subject("session", session), *subjects_of(standing)),
                seq=await self.world.house.perform._authority.stamp(),
                user_id=who["user_id"],
                account_id=who["account_id"],
                member_id=who["member_id"],
                session_id=session,
                proven_at=clock.now(),
            ),
            Origin(),
        )

    async def demote(self, one: int, target: int) -> Any:
        form = {"id": self.who[target]["member_id"], "role": "member"}
        return await self.world.house.perform(self.departures.change_role, await self.asker(one), form)

    async def leave(self, one: int) -> Any:
        return await self.world.house.perform(self.departures.leave, await self.asker(one), {})

    async def hand_over(self, one: int) -> Any:
        form = {"member_id": self.who[1 - one]["member_id"]}
        return await self.world.house.perform(self.teams.transfer, await self.asker(one), form)

    async def owners(self) -> int:
        sql = "SELECT count(*) FROM member WHERE account_id = :id AND role = 'owner'"
        return await count(self.world, sql, id=self.who[0]["account_id"])

    async def restore(self) -> None:
        """Make both Owners again, in whatever way they lost it."""
        account_id = self.who[0]["account_id"]
        async with self.world.house.database.writing() as connection:
            for who in self.who:
                values = {"id": who["member_id"], "account": account_id, "user": who["user_id"], "at": 1}
                await connection.execute(text("DELETE FROM member WHERE id = :id"), {"id": values["id"]})
                await connection.execute(
                    text(
                        "INSERT INTO member (id, account_id, user_id, kind, role, created_at)"
                        " VALUES (:id, :account, :user, 'person', 'owner', :at)"
                    ),
                    values,
                )
            await connection.commit()


def _services(world: World) -> list[Any]:
    """Return every service that the handlers of the house can ask for."""
    found: list[Any] = []
    for provide in world.house.web.dependencies.values():
        assert isinstance(provide, Provide)
        found.append(provide.dependency())
    return found


ACTS: dict[str, tuple[Act, Act]] = {
    "each demotes the other": (lambda pair, one: pair.demote(one, 1 - one),) * 2,
    "each steps down": (lambda pair, one: pair.demote(one, one),) * 2,
    "each leaves": (lambda pair, one: pair.leave(one),) * 2,
    "one leaves, one is demoted by it": (
        lambda pair, one: pair.demote(one, 1 - one),
        lambda pair, one: pair.leave(one),
    ),
    "each hands over to the other": (lambda pair, one: pair.hand_over(one),) * 2,
}


async def test_two_owners_against_each_other_never_leave_an_account_without_one(world: World) -> None:
    first = await world.new_person("one@example.com")
    second = await world.new_person("two@example.com", Role.OWNER, first["account_id"])
    pair = Pair(world, [first, second])
    refused = 0
    for number in range(ROUNDS):
        name = list(ACTS)[number % len(ACTS)] if number >= ROUNDS // 2 else next(iter(ACTS))
        acts = ACTS[name]
        results = await asyncio.gather(*(act(pair, one) for one, act in enumerate(acts)), return_exceptions=True)
        strange = [one for one in results if isinstance(one, BaseException) and not isinstance(one, LumioError)]
        assert not strange, (name, strange)
        assert await pair.owners() >= 1, (number, name, results)
        refused += sum(isinstance(one, LumioError) for one in results)
        await pair.restore()
    assert refused >= ROUNDS // 2


async def test_no_invitation_is_accepted_after_its_inviter_lost_the_right(
    team: Team, world: World, mail: MailFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The demotion commits between the look at the invitation and the unit that accepts it."""
    answer = await team.invite(team.anna, SAM)
    assert answer.status_code == 201
    code = (await mail.newest_to(SAM)).get_content().split("/invite/")[1].split()[0]
    real = Accounts.person

    async def demoted_meanwhile(self: Accounts, view: Any, **named: Any) -> Any:
        """Hold the unit just after its locks; a demotion that waits for them cannot come first."""
        demotion = asyncio.create_task(team.robin.patch(team.member(ANNA), json={"role": "member"}))
        done, _ = await asyncio.wait({demotion}, timeout=0.5)
        assert not done, "the demotion did not wait for the acceptance that uses the right"
        waiting.append(demotion)
        return await real(self, view, **named)

    waiting: list[asyncio.Task[Any]] = []
    monkeypatch.setattr(Accounts, "person", demoted_meanwhile)
    accepted = await accept(team.sam, code)
    monkeypatch.undo()
    assert accepted.status_code == 200, accepted.text
    assert (await waiting[0]).status_code == 200
    assert (await team.roles())[SAM] == "member"
