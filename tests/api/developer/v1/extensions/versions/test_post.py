"""`POST …/versions`: a deployment, and what is refused of one."""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator
from typing import Any

from tests.support import popouts
from tests.support.developers import (
    EXTENSIONS,
    Team,
    bundle,
    deploy,
    make_extension,
    manifest,
    parts,
    pieces,
    plain,
    send,
    stored,
)
from tests.support.world import World


async def test_every_role_deploys_and_the_version_says_who_and_what(world: World, team: Team) -> None:
    extension_id = await make_extension(team.ci)
    for number, client in enumerate((team.owner, team.admin, team.member)):
        files = parts(f"1.0.{number}", description=plain(" Confetti. "), breaking=plain("true"))
        answer = await send(client, extension_id, files)
        assert answer.status_code == 201, answer.text
        made = answer.json()
        assert answer.headers["Location"] == f"{EXTENSIONS}/{extension_id}/versions/{made['id']}"
        assert (made["description"], made["breaking"], made["status"]) == ("Confetti.", True, "draft")
    assert made["deployedBy"] == "member@example.com"
    entry = (await world.log(team.owner, event="extension.deployed"))[0]
    assert (entry["actor"], entry["result"]) == ("member@example.com", "success")
    assert entry["detail"] == {
        "extension_id": extension_id, "version": "1.0.2", "sha256": hashlib.sha256(bundle()).hexdigest(),
    }  # fmt: skip
    assert len(stored(world)) == 1  # the same build thrice


async def test_the_parts_may_come_in_any_order(team: Team) -> None:
    extension_id = await make_extension(team.ci)
    files = parts("1.0.0", source=("s.tgz", bundle({"a.ts": b"x"}), "application/gzip"), breaking=plain("false"))
    turned = dict(reversed(files.items()))
    assert (await send(team.ci, extension_id, turned)).status_code == 201


async def test_a_manifest_may_say_all_that_a_project_file_says(team: Team) -> None:
    extension_id = await make_extension(team.ci)
    full = manifest(
        "2.0.0-beta.1",
        extensionId=extension_id,
        description="Fun.",
        category="overlays",
        targets=["editor", "layer"],
        server="https://lumio.example",
        permissions=["chat:read"],
        visibility="public",
        pricing={"type": "one_time", "amount": 3, "currency": "USD"},
    )
    answer = await send(team.ci, extension_id, parts(manifest=("m", full, "application/json")))
    assert answer.status_code == 201, answer.text
    shown = (await team.ci.get(f"{EXTENSIONS}/{extension_id}")).json()
    assert (shown["visibility"], shown["pricing"]) == ("private", None)  # only publishing rights change those


BAD_MANIFESTS: list[tuple[bytes, str]] = [
    (b"{", "manifest"),
    (b"[]", "manifest"),
    (b"\xff", "manifest"),
    (b"[" * 60_000, "manifest"),
    (b"{}", "manifest.name"),
    (manifest(""), "manifest.version"),
    (manifest("1.0"), "manifest.version"),
    (manifest("01.0.0"), "manifest.version"),
    (manifest("1.0.0\n"), "manifest.version"),
    (manifest("v1.0.0"), "manifest.version"),
    (manifest("1.0.0/../../x"), "manifest.version"),
    (manifest("1." + "0" * 300 + ".0"), "manifest.version"),
    (manifest("٠.٠.٠"), "manifest.version"),
    (manifest(extensionId="ext_other"), "manifest.extensionId"),
    (manifest(description="x" * 1001), "manifest.description"),
    (manifest(targets=[]), "manifest.targets"),
    (manifest(targets=["editor", "editor"]), "manifest.targets"),
    (manifest(targets=["kernel"]), "manifest.targets"),
    (manifest(visibility="paid"), "manifest.visibility"),
    (manifest(pricing={"type": "one_time"}), "manifest.pricing.amount"),
    (manifest(permissions=["a", "a"]), "manifest.permissions"),
    (manifest(account_id="x"), "manifest.account_id"),
]


