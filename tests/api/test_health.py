"""`GET /healthz` and `GET /readyz`: open to everybody, and honest."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from lumio.authority.interface import Authority
from lumio.kernel.errors import Unavailable
from tests.support.world import World


async def test_a_healthy_server_says_so_to_everybody_and_records_nothing(world: World) -> None:
    robin = await world.sign_in()
    for path, status in (("/healthz", "ok"), ("/readyz", "ready")):
        answer = await world.bearer("lm_dev_nonsense").get(path)
        assert (answer.status_code, answer.json()) == (200, {"status": status})
        assert answer.headers["Cache-Control"] == "private, no-store"
    events = {entry["event"] for entry in await world.log(robin)}
    assert "auth.failed" not in events


async def test_a_server_that_cannot_judge_credentials_is_alive_and_not_ready(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def blind(_self: Authority) -> int:
        raise Unavailable("the feed cannot be read")

    monkeypatch.setattr(type(world.house.authority), "stamp", blind)
    refused = await world.anonymous().get("/readyz")
    assert refused.status_code == 503
    assert refused.headers["Retry-After"] == "2"
    assert "feed" not in refused.text
    assert (await world.anonymous().get("/healthz")).status_code == 200


@contextmanager
def _replaced(path: Path) -> Iterator[None]:
    aside = path.rename(path.with_suffix(".old"))
    path.touch()
    try:
        yield
    finally:
        aside.rename(path)


async def test_a_replaced_database_file_ends_readiness(world: World) -> None:
    if "sqlite" not in world.house.settings.database_url:
        pytest.skip("PostgreSQL has no file of ours to replace")
    with _replaced(world.house.settings.data_dir / "lumio.db"):
        assert (await world.anonymous().get("/readyz")).status_code == 503
