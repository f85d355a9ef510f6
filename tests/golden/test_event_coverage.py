"""Whatever can change something records something: each REST route, GraphQL mutation, page post and command.

The text lists every door with the action behind it and its event; one without an event is a failure, not a line.
"""

import inspect
import re
from collections.abc import Callable, Iterator
from typing import Any, get_args

import pytest
from litestar.routes import HTTPRoute
from typer.main import get_command

from lumio.access.action import ActionMethod
from lumio.app import OPERATORS_EVENTS, SERVICES, build
from lumio.app.web import HTML, MUTATIONS
from lumio.server.main import app as operators_commands
from lumio.settings import load
from tests.golden.conftest import Golden

Table = Callable[..., str]
Door = tuple[str, str, str, str]
LOOKING = {"GET", "HEAD", "OPTIONS"}
BY_DEPENDENCY = re.compile(r"\bperform\(\s*(\w+)\.(\w+)")
BY_CLASS = re.compile(r"\bperform\(\s*call\.of\((\w+)\)\.(\w+)")
EXEMPT = {
    "POST /v1/graphql": "the mutation inside has its own line",
    "POST /v1/gql": "the mutation inside has its own line",
    "POST /api/gql": "as above",
    "POST /v1/auth/introspect": "changes nothing; the credential it asks about is an event",
}
COMMANDS = {
    "audit erase": "audit_log.erased",
    "audit export": "audit_log.exported",
    "audit hold": "audit_log.held",
    "audit purge": "audit_log.purged",
    "audit release": "audit_log.released",
    "restore": "database.restored",
    "revocations confirm": "member.confirmed",
    "revocations reconcile": "revocations.replayed",
    "revoke": "credentials.ended",
    "system-keys create": "api_key.created",
}
QUIET_COMMANDS = {
    "audit holds": "looks", "audit verify": "looks", "backup": "looks", "revocations list": "looks",
    "doctor": "looks", "version": "looks",
    "migrate": "changes the schema, where the log itself lives", "serve": "what it serves is recorded door by door",
}  # fmt: skip


def actions() -> dict[tuple[str, str], ActionMethod[Any, Any, Any]]:
    """Return every action by its service's class and its own name."""
    return {
        (service.__name__, name): member
        for service in SERVICES
        for name, member in vars(service).items()
        if isinstance(member, ActionMethod)
    }


def behind(handler: Callable[..., Any]) -> Iterator[ActionMethod[Any, Any, Any]]:
    """Yield the actions that a handler performs, as its source says."""
    known, source = actions(), inspect.getsource(handler)
    for service, name in BY_CLASS.findall(source):
        yield known[service, name]
    given = inspect.get_annotations(handler, eval_str=True)
    for dependency, name in BY_DEPENDENCY.findall(source):
        if dependency in given:
            (kind,) = [one for one in (given[dependency], *get_args(given[dependency])) if isinstance(one, type)][:1]
            yield known[kind.__name__, name]


def rows_of(surface: str, door: str, handler: Callable[..., Any]) -> Iterator[Door]:
    """Yield a line for each action behind a door."""
    found = {one.terms.name: one.terms for one in behind(handler)}
    if not found and door not in EXEMPT:
        yield surface, door, "?", ""
    for name, terms in sorted(found.items()):
        if terms.event is not None or len(found) == 1:
            yield surface, door, name, terms.event or ""


@pytest.fixture(scope="module")
def doors(tmp_path_factory: pytest.TempPathFactory) -> list[Door]:
    """Every door of every surface through which something can be changed."""
    house = build(load({"LUMIO_DATA_DIR": str(tmp_path_factory.mktemp("doors"))}))
    found: list[Door] = []
    pages = {owner.__name__ for owner in HTML if isinstance(owner, type)}
    for route in house.web.routes:
        if not isinstance(route, HTTPRoute):
            continue
        for method, (served, _) in route.route_handler_map.items():
            if str(method) not in LOOKING:
                surface = "page" if type(served.owner).__name__ in pages or route.path.startswith("/api/") else "rest"
                found += rows_of(surface, f"{method} {route.path}", served.fn)
    for mutations in MUTATIONS:
        for field in mutations.__strawberry_definition__.fields:
            found += rows_of("graphql", field.python_name, field.base_resolver.wrapped_func)
    house.close_pools()
    return sorted(set(found))


def test_every_door_through_which_something_changes_records_an_event(
    doors: list[Door], golden: Golden, table: Table
) -> None:
    silent = [door for door in doors if not door[3] and door[1] not in EXEMPT]
    assert silent == []
    golden("doors.txt", table(["surface", "door", "action", "event"], [list(door) for door in doors]))


def test_the_surfaces_are_all_seen(doors: list[Door]) -> None:
    assert {door[0] for door in doors} == {"rest", "page", "graphql"}
    assert len(doors) > 60


def commands(node: Any, path: tuple[str, ...] = ()) -> Iterator[str]:
    """Yield every command of a command line."""
    below = getattr(node, "commands", None)
    if below is None:
        yield " ".join(path)
        return
    for name, one in below.items():
        yield from commands(one, (*path, name))


def test_every_command_of_the_operator_that_changes_something_records_an_event() -> None:
    assert set(commands(get_command(operators_commands))) == {*COMMANDS, *QUIET_COMMANDS}
    recorded = {terms.event for terms in (one.terms for one in actions().values())} | set(OPERATORS_EVENTS)
    assert set(COMMANDS.values()) <= recorded
