"""`GET /metrics`: the figures are right, nobody else sees them, and they hold nothing that must not be told."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import httpx2
import pytest
import pytest_asyncio
from prometheus_client.parser import text_string_to_metric_families

from lumio.kernel.errors import Unavailable
from lumio.kernel.metrics import FAMILIES
from lumio.settings import Settings, SettingsError, load
from lumio.storage.database import Database
from tests.support.world import World, opened

TOKEN = "metrics-" + "s" * 24
LEASED = {"lumio_authority_lease_seconds_left", "lumio_revocation_seq", "lumio_revocation_lag"}
ONLY_WITH_MORE_WORKERS = {"lumio_journal_writer_commits_total"}


@pytest_asyncio.fixture
async def watched(settings: Settings) -> AsyncIterator[World]:
    """A house with a metrics token, which has counted nothing yet."""
    async with opened(replace(settings, metrics_token=TOKEN)) as made:
        yield made


def here(world: World) -> httpx2.AsyncClient:
    """Return a client on the machine itself."""
    return world.client("127.0.0.1", Host="localhost:8000")


async def told(world: World) -> dict[str, dict[tuple[str, ...], float]]:
    """Return every sample, by its name and the values of its labels."""
    answer = await here(world).get("/metrics")
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    found: dict[str, dict[tuple[str, ...], float]] = {}
    for family in text_string_to_metric_families(answer.text):
        for sample in family.samples:
            order = FAMILIES[sample.name].labels if sample.name in FAMILIES else tuple(sample.labels)
            found.setdefault(sample.name, {})[tuple(sample.labels[name] for name in order)] = sample.value
    return found


async def test_answers_and_verdicts_are_counted_by_what_they_were(watched: World) -> None:
    robin = await watched.sign_in()
    key = (await watched.mint_key(robin))["key"]
    for _ in range(3):
        assert (await watched.bearer(key).get("/v1/users/me")).status_code == 200
    assert (await watched.bearer(key[:-1] + ("x" if key[-1] != "x" else "y")).get("/v1/users/me")).status_code == 401
    assert (await watched.client().get("/v1/users/me", params={"key": key})).status_code == 401
    assert (await watched.bearer(key).get("/developer/v1/nothing")).status_code == 404
    assert (await watched.anonymous().get("/login")).status_code == 200
    assert (await watched.anonymous().get("/healthz")).status_code == 200
    found = await told(watched)
    requests = found["lumio_requests_total"]
    assert requests["rest", "2xx", "api_key"] == 3
    assert requests["rest", "4xx", "none"] == 2
    assert requests["pages", "2xx", "anonymous"] == 1
    assert requests["probes", "2xx", "none"] == 1
    assert sum(count for (surface, _, _), count in requests.items() if surface == "developer") == 1
    verdicts = found["lumio_authentications_total"]
    assert verdicts["api_key", "accepted"] in {3, 4}
    assert verdicts["api_key", "key_in_query"] == 1
    assert sum(verdicts.values()) - verdicts["api_key", "accepted"] - verdicts["session", "accepted"] == 2


async def test_the_journal_the_database_and_the_authority_are_told_of(watched: World) -> None:
    robin = await watched.sign_in()
    assert (await robin.get("/v1/users/me")).status_code == 200
    found = await told(watched)
    batches = found["lumio_journal_batches_total"][()]
    assert batches >= 1
    assert found["lumio_journal_commit_seconds_count"][()] == batches
    assert found["lumio_journal_failures_total"][()] == 0
    assert found["lumio_journal_queue"]["worker-1",] == 0
    assert found["lumio_authority_fresh"]["worker-1",] == 1
    assert found["lumio_workers"][()] == found["lumio_database_answers"][()] == 1
    assert found["lumio_process_resident_bytes"]["worker-1",] > 10_000_000
    told_of = {name for name in FAMILIES if name in found or f"{name}_count" in found}
    missing = set(FAMILIES) - told_of - {"lumio_unavailable_total"} - ONLY_WITH_MORE_WORKERS
    assert missing == (LEASED if watched.house.database.dialect.single_writer else set())
    if not missing:
        assert 0 < found["lumio_authority_lease_seconds_left"]["worker-1",] <= 9.5
        assert found["lumio_revocation_lag"][()] == 0


async def test_while_the_database_is_away_the_figures_say_so_and_are_told_all_the_same(
    watched: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    robin = await watched.sign_in()

    def away(_self: Database) -> Any:
        raise Unavailable("the database is away")

    monkeypatch.setattr(Database, "reading", away)
    assert (await robin.get("/v1/api-keys")).status_code == 503
    found = await told(watched)
    assert found["lumio_database_answers"][()] == 0
    assert "lumio_outbox_messages" not in found
    assert sum(found["lumio_unavailable_total"].values()) == 1
    assert found["lumio_requests_total"]["rest", "5xx", "session"] == 1


async def test_a_batch_that_fails_is_counted_and_its_answer_put_down_to_the_journal(
    watched: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    robin = await watched.sign_in()
    real = watched.house.journal._sink._sink  # type: ignore[attr-defined]

    async def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(real, "write", full)
    assert (await robin.get("/v1/users/me")).status_code == 503
    monkeypatch.undo()
    found = await told(watched)
    assert found["lumio_unavailable_total"] == {("journal",): 1}
    assert found["lumio_journal_failures_total"][()] == 1
    assert found["lumio_requests_total"]["rest", "5xx", "session"] == 1


async def test_for_a_stranger_there_is_nothing_there_and_the_token_opens_it(watched: World) -> None:
    stranger = watched.anonymous()
    nothing, hidden = await stranger.get("/nothing-here"), await stranger.get("/metrics")
    assert (nothing.status_code, hidden.status_code) == (404, 404)
    assert "lumio_" not in hidden.text
    strip = [answer.text.replace(answer.headers["X-Request-Id"], "") for answer in (nothing, hidden)]
    assert strip[0] == strip[1]
    assert (await watched.bearer(TOKEN).get("/metrics")).status_code == 200
    assert (await watched.bearer(TOKEN + "x").get("/metrics")).status_code == 404
    forged = watched.client("203.0.113.7", Host="localhost", **{"X-Forwarded-For": "127.0.0.1"})
    assert (await forged.get("/metrics")).status_code == 404


async def test_no_credential_of_the_product_opens_it_and_the_token_opens_nothing_else(watched: World) -> None:
    robin = await watched.sign_in()
    key = (await watched.mint_key(robin))["key"]
    assert (await robin.get("/metrics")).status_code == 404
    assert (await watched.bearer(key).get("/metrics")).status_code == 404
    for path in ("/v1/users/me", "/v1/auth/verify", "/v1/audit-log", "/developer/v1/me"):
        assert (await watched.bearer(TOKEN).get(path)).status_code == 401, path
    refused = [entry for entry in await watched.log(robin) if entry["event"] == "auth.failed"]
    assert TOKEN not in str(refused)


async def test_a_house_behind_a_trusted_proxy_on_this_machine_takes_nobody_for_local(settings: Settings) -> None:
    proxied = load({
        "LUMIO_DATA_DIR": str(settings.data_dir), "LUMIO_DATABASE_URL": settings.database_url,
        "LUMIO_PUBLIC_URL": settings.public_url, "LUMIO_TRUSTED_PROXIES": "127.0.0.1",
    })  # fmt: skip
    async with opened(proxied) as world:
        assert (await here(world).get("/metrics")).status_code == 404
        assert (await world.client("::1", Host="localhost").get("/metrics")).status_code == 200


async def test_what_is_told_holds_no_address_no_name_and_no_secret(watched: World) -> None:
    robin = await watched.sign_in()
    key = await watched.mint_key(robin, "a-label-of-mine")
    await watched.bearer(key["key"], ip="198.51.100.77").get(f"/v1/api-keys/{key['id']}")
    await watched.bearer("lm_dev_rubbish", ip="198.51.100.77").get("/v1/users/me")
    text = (await here(watched).get("/metrics")).text
    for secret in ("198.51.100.77", "203.0.113", "robin", "a-label", key["id"], key["key"], TOKEN, "lm_dev"):
        assert secret not in text


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("METRICS_TOKEN", "short"), ("METRICS_TOKEN", "lm_sys_" + "x" * 40), ("METRICS_TOKEN", "with space " * 4),
        ("METRICS_TOKEN", "ü" * 40), ("WORKERS", "0"), ("WORKERS", "65"), ("WORKERS", "two"), ("NODE", "a/b"),
        ("NODE", ""), ("NODE", "n" * 49),
    ],
)  # fmt: skip
def test_a_setting_that_cannot_be_used_stops_the_start_by_its_name(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=f"LUMIO_{name}") as caught:
        load({f"LUMIO_{name}": value})
    assert value not in str(caught.value) or len(value) < 8
