"""Threat 6: keys planted through every route and every error path are found in no artefact afterwards."""

import logging
import re
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
from tests.api.rest.mailbox import MailFolder
from tests.api.rest.outward import rows
from tests.support.world import OPERATOR, PASSWORD, PUBLIC, World

SCANNER = re.compile(r"lm_[a-z]{3}_[0-9A-Za-z]{57}|lm_eyJ[0-9A-Za-z_-]+\.[0-9A-Za-z_-]+\.[0-9A-Za-z_-]+")
QUIET = ("User-Agent", "Referer", "Idempotency-Key", "X-Request-Id", "X-Forwarded-For", "Accept", "X-Key")
LOUD = ("Authorization", "Cookie", "Origin", "Content-Type", "X-Lumio-Account", "Host")
FIELDS = ("label", "email", "display_name", "account_name", "code", "password", "method", "refresh_token", "name")


@pytest.fixture
def log_lines(capsys: pytest.CaptureFixture[str]) -> Iterator[pytest.CaptureFixture[str]]:
    """Log as the server does, at its most talkative."""
    root = logging.getLogger()
    before = (list(root.handlers), root.level)
    logs.set_up("debug")
    yield capsys
    root.handlers[:], level = before
    root.setLevel(level)
    structlog.reset_defaults()


async def test_planted_keys_are_found_in_no_log_no_row_no_mail_and_no_audit_answer(
    world: World, mail: MailFolder, log_lines: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    robin = await world.sign_in()
    genuine = [(await world.mint_key(robin, f"key-{number}"))["key"] for number in range(3)]
    planted = genuine + [opaque.mint(prefix).text for prefix in sorted(opaque.PREFIXES)]
    planted.append(robin.headers["Authorization"].removeprefix("Bearer "))
    page = await world.page_client()
    for number, (method, path) in enumerate(_addresses(world)):
        await _plant((robin, page)[number % 2], method, path, planted[number % len(planted)])
    await _ordinary_life(world, mail)
    await _unforeseen(robin, genuine[0], monkeypatch)
    audit = (await robin.get("/v1/audit-log?limit=200")).text
    await world.house.chores.stop()

    captured = log_lines.readouterr()
    assert "unforeseen" in captured.err
    assert _found(captured.err + captured.out) == []
    assert _found(audit) == []
    assert _found("".join(str(await rows(world, f'SELECT * FROM "{name}"')) for name in metadata.tables)) == []  # noqa: S608
    assert _found(_files(world.house.settings.data_dir)) == []
    for letter in mail.all():
        assert len(_found(letter.as_string())) <= 1
        assert set(_found(letter.as_string())) == set(_found(" ".join(_links(letter.get_content()))))


def _addresses(world: World) -> list[tuple[str, str]]:
    return [
        (str(method), re.sub(r"\{[^}]+\}", "HERE", route.path))
        for route in world.house.web.routes
        if isinstance(route, HTTPRoute)
        for method in sorted(route.methods)
        if method != "OPTIONS" and "logout" not in route.path
    ]


async def _plant(client: httpx2.AsyncClient, method: str, path: str, key: str) -> None:
    """Send a key in the path, the query, the headers and the fields; whatever the answers are."""
    plain, json = path.replace("HERE", "x"), {"Content-Type": "application/json"}
    bodies: list[object] = [{name: key for name in FIELDS}, {key: key, "label": [{key: key}]}, key]
    bodies += [{"email": f"{key}@example.com", "password": PASSWORD, "display_name": "N"}]
    for body in bodies:
        await client.request(method, plain, json=body)
    await client.request(method, path.replace("HERE", key), content=f'{{"label": "{key}', headers=json)
    await client.request(method, plain, params={"cursor": key, "event": key, "actor": f"x{key}"})
    await client.request(method, plain, params={"token": key})
    await client.request(method, plain, data={name: key for name in FIELDS})
    await client.request(method, plain, headers=dict.fromkeys(QUIET, key))
    for name in LOUD:
        await client.request(method, plain, headers={name: key})
    await client.request(method, f"/v1/{key}/nowhere")


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


def _links(text: str) -> list[str]:
    return re.findall(rf"{re.escape(PUBLIC)}\S+", text)
