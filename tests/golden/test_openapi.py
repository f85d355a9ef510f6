"""The description that programs are written against: a change of the interface is a visible line in a diff."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lumio import settings as settings_module
from lumio.access.census import census
from lumio.app import SERVICES, VERSION, House, build
from lumio.crypto.hashing import Cost
from lumio.surface.rest.openapi import describe, described
from tests.golden.conftest import Golden

CHEAP = Cost(8 * 1024, 1)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = build(settings_module.load({"LUMIO_DATA_DIR": str(tmp_path)}), password_cost=CHEAP, key_cost=CHEAP)
    yield made
    made.close_pools()


def references(value: Any) -> Iterator[str]:
    """Yield every `$ref` inside."""
    if isinstance(value, dict):
        if "$ref" in value:
            yield value["$ref"]
        for inner in value.values():
            yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)


def test_the_description_is_the_reviewed_one(house: House, golden: Golden) -> None:
    document = describe(house.web, "Lumio", VERSION)
    golden("openapi.json", json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False) + "\n")


def test_every_reference_of_the_description_leads_somewhere(house: House) -> None:
    document = describe(house.web, "Lumio", VERSION)
    known = {f"#/components/schemas/{name}" for name in document["components"]["schemas"]}
    assert set(references(document)) <= known


def test_every_described_operation_names_an_action_of_the_census(house: House) -> None:
    actions = {terms.name for terms in census(SERVICES)}
    assert {one.shown.terms.name for one in described(house.web)} <= actions


def test_whatever_needs_a_right_says_so_in_the_description(house: House) -> None:
    paths = describe(house.web, "Lumio", VERSION)["paths"]
    for one in described(house.web):
        operation = paths[one.path][one.method.lower()]
        terms = one.shown.terms
        assert ("security" in operation) == (terms.permission is not None or terms.signed_in)
        assert operation.get("x-permission") == terms.permission


def test_a_secret_stands_in_no_answer_but_those_that_reveal_it(house: House) -> None:
    for one in described(house.web):
        names = set(getattr(one.shown.result, "__struct_fields__", ()))
        if names & {"key", "secret", "client_secret", "password_hash", "digest"}:
            assert one.shown.terms.reveals
