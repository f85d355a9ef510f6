"""The census of actions, the events they record, and the errors they can end with, as text."""

import inspect
import re
from collections.abc import Callable, Iterator

from lumio.access.action import Terms
from lumio.access.census import census
from lumio.access.permission import ALL
from lumio.app import AUTHENTICATION_EVENTS, SERVICES
from lumio.kernel import errors
from lumio.kernel.errors import LumioError
from lumio.surface.graph import faults
from lumio.surface.http import failures
from lumio.surface.http.failures import STATUS
from lumio.surface.rest import developer, problem
from tests.golden.conftest import Golden

Table = Callable[..., str]
EVENT = re.compile(r"[a-z]+(_[a-z]+)*\.[a-z]+(_[a-z]+)*")
PAST = re.compile(r"(ed|reset|in|out|up|sent|made|shown|begun|left|given|(^|_)read)$")
FLAGS = ("step_up", "signed_in", "creates", "reveals")


def flags(terms: Terms) -> str:
    found = [name for name in FLAGS if getattr(terms, name)]
    return " ".join([*found, *(["ends"] if terms.ends else []), *(["prepares"] if terms.prepare else [])])


def every_error(kind: type[LumioError] = LumioError) -> Iterator[type[LumioError]]:
    yield kind
    for below in kind.__subclasses__():
        yield from every_error(below)


def made(kind: type[LumioError]) -> LumioError:
    """Make an error of this kind with whatever its maker insists on."""
    given = {
        name: {"int": 1, "str": "GET"}.get(str(getattr(one.annotation, "__name__", one.annotation)), "GET")
        for name, one in inspect.signature(kind).parameters.items()
        if one.default is inspect.Parameter.empty and one.kind is not inspect.Parameter.VAR_POSITIONAL
    }
    make: Callable[..., LumioError] = kind
    return make(**given)


def test_the_census_of_actions_is_the_reviewed_one(golden: Golden, table: Table) -> None:
    rows = [[terms.name, terms.permission or "", terms.event or "", flags(terms)] for terms in census(SERVICES)]
    golden("census.txt", table(["action", "permission", "event", "flags"], rows))


def test_the_events_are_the_reviewed_ones(golden: Golden, table: Table) -> None:
    by_event: dict[str, list[str]] = {name: ["the gate"] for name in AUTHENTICATION_EVENTS}
    for terms in census(SERVICES):
        if terms.event is not None:
            by_event.setdefault(terms.event, []).append(terms.name)
    golden(
        "events.txt",
        table(["event", "recorded by"], [[name, ", ".join(by_event[name])] for name in sorted(by_event)]),
    )


def test_the_errors_are_the_reviewed_ones(golden: Golden, table: Table) -> None:
    rows = []
    for kind in sorted(set(every_error()), key=lambda kind: (STATUS[kind], kind.__name__)):
        error = made(kind)
        graph = faults.entry(error, "request")
        rows.append(
            [
                kind.__name__,
                error.code,
                str(problem.document(error, "request")["status"]),
                str(developer.document(error, "request")["error"]["status"]),
                str(graph["extensions"]["code"]),
                " ".join(sorted(failures.headers_of(error))),
            ]
        )
    golden("errors.txt", table(["error", "code", "/v1", "/developer/v1", "graphql", "headers"], rows))


def test_every_error_has_a_status_and_a_code_and_sentence_of_its_own() -> None:
    kinds = set(every_error())
    assert kinds == set(STATUS), "an error without a line in failures.STATUS, or a line without an error"
    own = {kind for kind in kinds if kind is not errors.Malformed}
    assert len({kind.code for kind in own}) == len(own)
    assert all(kind.sentence.endswith(".") for kind in kinds)


def test_a_new_error_without_a_status_would_be_seen() -> None:
    class Forgotten(LumioError):
        code = "forgotten"

    try:
        assert Forgotten in set(every_error())
        assert Forgotten not in STATUS
    finally:
        del Forgotten
        import gc  # noqa: PLC0415 - the class must be gone before the next test looks

        gc.collect()


def test_what_an_error_says_inside_is_never_said_outside() -> None:
    for kind in set(every_error()):
        error = made(kind)
        error.internal = "lacks the inner word"
        assert "inner word" not in str([problem.document(error, "r"), developer.document(error, "r")])
        assert "inner word" not in str(failures.headers_of(error))
        assert "inner word" not in str(faults.entry(error, "r"))


def test_every_event_is_a_noun_and_what_happened_to_it() -> None:
    names = {terms.event for terms in census(SERVICES) if terms.event} | set(AUTHENTICATION_EVENTS)
    assert {name for name in names if not EVENT.fullmatch(name)} == set()
    assert {name for name in names if not PAST.search(name.partition(".")[2])} == set()


def test_every_permission_that_an_action_asks_for_exists() -> None:
    assert {terms.permission for terms in census(SERVICES) if terms.permission} <= ALL


def test_whatever_creates_reveals_or_ends_records_an_event() -> None:
    for terms in census(SERVICES):
        assert terms.event is not None or not (terms.creates or terms.reveals or terms.ends or terms.step_up)


def test_whatever_reveals_a_secret_of_a_credential_needs_a_fresh_proof() -> None:
    for terms in census(SERVICES):
        if terms.reveals:
            assert terms.step_up, f"{terms.name} reveals a secret without a fresh proof"
