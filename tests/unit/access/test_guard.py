"""The guard: effective right = held ∩ carried ∩ admitted, and a fresh proof where one is needed."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lumio.access import guard
from lumio.access.guard import Reach
from lumio.access.kinds import Kind
from lumio.access.permission import ACCOUNT, ALL, OWN
from lumio.access.policy import ADMITTED, ROLES, STEP_UP_SECONDS, Role
from lumio.access.principal import ANONYMOUS, Principal
from lumio.kernel import clock
from lumio.kernel.errors import Denied, Invalid, LumioError, StepUpRequired, Unauthenticated
from lumio.kernel.event import Actor

kinds = st.sampled_from([kind for kind in Kind if kind is not Kind.ANONYMOUS])
permissions = st.sampled_from(sorted(ALL))
lists = st.none() | st.frozensets(permissions)


def principal(kind: Kind, carried: frozenset[str] | None = None, age: int | None = None) -> Principal:
    proven = None if age is None else clock.now() - timedelta(seconds=age)
    return Principal(kind, Actor("user", "x"), account_id="a", carried=carried, proven_at=proven)


def admitted(who: Principal, name: str | None, *, step_up: bool = False, signed_in: bool = False) -> bool:
    try:
        guard.admit(who, name, step_up=step_up, signed_in=signed_in)
    except LumioError:
        return False
    return True


@given(kinds, permissions, lists)
def test_a_kind_is_admitted_to_what_it_carries_and_its_table_says(
    kind: Kind, name: str, carried: frozenset[str] | None
) -> None:
    expected = name in ADMITTED[kind] and (carried is None or name in carried)
    assert admitted(principal(kind, carried), name) == expected


@given(kinds, st.frozensets(permissions | permissions.map(lambda name: name + OWN)), lists)
def test_the_effective_rights_are_held_and_carried_and_admitted(
    kind: Kind, held: frozenset[str], carried: frozenset[str] | None
) -> None:
    found = guard.effective(principal(kind, carried), held)
    assert found <= held
    for name in held:
        assert (name in found) == admitted(principal(kind, carried), name.removesuffix(OWN))


@given(permissions)
def test_nobody_is_admitted_to_anything_that_needs_a_right(name: str) -> None:
    with pytest.raises(Unauthenticated):
        guard.admit(ANONYMOUS, name, step_up=False, signed_in=False)


def test_nobody_is_admitted_where_somebody_must_be_signed_in() -> None:
    with pytest.raises(Unauthenticated):
        guard.admit(ANONYMOUS, None, step_up=False, signed_in=True)
    guard.admit(ANONYMOUS, None, step_up=False, signed_in=False)


@pytest.mark.parametrize(
    ("kind", "age", "fresh"),
    [
        (Kind.SESSION, 0, True),
        (Kind.SESSION, STEP_UP_SECONDS - 1, True),
        (Kind.SESSION, STEP_UP_SECONDS, False),
        (Kind.SESSION, None, False),
        (Kind.API_KEY, 0, False),
        (Kind.OAUTH, 0, False),
        (Kind.POPOUT_TOKEN, 0, False),
        (Kind.SYSTEM_KEY, 0, False),
    ],
)
def test_only_a_session_with_a_fresh_proof_may_do_a_dangerous_act(kind: Kind, age: int | None, fresh: bool) -> None:
    who = principal(kind, age=age)
    if fresh:
        guard.admit(who, None, step_up=True, signed_in=True)
    else:
        with pytest.raises(StepUpRequired):
            guard.admit(who, None, step_up=True, signed_in=True)


def test_a_leaked_key_can_never_mint_its_successor() -> None:
    with pytest.raises(StepUpRequired):
        guard.admit(principal(Kind.API_KEY, age=0), "api-keys:create", step_up=True, signed_in=True)


@pytest.mark.parametrize("name", sorted(ACCOUNT))
def test_a_system_key_names_the_account_that_it_acts_on(name: str) -> None:
    nowhere = Principal(Kind.SYSTEM_KEY, Actor("system_key", "s"), carried=frozenset({name}))
    with pytest.raises(Invalid) as caught:
        guard.admit(nowhere, name, step_up=False, signed_in=True)
    assert [one.field for one in caught.value.fields] == ["X-Lumio-Account"]


def test_a_right_held_reaches_all_and_a_right_held_for_one_s_own_reaches_that() -> None:
    held = ROLES[Role.MEMBER]
    assert guard.allow("extensions:deploy", held) is Reach.ALL
    assert guard.allow("api-keys:delete", held) is Reach.OWN
    assert guard.allow(None, frozenset()) is Reach.ALL


@given(permissions, st.frozensets(permissions | permissions.map(lambda name: name + OWN)))
def test_a_right_that_is_not_held_is_refused(name: str, held: frozenset[str]) -> None:
    if {name, name + OWN} & held:
        guard.allow(name, held)
    else:
        with pytest.raises(Denied, match=name):
            guard.allow(name, held)


@pytest.mark.parametrize(
    ("name", "role", "words"),
    [
        ("extensions:publish", Role.MEMBER, "Owner or Admin"),
        ("billing:edit", Role.ADMIN, "the role Owner has"),
        ("system-keys:read", Role.OWNER, "This needs system-keys:read."),
    ],
)
def test_a_refusal_names_the_roles_that_hold_the_right(name: str, role: Role, words: str) -> None:
    with pytest.raises(Denied) as caught:
        guard.allow(name, ROLES[role])
    assert words in caught.value.public
