"""Both verifiers, ours and the customers', say the same of every export: whole, edited, cut, reordered, foreign."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lumio.audit.export_check import check_export
from lumio.crypto.notary import Notary
from lumio.crypto.roots import load
from tests.support.exports import SCRIPT, by_house, by_script, exported, lively, public_key
from tests.support.world import World

Edit = Callable[[list[bytes]], list[bytes]]
ACCOUNT, ALL = "/v1/audit-log/export", "/v1/admin/audit-log/export"


def changed(at: int, old: bytes, new: bytes) -> Edit:
    """Return an edit of the first line from `at` on that has `old` in it."""

    def edit(lines: list[bytes]) -> list[bytes]:
        place = next(place for place in range(at % len(lines), len(lines)) if old in lines[place])
        return [*lines[:place], lines[place].replace(old, new), *lines[place + 1 :]]

    return edit


EDITS: dict[str, tuple[Edit, int]] = {
    "an event's name": (changed(4, b'"event":"auth.succeeded"', b'"event":"auth.succeedee"'), 1),
    "a result": (changed(5, b"success", b"failure"), 1),
    "an address": (changed(4, b"203.0.113.7", b"203.0.113.8"), 1),
    "a time": (changed(4, b'"ts":1', b'"ts":2'), 1),
    "a shown time": (changed(4, b'"timestamp":"2', b'"timestamp":"3'), 1),
    "a shown actor": (changed(4, b'"actor":"robin', b'"actor":"robyn'), 1),
    "a count": (changed(4, b'"count":1,', b'"count":2,'), 1),
    "a leaf": (changed(4, b'"leaf":"', b'"leaf":"00'), 1),
    "a row dropped": (lambda lines: lines[:4] + lines[5:], 1),
    "the first row dropped": (lambda lines: lines[1:], 1),
    "a row twice": (lambda lines: lines[:5] + lines[4:], 1),
    "two rows exchanged": (lambda lines: [*lines[:4], lines[5], lines[4], *lines[6:]], 1),
    "an unsealed row changed": (changed(-3, b"audit_log.exported", b"audit_log.exportet"), 1),
    "an unsealed row dropped": (lambda lines: lines[:-2] + lines[-1:], 1),
    "another row's place": (changed(4, b'"position":', b'"position":5'), 1),
    "the word complete": (changed(-1, b'"complete":true', b'"complete":false'), 1),
    "the signature": (changed(-1, b'"signature":"', b'"signature":"00'), 1),
    "something behind the end": (lambda lines: [*lines, lines[0]], 1),
    "the last line missing": (lambda lines: lines[:-1], 2),
    "half of it missing": (lambda lines: lines[: len(lines) // 2], 2),
    "cut in a line": (lambda lines: [*lines[:4], lines[4][:100]], 2),
    "nothing": (lambda _: [], 2),
    "a line that is none": (lambda lines: [*lines[:4], b"what\n", *lines[5:]], 3),
    "another file": (lambda _: [b"#!/bin/sh\n", b"echo\n"], 3),
}


def judged(path: Path, lines: list[bytes], key: str) -> tuple[int, int]:
    path.write_bytes(b"".join(lines))
    return by_house(path, key), by_script(path, key)


def run_script(*arguments: object) -> subprocess.CompletedProcess[str]:
    """Run the customers' verifier as they do."""
    command = [sys.executable, str(SCRIPT), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


async def test_every_edit_of_an_export_is_found_by_both(world: World, tmp_path: Path) -> None:
    robin = await lively(world)
    key, path = await public_key(robin), tmp_path / "export"
    for address in (ACCOUNT, ALL):
        whole = (await exported(robin, address)).splitlines(keepends=True)
        assert judged(path, whole, key) == (0, 0)
        for name, (edit, expected) in EDITS.items():
            assert judged(path, edit(whole), key) == (expected, expected), name


async def test_edits_of_a_csv_file_are_found_by_both(world: World, tmp_path: Path) -> None:
    robin = await lively(world)
    key, path = await public_key(robin), tmp_path / "export.csv"
    whole = (await exported(robin, format="csv")).splitlines(keepends=True)
    assert judged(path, whole, key) == (0, 0)
    edits: dict[str, tuple[Edit, int]] = {
        "a result": (changed(5, b",success,", b",failure,"), 1),
        "a defused cell": (changed(5, b"=HYPERLINK", b"=HYPERLANK"), 1),
        "a row dropped": (lambda lines: lines[:4] + lines[5:], 1),
        "two rows exchanged": (lambda lines: [*lines[:4], lines[5], lines[4], *lines[6:]], 1),
        "the last line missing": (lambda lines: lines[:-1], 2),
        "a cell too few": (lambda lines: [*lines[:4], lines[4].partition(b",")[2], *lines[5:]], 3),
        "the names missing": (lambda lines: lines[1:], 3),
    }
    for name, (edit, expected) in edits.items():
        assert judged(path, edit(whole), key) == (expected, expected), name


async def test_the_first_bad_position_is_named(world: World, tmp_path: Path) -> None:
    robin = await lively(world)
    key, path = await public_key(robin), tmp_path / "export"
    lines = (await exported(robin)).splitlines(keepends=True)
    place = json.loads(lines[7])["position"]
    path.write_bytes(b"".join(changed(7, b'"result":"', b'"result":"x')(lines)))
    verdict = check_export(path, (key,))
    assert (verdict.position, "not the one that was sealed" in verdict.sentence) == (place, True)
    run = run_script(path, "--key", key)
    assert (run.returncode, run.stdout) == (
        1,
        f"altered: position {place}: the event is not the one that was sealed\n",
    )
    path.write_bytes(b"".join(lines))
    run = run_script(path, "--key", key)
    assert (run.returncode, run.stderr) == (0, "")
    assert "is that the key" not in run.stdout
    run = run_script(path)
    assert "is that the key that you noted?" in run.stdout


async def test_a_row_taken_out_and_signed_again_still_breaks_the_chain(world: World, tmp_path: Path) -> None:
    robin = await lively(world)
    key, path = await public_key(robin), tmp_path / "export"
    lines = (await exported(robin)).splitlines(keepends=True)
    notary = Notary(load(world.house.settings.root_secret_file))
    assert judged(path, resigned(notary, lines), key) == (0, 0)
    assert judged(path, resigned(notary, lines[:4] + lines[5:]), key) == (1, 1)
    assert judged(path, resigned(notary, lines[1:]), key) == (1, 1)


def resigned(notary: Notary, lines: list[bytes]) -> list[bytes]:
    """Return lines under a statement whose digest and counts fit them."""
    from hashlib import sha256  # noqa: PLC0415 - for this one forger

    sealed = [row for row in map(json.loads, lines[:-1]) if row["position"] is not None]
    said: dict[str, Any] = json.loads(lines[-1])
    said |= {"sha256": sha256(b"".join(lines[:-1])).hexdigest(), "count": len(lines) - 1, "sealed": len(sealed)}
    said |= {"first": sealed[0]["position"], "last": sealed[-1]["position"]}
    del said["key"], said["signature"]
    return [
        *lines[:-1],
        json.dumps(notary.sign(said), separators=(",", ":")).encode() + b"\n",
    ]


@pytest.mark.parametrize("form", ["ndjson", "csv"])
async def test_an_export_of_another_installation_is_not_ours(world: World, tmp_path: Path, form: str) -> None:
    robin, path = await lively(world), tmp_path / "export"
    stranger = tmp_path / "stranger.secret"
    other = Notary(load(stranger)).public_keys[-1]
    lines = (await exported(robin, format=form)).splitlines(keepends=True)
    assert judged(path, lines, other) == (1, 1)


async def test_a_file_that_is_not_there_is_unreadable(tmp_path: Path) -> None:
    missing = tmp_path / "nowhere"
    assert by_house(missing, "00" * 32) == 3
    run = run_script(missing)
    assert run.returncode == 3
    (tmp_path / "binary").write_bytes(bytes(range(256)) * 40)
    assert (by_house(tmp_path / "binary", "00" * 32), by_script(tmp_path / "binary", None)) == (3, 3)


def test_the_customers_verifier_stands_alone_in_a_hundred_lines() -> None:
    text = SCRIPT.read_text("utf-8")
    assert len(text.splitlines()) <= 100
    (imports,) = [line for line in text.splitlines() if line.startswith(("import", "from"))]
    assert {name.strip() for name in imports.removeprefix("import").split(",")} <= sys.stdlib_module_names
