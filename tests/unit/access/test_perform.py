"""`perform`: no change without its event, no refusal of a change without one either."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated

import pytest
from msgspec import Meta, Struct
from sqlalchemy import select

from lumio.access.action import action
from lumio.access.context import Context
from lumio.access.kinds import Kind
from lumio.access.perform import Perform
from lumio.access.principal import ANONYMOUS, Asker, Principal, Retry
from lumio.kernel.errors import Conflict, Denied, Invalid, NotFound, StepUpRequired, Unauthenticated, Unavailable
from lumio.kernel.event import Actor, Origin
from lumio.storage import idempotency
from lumio.storage.events import events
from lumio.storage.unit import View
from tests.support.ground import Ground

RIGHT = "extensions:deploy"
ROBIN = Principal(Kind.API_KEY, Actor("api_key", "k-1", "ci"), account_id="a-1")


class Made(Struct, frozen=True):
    id: str


class Form(Struct, frozen=True, forbid_unknown_fields=True):
    name: Annotated[str, Meta(min_length=1, max_length=20)]


class Things:
    """A small domain; `problem` is raised in the middle of its unit."""

    def __init__(self, ground: Ground) -> None:
        self.ground = ground
        self.problem: Exception | None = None
        self.prepared: list[str] = []

    async def _slow(self, _asker: Asker, form: Form) -> str:
        self.prepared.append(form.name)
        return form.name.upper()

    async def _make(self, context: Context, form: Form) -> Made:
        await self.ground.make(context.unit, form.name)
        context.record("thing.made", ("thing", form.name))
        if self.problem is not None:
            raise self.problem
        return Made(form.name)

    @action("things.make", permission=RIGHT, event="thing.made", creates=True)
    async def make(self, context: Context, form: Form) -> Made:
        return await self._make(context, form)

    @action("things.make_secret", permission=RIGHT, event="thing.made", creates=True, reveals=True)
    async def make_secret(self, context: Context, form: Form) -> Made:
        return await self._make(context, form)

    @action("things.make_slowly", permission=RIGHT, event="thing.made", prepare=_slow)
    async def make_slowly(self, context: Context, form: Form) -> Made:
        assert context.prepared == form.name.upper()
        return await self._make(context, form)

    @action("things.make_danger", permission=RIGHT, event="thing.made", step_up=True)
    async def make_danger(self, context: Context, form: Form) -> Made:
        return await self._make(context, form)

    @action("things.forget", permission=RIGHT, event="thing.made")
    async def forget(self, context: Context, form: Form) -> Made:
        await self.ground.make(context.unit, form.name)
        context.record("thing.seen")
        return Made(form.name)

    @action("things.read", permission=RIGHT)
    async def read(self, context: Context, _form: None) -> str:
        with pytest.raises(RuntimeError, match="no unit"):
            context.unit  # noqa: B018 - asking is the point
        return context.reach.value


class Held:
    """What everybody holds."""

    def __init__(self, *names: str) -> None:
        self.names = frozenset(names)

    async def held(self, _view: View, _principal: Principal) -> frozenset[str]:
        return self.names

    def known(self, _principal: Principal) -> None:
        return None

    async def held_now(self, _principal: Principal) -> frozenset[str]:
        return self.names


class Stage:
    """A ground with the small domain on it."""

    def __init__(self, ground: Ground, *held: str) -> None:
        self.ground, self.things, self.held = ground, Things(ground), Held(*held)
        self.perform = Perform(ground.units, ground.journal, ground.authority, [self.held])

    async def log(self) -> Sequence[tuple[str, str, str | None]]:
        rows = await self.ground.rows(select(events).where(events.c.event.like("thing.%")).order_by(events.c.ts))
        return [(row.event, row.result, json.loads(row.detail)["reason"] if row.detail else None) for row in rows]


@pytest.fixture
def stage(ground: Ground) -> Stage:
    return Stage(ground, RIGHT)


def asker(principal: Principal = ROBIN, retry: Retry | None = None) -> Asker:
    return Asker(principal, Origin("203.0.113.7", "peer", "test", "r-1"), retry)


async def test_a_change_commits_with_its_event(stage: Stage) -> None:
    assert await stage.perform(stage.things.make, asker(), {"name": "a"}) == Made("a")
    assert await stage.ground.names() == ["a"]
    (row,) = await stage.ground.rows(select(events).where(events.c.event == "thing.made"))
    told = (row.result, row.actor_label, row.account_id, row.ip, row.target_type, row.target_id, row.request_id)
    assert told == ("success", "ci", "a-1", "203.0.113.7", "thing", "a", "r-1")


async def test_a_change_that_does_not_record_what_it_promised_is_rolled_back_as_a_bug(stage: Stage) -> None:
    with pytest.raises(RuntimeError, match=r"did not record thing\.made"):
        await stage.perform(stage.things.forget, asker(), {"name": "a"})
    assert (await stage.ground.names(), await stage.log()) == ([], [])


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (Denied(), "forbidden"),
        (NotFound(), "not_found"),
        (Conflict(), "conflict"),
        (Denied().noted(reason="not_today"), "not_today"),
    ],
)
async def test_a_refusal_changes_nothing_and_is_recorded(stage: Stage, error: Exception, reason: str) -> None:
    stage.things.problem = error
    with pytest.raises(type(error)):
        await stage.perform(stage.things.make, asker(), {"name": "a"})
    assert (await stage.ground.names(), await stage.log()) == ([], [("thing.made", "failure", reason)])


@pytest.mark.parametrize("error", [Unavailable("gone"), RuntimeError("a bug"), KeyError("x")])
async def test_what_is_no_refusal_changes_nothing_and_is_no_event(stage: Stage, error: Exception) -> None:
    stage.things.problem = error
    with pytest.raises(type(error)):
        await stage.perform(stage.things.make, asker(), {"name": "a"})
    assert (await stage.ground.names(), await stage.log()) == ([], [])


async def test_bad_input_changes_nothing_and_is_no_event(stage: Stage) -> None:
    for raw in ({}, {"name": ""}, {"name": "a", "other": 1}, None):
        with pytest.raises(Invalid):
            await stage.perform(stage.things.make, asker(), raw)
    assert (await stage.ground.names(), await stage.log()) == ([], [])


async def test_who_does_not_hold_the_right_is_refused_and_recorded(ground: Ground) -> None:
    stage = Stage(ground)
    with pytest.raises(Denied):
        await stage.perform(stage.things.make, asker(), {"name": "a"})
    with pytest.raises(Denied):
        await stage.perform(stage.things.read, asker())
    assert (await stage.ground.names(), await stage.log()) == ([], [("thing.made", "failure", "forbidden")])


async def test_who_holds_it_for_their_own_is_told_so(ground: Ground) -> None:
    stage = Stage(ground, RIGHT + ":own")
    assert await stage.perform(stage.things.read, asker()) == "own"


async def test_the_guard_comes_before_the_input_is_looked_at(stage: Stage) -> None:
    with pytest.raises(Unauthenticated):
        await stage.perform(stage.things.make, asker(ANONYMOUS), {"wrong": 1})
    with pytest.raises(Denied):
        await stage.perform(stage.things.make, asker(replace(ROBIN, carried=frozenset())), {"wrong": 1})
    with pytest.raises(StepUpRequired):
        await stage.perform(stage.things.make_danger, asker(), {"wrong": 1})
    assert [reason for _, _, reason in await stage.log()] == ["unauthorized", "forbidden", "step_up_required"]


async def test_slow_work_is_done_only_for_those_who_may_act(ground: Ground) -> None:
    stage = Stage(ground)
    with pytest.raises(Denied):
        await stage.perform(stage.things.make_slowly, asker(), {"name": "a"})
    assert stage.things.prepared == []
    stage.held.names = frozenset({RIGHT})
    await stage.perform(stage.things.make_slowly, asker(), {"name": "a"})
    assert stage.things.prepared == ["a"]


async def test_a_right_that_is_lost_during_the_slow_work_does_not_count_any_more(stage: Stage) -> None:
    async def lose(_asker: Asker, form: Form) -> str:
        stage.held.names = frozenset()
        return form.name.upper()

    slow = replace(stage.things.make_slowly, prepare=lose)
    with pytest.raises(Denied):
        await stage.perform(slow, asker(), {"name": "a"})
    assert await stage.ground.names() == []


def retry(body: str = "b" * 64, key: str = "once", route: str = "POST /things") -> Asker:
    return asker(retry=Retry(key, route, body))


async def test_a_repetition_gets_the_first_answer_and_makes_nothing(stage: Stage) -> None:
    first = await stage.perform(stage.things.make, retry(), {"name": "a"})
    again = await stage.perform(stage.things.make, retry(), {"name": "a"})
    assert first == again == Made("a")
    assert (await stage.ground.names(), len(await stage.log())) == (["a"], 1)


@pytest.mark.parametrize(
    "other", [retry(key="twice"), retry(route="POST /others"), asker(replace(ROBIN, actor=Actor("api_key", "k-2")))]
)
async def test_another_key_route_or_asker_is_no_repetition(stage: Stage, other: Asker) -> None:
    await stage.perform(stage.things.make, retry(), {"name": "a"})
    other = other if other.retry else replace(other, retry=retry().retry)
    assert await stage.perform(stage.things.make, other, {"name": "b"}) == Made("b")


async def test_the_same_key_with_another_body_is_refused(stage: Stage) -> None:
    await stage.perform(stage.things.make, retry(), {"name": "a"})
    with pytest.raises(Invalid) as caught:
        await stage.perform(stage.things.make, retry("c" * 64), {"name": "b"})
    assert [one.field for one in caught.value.fields] == ["Idempotency-Key"]
    assert await stage.ground.names() == ["a"]


async def test_an_answer_with_a_secret_is_not_kept_and_not_given_again(stage: Stage) -> None:
    await stage.perform(stage.things.make_secret, retry(), {"name": "hidden"})
    with pytest.raises(Conflict) as caught:
        await stage.perform(stage.things.make_secret, retry(), {"name": "hidden"})
    assert caught.value.existing_id == "hidden"
    kept = await stage.ground.rows(select(idempotency.answers))
    assert [row.answer for row in kept] == [None]


async def test_a_repetition_by_somebody_who_may_not_any_more_is_refused(stage: Stage) -> None:
    await stage.perform(stage.things.make, retry(), {"name": "a"})
    stage.held.names = frozenset()
    with pytest.raises(Denied):
        await stage.perform(stage.things.make, retry(), {"name": "a"})


async def test_a_refused_first_try_can_be_repeated_for_real(stage: Stage) -> None:
    stage.things.problem = Conflict()
    with pytest.raises(Conflict):
        await stage.perform(stage.things.make, retry(), {"name": "a"})
    stage.things.problem = None
    assert await stage.perform(stage.things.make, retry(), {"name": "a"}) == Made("a")


async def test_two_at_once_make_one_thing(stage: Stage) -> None:
    answers = await asyncio.gather(
        *[stage.perform(stage.things.make, retry(), {"name": "a"}) for _ in range(6)], return_exceptions=True
    )
    assert await stage.ground.names() == ["a"]
    assert Made("a") in answers
    assert {type(answer) for answer in answers} <= {Made, Conflict}
