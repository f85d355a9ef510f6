"""Threat 21: nobody learns whether an address has an account: not by words, status, headers or work done."""

from collections import Counter
from typing import Any

import pytest

from lumio.crypto.hashing import StretchPool
from tests.api.rest.outward import rows, seen
from tests.support.world import OPERATOR, PASSWORD, World

NOBODY = "nobody@example.com"
WEAK = "robin12345"


def bodies(email: str) -> dict[str, dict[str, str]]:
    proof = {"email": email, "password": "wrong-horse-battery"}
    form = {"email": email, "password": PASSWORD, "display_name": "Robin"}
    return {"/v1/auth/login": proof, "/v1/auth/signup": form, "/v1/auth/reset": {"email": email}}


@pytest.fixture
def stretched(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Count each Argon2id computation."""
    done: Counter[str] = Counter()
    real = StretchPool._run

    async def counted(pool: StretchPool, work: Any) -> Any:
        done["argon2id"] += 1
        return await real(pool, work)

    monkeypatch.setattr(StretchPool, "_run", counted)
    return done


async def test_every_door_answers_alike_for_known_and_unknown_addresses(world: World) -> None:
    for path, known in bodies(OPERATOR).items():
        unknown = bodies(NOBODY)[path]
        answers = [await world.anonymous().post(path, json=one) for one in (known, unknown)]
        assert seen(answers[0]) == seen(answers[1]), path


async def test_every_door_answers_alike_for_bad_input_too(world: World) -> None:
    for path, known in bodies(OPERATOR).items():
        for changed in ({"password": WEAK}, {"password": ""}, {"display_name": "\u202e"}, {"colour": "red"}, {}):
            tries = [await world.anonymous().post(path, json=one | changed) for one in (known, bodies(NOBODY)[path])]
            assert seen(tries[0]) == seen(tries[1]), (path, changed)


async def test_every_door_does_the_same_work_for_known_and_unknown_addresses(
    world: World, stretched: Counter[str]
) -> None:
    done: dict[str, list[int]] = {}
    for email in (OPERATOR, NOBODY):
        for path, body in bodies(email).items():
            before = stretched["argon2id"]
            await world.anonymous().post(path, json=body)
            done.setdefault(path, []).append(stretched["argon2id"] - before)
    assert done == {"/v1/auth/login": [1, 1], "/v1/auth/signup": [1, 1], "/v1/auth/reset": [0, 0]}


async def test_the_guessing_limit_comes_as_early_for_an_unknown_address(world: World) -> None:
    statuses = {
        email: [
            (await world.anonymous().post("/v1/auth/login", json=bodies(email)["/v1/auth/login"])).status_code
            for _ in range(12)
        ]
        for email in (OPERATOR, NOBODY)
    }
    assert statuses[OPERATOR] == statuses[NOBODY] == [401] * 10 + [429] * 2


async def test_a_person_who_never_confirmed_looks_like_nobody(world: World) -> None:
    form = {"email": "new@example.com", "password": PASSWORD, "display_name": "New"}
    await world.anonymous().post("/v1/auth/signup", json=form)
    for path, body in bodies("new@example.com").items():
        answers = [await world.anonymous().post(path, json=one) for one in (body, bodies(NOBODY)[path])]
        assert seen(answers[0]) == seen(answers[1]), path


async def test_the_same_number_of_messages_is_written_for_both(world: World) -> None:
    await world.house.chores.stop()  # the sender rests
    for email in (OPERATOR, NOBODY):
        await world.anonymous().post("/v1/auth/reset", json={"email": email})
        await world.anonymous().post("/v1/auth/signup", json=bodies(email)["/v1/auth/signup"])
    kinds = Counter(one["kind"] for one in await rows(world, "SELECT kind FROM outbox"))
    assert kinds == {"mail": 3, "void": 1}


async def test_the_log_keeps_no_typed_address_of_an_unknown_person(world: World) -> None:
    await world.anonymous().post("/v1/auth/login", json=bodies(NOBODY)["/v1/auth/login"])
    told = await rows(world, "SELECT * FROM audit_event WHERE event = 'session.created' AND result = 'failure'")
    assert len(told) == 1
    assert NOBODY not in str(told)
    assert told[0]["actor_label"].startswith("unknown:")
    assert told[0]["account_id"] is None