async def test_a_bad_manifest_names_its_field_and_stores_nothing(world: World, team: Team) -> None:
    extension_id = await make_extension(team.ci)
    for raw, field in BAD_MANIFESTS:
        answer = await send(team.ci, extension_id, parts(manifest=("m", raw, "application/json")))
        assert answer.status_code == 422, (raw[:60], answer.text)
        assert answer.json()["error"]["fields"][0]["field"].startswith(field), (raw[:60], answer.text)
    await _nothing_stored(world, team, extension_id)


BAD_PARTS: list[tuple[dict[str, Any], int, str, str]] = [
    ({"manifest": None}, 422, "manifest", "required"),
    ({"bundle": None}, 422, "bundle", "required"),
    ({"account_id": plain("x")}, 422, "account_id", "unknown"),
    ({"": plain("x")}, 422, "", "unknown"),
    ({"description": plain("x" * 1001)}, 422, "description", "length"),
    ({"description": ("d", b"\xff", "text/plain")}, 422, "description", "characters"),
    ({"description": plain("a\0b")}, 422, "description", "characters"),
    ({"description": plain("x" * 17_000)}, 413, "description", "size"),
    ({"breaking": plain("maybe")}, 422, "breaking", "type"),
    ({"breaking": plain("")}, 422, "breaking", "type"),
    ({"manifest": ("m", manifest(description="x" * 70_000), "x/y")}, 413, "manifest", "size"),
]


async def test_a_part_that_breaks_a_rule_is_named_and_stores_nothing(world: World, team: Team) -> None:
    extension_id = await make_extension(team.ci)
    for change, status, field, rule in BAD_PARTS:
        answer = await send(team.ci, extension_id, parts(**change))
        assert answer.status_code == status, (change.keys(), answer.text)
        told = answer.json()["error"]["fields"][0]
        assert (told["field"], told["rule"]) == (field, rule), answer.text
    await _nothing_stored(world, team, extension_id)


async def test_every_broken_rule_is_told_at_once(team: Team) -> None:
    extension_id = await make_extension(team.ci)
    files = parts("x", bundle=None, breaking=plain("?"), description=plain("d" * 1001))
    answer = await send(team.ci, extension_id, files)
    fields = [one["field"] for one in answer.json()["error"]["fields"]]
    assert sorted(fields) == ["breaking", "bundle", "description", "manifest.version"]


def _raw(*named: tuple[str, bytes], end: bytes = b"--\r\n") -> bytes:
    head = b'--b\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n'
    return b"".join(head % (name.encode(), content) for name, content in named) + b"--b" + end


async def test_a_part_that_is_there_twice_is_refused(world: World, team: Team) -> None:
    extension_id = await make_extension(team.ci)
    whole = (("manifest", manifest()), ("bundle", bundle()))
    for extra in (("bundle", bundle({"other.html": b"x"})), ("manifest", manifest("2.0.0"))):
        answer = await _post_raw(team, extension_id, _raw(*whole, extra))
        assert answer.status_code == 422
        told = answer.json()["error"]["fields"][0]
        assert (told["field"], told["rule"]) == (extra[0], "twice")
    await _nothing_stored(world, team, extension_id)


async def test_a_body_that_is_no_whole_form_is_400_and_stores_nothing(world: World, team: Team) -> None:
    extension_id = await make_extension(team.ci)
    whole = _raw(("manifest", manifest()), ("bundle", bundle()))
    bodies: list[tuple[str, bytes]] = [
        ("multipart/form-data; boundary=b", b""),
        ("multipart/form-data; boundary=b", whole[:-20]),
        ("multipart/form-data; boundary=b", whole.removesuffix(b"--\r\n")),
        ("multipart/form-data; boundary=b", _raw(*[("description", b"x")] * 40)),
        ("multipart/form-data; boundary=b", b"--b\r\nContent-Disposition: attachment\r\n\r\nx\r\n--b--\r\n"),
        ("multipart/form-data; boundary=b", b"--b\r\nX: " + b"y" * 9000 + b"\r\n\r\nx\r\n--b--\r\n"),
        ("multipart/form-data; boundary=other", whole),
        ("multipart/form-data; boundary=" + "b" * 71, whole),
        ("multipart/form-data", whole),
        ("application/json", b"{}"),
        ("", whole),
    ]
    for content_type, body in bodies:
        answer = await _post_raw(team, extension_id, body, content_type)
        expected = {400, 422} if body.count(b"description") > 1 else {400}
        assert answer.status_code in expected, (content_type, body[:40], answer.text)
        assert answer.json()["error"]["status"] == answer.status_code
    await _nothing_stored(world, team, extension_id)


