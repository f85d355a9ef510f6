"""No column can be written by naming it: each is tried in each body, refused, and nothing changes."""

from typing import Any

import msgspec

from lumio.extensions.model import CreateExtension, ExtensionChange
from lumio.extensions.store import artifacts, extensions, versions
from tests.support.developers import (
    EXTENSIONS,
    Team,
    deploy,
    make_extension,
    manifest,
    parts,
    plain,
    send,
    state,
    stored,
)
from tests.support.world import World

COLUMNS = {column.name for table in (extensions, versions, artifacts) for column in table.columns} | {
    "accountId", "createdBy", "created_by", "permissions", "role", "revoked_at", "extension_id", "arrival",
}  # fmt: skip


def _others(model: type[msgspec.Struct]) -> list[str]:
    return sorted(COLUMNS - set(model.__struct_fields__))


def _refused(answer: Any, field: str) -> None:
    assert answer.status_code == 422, (field, answer.text)
    told = {(one["field"].rpartition(".")[2], one["rule"]) for one in answer.json()["error"]["fields"]}
    assert (field, "unknown") in told, (field, answer.text)


async def test_no_column_can_be_set_where_an_extension_is_made_or_changed(team: Team) -> None:
    extension_id = await make_extension(team.ci)
    before = await state(team.ci)
    for column in _others(CreateExtension):
        _refused(await team.ci.post(EXTENSIONS, json={"name": "x", column: "x"}), column)
    for column in _others(ExtensionChange):
        _refused(await team.ci.patch(f"{EXTENSIONS}/{extension_id}", json={"name": "x", column: "x"}), column)
    assert await state(team.ci) == before


async def test_no_column_can_be_set_by_a_deployment(world: World, team: Team) -> None:
    extension_id = await make_extension(team.ci)
    before = await state(team.ci)
    for column in sorted(COLUMNS - {"manifest", "description", "breaking"}):
        _refused(await send(team.ci, extension_id, {**parts(), column: plain("x")}), column)
    known = {"name", "version", "description", "category", "visibility", "pricing", "permissions"}
    for column in sorted(COLUMNS - known):
        said = ("m.json", manifest(**{column: "x"}), "application/json")
        _refused(await send(team.ci, extension_id, parts(manifest=said)), column)
    assert await state(team.ci) == before
    assert stored(world) == []


async def test_addresses_that_take_no_body_refuse_one(team: Team) -> None:
    extension_id = await make_extension(team.ci)
    version = await deploy(team.ci, extension_id)
    before = await state(team.ci)
    path = f"{EXTENSIONS}/{extension_id}"
    for method, place in (
        ("POST", f"{path}/versions/{version['id']}/publish"),
        ("DELETE", f"{path}/versions/{version['id']}"),
        ("DELETE", path),
    ):
        answer = await team.ci.request(method, place, json={"account_id": "x"})
        assert answer.status_code == 422, (method, place)
    assert await state(team.ci) == before
