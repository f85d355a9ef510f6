"""Hostile uploads through the real route: a clear refusal in bounded time and memory, and nothing is stored."""

import asyncio
import tracemalloc
from collections.abc import AsyncIterator
from pathlib import Path
from time import perf_counter

import pytest

from tests.support.archives import HOSTILE
from tests.support.developers import EXTENSIONS, Team, make_extension, manifest, parts, send, stored
from tests.support.world import World

pytestmark = pytest.mark.xdist_group("hostile-archives")  # each is packed once

MIB = 1024 * 1024
HEAD = (
    b'--b\r\nContent-Disposition: form-data; name="manifest"\r\n\r\n'
    + manifest()
    + b'\r\n--b\r\nContent-Disposition: form-data; name="bundle"; filename="b.tgz"\r\n\r\n'
)
FORM = {"Content-Type": "multipart/form-data; boundary=b"}


async def test_every_hostile_archive_is_refused_with_its_rule_recorded_and_nothing_of_it_stored(
    world: World, team: Team, tmp_path: Path
) -> None:
    extension_id = await make_extension(team.ci)
    longest = 0.0
    for kind, hostile in HOSTILE.items():
        hostile.write(tmp_path / "a.tgz")
        started = perf_counter()
        answer = await send(team.ci, extension_id, parts("1.0.0", (tmp_path / "a.tgz").read_bytes()))
        longest = max(longest, perf_counter() - started)
        rule = "size" if hostile.rule == "packed" else hostile.rule
        assert answer.status_code == (413 if hostile.rule == "packed" else 422), (kind, answer.text)
        (told,) = answer.json()["error"]["fields"]
        assert (told["field"], told["rule"]) == ("bundle", rule), kind
        assert stored(world) == [], kind
    assert longest < 10, "a refusal takes two seconds on a quiet machine"
    assert (await team.ci.get(f"{EXTENSIONS}/{extension_id}/versions")).json() == {"versions": []}
    entries = await world.log(team.owner, event="extension.deployed")
    told_rules = [entry["detail"]["reason"] for entry in reversed(entries)]
    expected = [
        "payload_too_large" if hostile.rule == "packed" else f"archive_{hostile.rule}" for hostile in HOSTILE.values()
    ]
    assert told_rules == expected
    assert {entry["result"] for entry in entries} == {"failure"}
    assert {entry["actor"] for entry in entries} == {"ci-github-actions"}


async def test_a_hostile_source_is_refused_as_the_source_and_takes_the_sound_bundle_with_it(
    world: World, team: Team, tmp_path: Path
) -> None:
    extension_id = await make_extension(team.ci)
    HOSTILE["parent folder"].write(tmp_path / "a.tgz")
    source = ("s.tgz", (tmp_path / "a.tgz").read_bytes(), "application/gzip")
    answer = await send(team.ci, extension_id, parts(source=source))
    assert answer.status_code == 422
    assert answer.json()["error"]["fields"][0]["field"] == "source"
    assert stored(world) == []


async def test_51_mib_are_refused_in_bounded_memory_and_read_to_their_end(world: World, team: Team) -> None:
    extension_id = await make_extension(team.ci)
    sent = 0

    async def body() -> AsyncIterator[bytes]:
        nonlocal sent
        yield HEAD
        for _ in range(51 * 16):
            sent += 1
            yield bytes(MIB // 16)
        yield b"\r\n--b--\r\n"

    tracemalloc.start()
    answer = await team.ci.post(f"{EXTENSIONS}/{extension_id}/versions", content=body(), headers=FORM)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert answer.status_code == 413
    error = answer.json()["error"]
    assert (error["code"], error["fields"][0]["field"]) == ("payload_too_large", "bundle")
    assert peak < 8 * MIB
    assert sent == 51 * 16  # a sender that is cut off never reads the reason
    assert stored(world) == []
    entry = (await world.log(team.owner, event="extension.deployed"))[0]
    assert (entry["result"], entry["detail"]["reason"]) == ("failure", "payload_too_large")


async def test_a_length_beyond_reason_is_refused_before_a_byte_is_read(world: World, team: Team) -> None:
    extension_id = await make_extension(team.ci)
    read = 0

    async def body() -> AsyncIterator[bytes]:
        nonlocal read
        read += 1
        yield b"x"

    headers = {**FORM, "Content-Length": str(500 * MIB)}
    answer = await team.ci.post(f"{EXTENSIONS}/{extension_id}/versions", content=body(), headers=headers)
    assert (answer.status_code, read) == (413, 0)


async def test_revoking_the_key_during_the_upload_ends_it_with_401_and_stores_nothing(
    world: World, team: Team
) -> None:
    extension_id = await make_extension(team.ci)
    made = await world.mint_key(team.owner, "revoked-in-flight")
    client = world.bearer(made["key"])
    packed = parts()["bundle"][1]
    half_way, revoked = asyncio.Event(), asyncio.Event()

    async def body() -> AsyncIterator[bytes]:
        yield HEAD + packed[:40]
        half_way.set()
        await revoked.wait()
        yield packed[40:] + b"\r\n--b--\r\n"

    upload = asyncio.create_task(client.post(f"{EXTENSIONS}/{extension_id}/versions", content=body(), headers=FORM))
    await half_way.wait()
    assert (await team.owner.delete(f"/v1/api-keys/{made['id']}")).status_code == 200
    revoked.set()
    answer = await upload
    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == "unauthorized"
    assert stored(world) == []
    assert (await team.ci.get(f"{EXTENSIONS}/{extension_id}/versions")).json() == {"versions": []}
    failed = await world.log(team.owner, event="auth.failed")
    assert (failed[0]["actor"], failed[0]["detail"]["reason"]) == ("revoked-in-flight", "revoked_in_flight")
    assert not await world.log(team.owner, event="extension.deployed")


async def test_an_extension_deleted_during_the_upload_gets_no_version(world: World, team: Team) -> None:
    extension_id = await make_extension(team.ci)
    packed = parts()["bundle"][1]

    async def body() -> AsyncIterator[bytes]:
        yield HEAD + packed[:40]
        assert (await team.owner.delete(f"{EXTENSIONS}/{extension_id}")).status_code == 200
        yield packed[40:] + b"\r\n--b--\r\n"

    answer = await team.ci.post(f"{EXTENSIONS}/{extension_id}/versions", content=body(), headers=FORM)
    assert answer.status_code == 404
    assert stored(world) == []


async def test_a_sender_that_goes_away_leaves_nothing(world: World, team: Team) -> None:
    extension_id = await make_extension(team.ci)
    begun = asyncio.Event()

    async def body() -> AsyncIterator[bytes]:
        yield HEAD + bytes(MIB)
        begun.set()
        await asyncio.Event().wait()

    upload = asyncio.create_task(team.ci.post(f"{EXTENSIONS}/{extension_id}/versions", content=body(), headers=FORM))
    await begun.wait()
    upload.cancel()
    await asyncio.gather(upload, return_exceptions=True)
    assert stored(world) == []
