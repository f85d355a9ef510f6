"""Who may do what, as text: a change of policy is a visible line in a diff."""

import itertools
import re
from collections.abc import Callable

import pytest

from lumio.access import permission, policy
from lumio.access.kinds import TABLE, Kind
from lumio.access.policy import ADMIN_ROLES, ADMITTED, GRANTABLE, ROLES, Role
from lumio.popouts.admission import NAMEABLE
from tests.golden.conftest import Golden

Table = Callable[..., str]
GROUPS = {"account": permission.ACCOUNT, "admin": permission.ADMIN, "service": permission.SERVICE}


def test_roles_hold_what_was_reviewed(golden: Golden, table: Table) -> None:
    def mark(held: frozenset[str], name: str) -> str:
        return "all" if name in held else "own" if name + permission.OWN in held else ""

    holders = {**{str(role): held for role, held in ROLES.items()}, **ADMIN_ROLES}
    rows = [[name, *(mark(held, name) for held in holders.values())] for name in sorted(permission.ALL)]
    golden("roles.txt", table(["permission", *holders], rows))


def test_kinds_admit_what_was_reviewed(golden: Golden, table: Table) -> None:
    rows = [[name, *("yes" if name in ADMITTED[kind] else "" for kind in Kind)] for name in sorted(permission.ALL)]
    golden("kinds.txt", table(["permission", *Kind], rows))


def test_popout_tokens_can_be_widened_as_it_was_reviewed(golden: Golden, table: Table) -> None:
    def mark(name: str) -> str:
        return "always" if name in policy.POPOUT_ADMITS else "by name in the settings" if name in NAMEABLE else ""

    golden(
        "popouts.txt", table(["permission", "popout_token"], [[name, mark(name)] for name in sorted(permission.ALL)])
    )


def test_credentials_travel_where_it_was_reviewed(golden: Golden, table: Table) -> None:
    rows = [[row.prefix, row.kind, " ".join(sorted(row.places))] for row in TABLE]
    golden("carriers.txt", table(["prefix", "kind", "travels in"], rows))


def test_admin_roles_may_give_what_was_reviewed(golden: Golden, table: Table) -> None:
    rows = [
        [name, *("yes" if name in given else "" for given in GRANTABLE.values())] for name in sorted(permission.ALL)
    ]
    golden("grantable.txt", table(["permission", *GRANTABLE], rows))


@pytest.mark.parametrize(("one", "other"), list(itertools.combinations(GROUPS, 2)))
def test_no_permission_is_in_two_groups(one: str, other: str) -> None:
    assert GROUPS[one].isdisjoint(GROUPS[other])


def test_every_permission_is_a_resource_and_an_action() -> None:
    for name in permission.ALL:
        assert re.fullmatch(r"[a-z]+(-[a-z]+)*:[a-z]+", name)
        assert not name.endswith(permission.OWN)


def test_every_table_speaks_of_permissions_that_exist() -> None:
    for held in [*ROLES.values(), *ADMIN_ROLES.values(), *GRANTABLE.values(), *ADMITTED.values()]:
        assert {name.removesuffix(permission.OWN) for name in held} <= permission.ALL


def test_every_role_and_every_kind_has_its_line() -> None:
    assert set(ROLES) == set(Role)
    assert set(ADMITTED) == set(Kind)


def test_nobody_in_an_account_holds_an_admin_right_and_no_right_is_held_twice() -> None:
    for held in ROLES.values():
        assert held.isdisjoint(permission.ADMIN | permission.SERVICE)
        assert not {name for name in held if name + permission.OWN in held}


def test_the_seed_s_table_of_roles_holds() -> None:
    can = {role: {head for head, name in policy.CAPABILITIES if name in ROLES[role]} for role in Role}
    assert can == {
        Role.OWNER: {"Can deploy", "Can publish", "Can manage billing", "Can invite members"},
        Role.ADMIN: {"Can deploy", "Can publish", "Can invite members"},
        Role.MEMBER: {"Can deploy"},
    }


def test_each_role_holds_all_that_the_next_one_holds() -> None:
    for higher, lower in itertools.pairwise(Role):
        plain = {name.removesuffix(permission.OWN) for name in ROLES[higher]}
        assert {name.removesuffix(permission.OWN) for name in ROLES[lower]} <= plain
        assert set(ROLES[higher]) >= {name for name in ROLES[lower] if not name.endswith(permission.OWN)}


def test_a_developer_key_admits_no_admin_right_and_nobody_admits_nothing() -> None:
    assert ADMITTED[Kind.API_KEY].isdisjoint(permission.ADMIN | permission.SERVICE)
    assert ADMITTED[Kind.ANONYMOUS] == frozenset()
    assert "admin:access" not in ADMITTED[Kind.SYSTEM_KEY]
