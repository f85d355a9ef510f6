"""Threat 6: keys planted through every route and every error path are found in no artefact afterwards."""

import io
import logging
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
import structlog
from litestar.routes import HTTPRoute

from lumio.crypto import opaque
from lumio.keys.store import KeyStore
from lumio.server import logs
from lumio.storage.columns import metadata
from tests.api.rest.mailbox import MailFolder, links
from tests.api.rest.outward import rows
from tests.support.world import OPERATOR, PASSWORD, World

SCANNER = re.compile(r"lm_[a-z]{3}_[0-9A-Za-z]{57}|lm_eyJ[0-9A-Za-z_-]+\.[0-9A-Za-z_-]+\.[0-9A-Za-z_-]+")
QUIET = ("User-Agent", "Referer", "Idempotency-Key", "X-Request-Id", "X-Forwarded-For", "Accept", "X-Key")
LOUD = ("Authorization", "Cookie", "Origin", "Content-Type", "X-Lumio-Account", "Host")
FIELDS = ("label", "email", "display_name", "account_name", "code", "password", "method", "refresh_token", "name")


@pytest.fixture
def log_lines(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """Log as the server does, at its most talkative, into a text."""
    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    lines = io.StringIO()
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stderr", lines)
        logs.set_up("debug")
    yield lines
    root.handlers[:] = before
    root.setLevel(level)
    structlog.reset_defaults()


async def test_planted_keys_are_found_in_no_log_no_row_no_mail_and_no_audit_answer(
    world: World, mail: MailFolder, log_lines: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    robin = await world.sign_in()
    genuine = [(await world.mint_key(robin, f"key-{number}"))["key"] for number in range(3)]
    planted = genuine + [opaque.mint(prefix).text for prefix in sorted(opaque.PREFIXES)]
    planted.append(robin.headers["Authorization"].removeprefix("Bearer "))
    page = await world.page_client()
    for number, (method, path) in enumerate(_addresses(world)):
        await _plant((robin, page)[number % 2], method, path, planted[number % len(planted)], number)
    await robin.get(f"/v1/{genuine[0]}/nowhere")
    await _ordinary_life(world, mail)
    await _unforeseen(robin, genuine[0], monkeypatch)
    audit = (await robin.get("/v1/audit-log?limit=200")).text
    await world.house.chores.stop()

    captured = log_lines.getvalue()
    assert "unforeseen" in captured
    assert "mail written" in captured
    assert _found(captured) == []
    assert _found(audit) == []
    tables = [str(await rows(world, f'SELECT * FROM "{name}"')) for name in metadata.tables]  # noqa: S608 - our own names
    assert _found("".join(tables)) == []
    assert _found(_files(world.house.settings.data_dir)) == []
    for letter in mail.all():
        text = letter.get_content()
        assert _found(str(letter.items())) == []
        assert _found(text) == _found(" ".join(links(letter)))
        assert len(_found(text)) <= 1


def _addresses(world: World) -> list[tuple[str, str]]:
    return [
        (str(method), re.sub(r"\{[^}]+\}", "HERE", route.path))
        for route in world.house.web.routes
        if isinstance(route, HTTPRoute)
        for method in sorted(route.methods)
        if method != "OPTIONS" and "logout" not in route.path
    ]


async def _plant(client: httpx2.AsyncClient, method: str, path: str, key: str, number: int) -> None:
    """Send a key in the path, the query, the headers and the fields; whatever the answers are."""
    plain, json = path.replace("HERE", "x"), {"Content-Type": "application/json"}
    bodies: list[object] = [dict.fromkeys(FIELDS, key), {key: key, "label": [{key: key}]}, key]
    bodies.append({"email": f"{key}@example.com", "password": PASSWORD, "display_name": "N"})
    await client.request(method, plain, json=bodies[number % len(bodies)], headers=dict.fromkeys(QUIET, key))
    await client.request(method, path.replace("HERE", key), content=f'{{"label": "{key}', headers=json)
    await client.request(method, plain, params={"cursor": key, "event": key, "actor": f"x{key}"})
    await client.request(method, plain, params={"token": key}, data=dict.fromkeys(FIELDS, key))
    await client.request(method, plain, headers={LOUD[number % len(LOUD)]: key})


async def _ordinary_life(world: World, mail: MailFolder) -> None:
    """Let real codes go by mail: sign-up, reset, refresh."""
    form = {"email": "new@example.com", "password": PASSWORD, "display_name": "New"}
    await world.anonymous().post("/v1/auth/signup", json=form)
    asked = await world.anonymous().post("/v1/auth/reset", json={"email": OPERATOR})
    assert asked.status_code == 202, asked.text
    await mail.to("new@example.com")
    await mail.to(OPERATOR)
    answer = await world.anonymous().post("/v1/auth/login", json={"email": OPERATOR, "password": PASSWORD})
    refresh_token = answer.json()["data"]["refresh_token"]
    for _ in range(2):
        await world.anonymous().post("/v1/auth/refresh", json={"refresh_token": refresh_token})


async def _unforeseen(client: httpx2.AsyncClient, key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the house break with a key in its hands; the answer says nothing."""

    async def broken(*_arguments: object) -> None:
        raise RuntimeError(f"cannot read {key} of {[key]}")

    with monkeypatch.context() as patch:
        patch.setattr(KeyStore, "live", broken)
        answer = await client.get("/v1/api-keys")
    assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")
    assert _found(answer.text) == []
    assert "RuntimeError" not in answer.text


def _found(text: str) -> list[str]:
    return SCANNER.findall(text)


def _files(folder: Path) -> str:
    """Return the bytes of every file but mails, as text."""
    found = [path for path in folder.rglob("*") if path.is_file() and path.suffix != ".eml"]
    return "".join(path.read_bytes().decode("latin-1") for path in found)
