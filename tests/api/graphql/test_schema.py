"""The schema: who may read it, and that it says what the models say."""

from dataclasses import replace
from typing import Any

import pytest
from graphql import get_introspection_query
from msgspec import Struct
from msgspec.structs import fields
from strawberry.types import get_object_definition
from strawberry.types.base import StrawberryOptional

from lumio.accounts import graph as accounts_graph
from lumio.accounts import model as accounts_model
from lumio.audit import graph as audit_graph
from lumio.audit import model as audit_model
from lumio.billing import graph as billing_graph
from lumio.billing import model as billing_model
from lumio.departures import graph as departures_graph
from lumio.departures import model as departures_model
from lumio.keys import graph as keys_graph
from lumio.keys import model as keys_model
from lumio.settings import Settings, SettingsError, load
from lumio.surface.graph import receipt
from lumio.teams import graph as teams_graph
from lumio.teams import model as teams_model
from tests.api.graphql.asking import ask, granted
from tests.support.world import World, opened

SHOWN: dict[type, type[Struct]] = {
    accounts_graph.User: accounts_model.UserView,
    accounts_graph.Account: accounts_model.AccountView,
    accounts_graph.Me: accounts_model.Me,
    keys_graph.Party: keys_model.Party,
    keys_graph.ApiKey: keys_model.KeyView,
    receipt.RevokedKey: keys_model.RevokedKey,
    teams_graph.Member: teams_model.MemberView,
    teams_graph.OwnAccount: teams_model.AccountItem,
    teams_graph.Invitation: teams_model.InvitationView,
    teams_graph.WithdrawnInvitation: teams_model.Withdrawn,
    teams_graph.SubAccount: teams_model.SubAccountView,
    teams_graph.TransferredOwnership: teams_model.Handed,
    departures_graph.Departure: departures_model.Departure,
    departures_graph.Departed: departures_model.Departed,
    billing_graph.BillingDetails: billing_model.BillingView,
    audit_graph.AuditTarget: audit_model.Target,
    audit_graph.AuditEntry: audit_model.Entry,
    audit_graph.AdminAuditEntry: audit_model.PlatformEntry,
}
MADE_HERE = {"cursor"}


def _nullable(kind: Any) -> bool:
    return type(None) in getattr(kind, "__args__", ())


@pytest.mark.parametrize("shown", SHOWN, ids=lambda one: one.__name__)
def test_a_type_has_the_fields_of_its_model_and_their_nulls(shown: type) -> None:
    described = {
        field.python_name: isinstance(field.type, StrawberryOptional)
        for field in get_object_definition(shown, strict=True).fields
        if field.python_name not in MADE_HERE
    }
    assert described == {field.name: _nullable(field.type) for field in fields(SHOWN[shown])}


@pytest.mark.parametrize(
    ("chosen", "model"),
    [
        (audit_graph.AuditFilter, audit_model.ReadLog),
        (audit_graph.AdminAuditFilter, audit_model.ReadPlatformLog),
    ],
    ids=["account", "platform"],
)
def test_a_filter_has_the_fields_of_its_input_model(chosen: type, model: type[Struct]) -> None:
    described = {field.python_name for field in get_object_definition(chosen, strict=True).fields}
    assert described == {field.name for field in fields(model)} - {"limit", "cursor"}


async def test_the_schema_is_shown_to_whoever_is_signed_in(world: World) -> None:
    robin = await world.sign_in()
    key = await world.mint_key(robin)
    for client in (robin, world.bearer(key["key"])):
        answer = await client.get("/v1/schema")
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/plain")
        assert "type Mutation {" in answer.text
    assert (await world.anonymous().get("/v1/schema")).status_code == 401


@pytest.mark.parametrize("query", ["{ __schema { types { name } } }", '{ __type(name: "Me") { name } }'])
async def test_introspection_is_off_by_default(world: World, query: str) -> None:
    answer = await ask(await world.sign_in(), query)
    assert answer["errors"][0]["extensions"]["code"] == "validation_error"
    assert "data" not in answer


async def test_introspection_can_be_turned_on_and_carries_a_whole_tool_s_query(settings: Settings) -> None:
    async with opened(replace(settings, introspection=True)) as world:
        found = await granted(await world.sign_in(), get_introspection_query())
    assert "ApiKey" in {one["name"] for one in found["__schema"]["types"]}


def test_the_switch_for_introspection_is_on_or_off() -> None:
    assert load({}).introspection is False
    assert load({"LUMIO_INTROSPECTION": "on"}).introspection is True
    with pytest.raises(SettingsError, match="LUMIO_INTROSPECTION"):
        load({"LUMIO_INTROSPECTION": "true"})