async def test_how_the_network_cuts_the_body_makes_no_difference(team: Team) -> None:
    extension_id = await make_extension(team.ci)
    for number, size in enumerate((1, 2, 7, 63, 1 << 20)):
        named = (("manifest", manifest(f"1.{number}.0")), ("bundle", bundle()))
        whole = b"read by nobody\r\n" + _raw(*named) + b"\r\nnor is this"
        answer = await _post_raw(team, extension_id, pieces(whole, size))
        assert answer.status_code == 201, (size, answer.text)
        assert answer.json()["artifacts"][0]["sha256"] == hashlib.sha256(bundle()).hexdigest()


async def test_a_number_is_used_once_and_the_second_try_is_told_and_recorded(world: World, team: Team) -> None:
    extension_id = await make_extension(team.ci)
    await deploy(team.ci, extension_id)
    again = await send(team.ci, extension_id)
    assert again.status_code == 409
    assert "1.0.0" in again.json()["error"]["message"]
    other = await send(team.ci, extension_id, parts("1.0.0", bundle({"b.html": b"other"})))
    assert other.status_code == 409
    assert len(stored(world)) == 1
    entries = await world.log(team.owner, event="extension.deployed")
    assert [entry["result"] for entry in entries] == ["failure", "failure", "success"]
    assert entries[0]["detail"] == {"reason": "version_exists"}
    assert entries[0]["target"] == {"type": "extension", "id": extension_id}


async def test_deployments_of_one_number_at_once_make_one_version(world: World, team: Team) -> None:
    extension_id = await make_extension(team.ci)
    builds = [bundle({"index.html": b"%d" % number}) for number in range(6)]
    answers = await asyncio.gather(*(send(team.ci, extension_id, parts("1.0.0", build)) for build in builds))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409, 409, 409]
    assert len((await team.ci.get(f"{EXTENSIONS}/{extension_id}/versions")).json()["versions"]) == 1
    assert len(stored(world)) == 1


async def test_a_stranger_is_refused_before_the_body_is_read(world: World, team: Team) -> None:
    extension_id = await make_extension(team.ci)
    await world.new_person("mallory@example.com")
    mallory = await world.sign_in("mallory@example.com")
    wrong = popouts.with_wrong_secret(team.ci.headers["Authorization"].removeprefix("Bearer "))
    expected = {world.anonymous(): 401, world.bearer(wrong): 401, mallory: 404}
    for client, status in expected.items():
        read = 0

        async def body() -> Any:
            nonlocal read
            for _ in range(100):
                read += 1
                yield b"x" * 1024

        path = f"{EXTENSIONS}/{extension_id}/versions"
        headers = {"Content-Type": "multipart/form-data; boundary=b"}
        answer = await client.post(path, content=body(), headers=headers)
        assert (answer.status_code, read) == (status, 0)
    assert stored(world) == []


async def _post_raw(
    team: Team,
    extension_id: str,
    body: bytes | AsyncIterator[bytes],
    content_type: str = "multipart/form-data; boundary=b",
) -> Any:
    path = f"{EXTENSIONS}/{extension_id}/versions"
    return await team.ci.post(path, content=body, headers={"Content-Type": content_type})


async def _nothing_stored(world: World, team: Team, extension_id: str) -> None:
    assert stored(world) == []
    assert (await team.ci.get(f"{EXTENSIONS}/{extension_id}/versions")).json() == {"versions": []}


def test_the_sample_manifest_is_what_a_project_file_holds() -> None:
    assert json.loads(manifest("1.2.3")) == {"name": "Chat Confetti", "version": "1.2.3"}
