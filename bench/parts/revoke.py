"""Revocation: how long the answer takes, and that nothing is accepted that was asked after it.

Four connections ask with the key all the time while it is revoked over a fifth.
"""

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass

from bench.figures import Row, Spread, at_most
from bench.ground import BACKENDS, Ground
from bench.installation import Contender
from bench.rotation import request
from bench.servers import sign_in, takes_workers

PART, PATH, KEYS_PATH = "revoke", "/v1/auth/verify", "/v1/api-keys"
KEYS, ASKERS = 20, 4
BEFORE_SECONDS, AFTER_SECONDS = 0.1, 0.3
GOOD = 200


@dataclass(frozen=True, slots=True)
class Answer:
    """When a request was sent and answered (monotonic seconds), and how."""

    sent: float
    came: float
    status: int


def measure(ground: Ground) -> Iterator[Row]:
    """Yield the rows of both databases, with one worker and, where there can be two, with two."""
    for backend in BACKENDS:
        for workers in (1, 2) if takes_workers() else (1,):
            installation = ground.installation(backend)
            ids, texts = [], installation.minter.developer_keys(KEYS)
            name = f"{backend}, {workers} worker{'s' if workers > 1 else ''}"
            with installation.serving(workers) as contender:
                ids = [installation.database.ask(_id_of(text)) for text in texts]
                pairs = list(zip(texts, ids, strict=True))
                revoked = asyncio.run(_revoke_each(contender, sign_in(contender.port), pairs))
            late = sum(_late(receipt, answers) for receipt, answers in revoked)
            took = Spread.of((receipt.came - receipt.sent) * 1000 for receipt, _ in revoked)
            first = Spread.of((_first_refusal(answers) - receipt.sent) * 1000 for receipt, answers in revoked)
            yield Row(PART, f"{name}: until the revocation is answered", "ms", took)
            yield Row(PART, f"{name}: from its request to the first 401", "ms", first)
            note = f"{KEYS} keys, {ASKERS} connections each"
            yield Row(PART, f"{name}: accepted after the answer", "answers", Spread.of([late]), at_most(0), note)


def _id_of(text: str) -> str:
    return f"SELECT id FROM api_key WHERE lookup_id = '{text[7:19]}'"  # noqa: S608 - of our own alphabet


async def _revoke_each(
    contender: Contender, session: str, keys: list[tuple[str, str]]
) -> list[tuple[Answer, list[Answer]]]:
    """Revoke one key after the other; return each receipt with what the askers were told."""
    revoker = await asyncio.open_connection("127.0.0.1", contender.port)
    told = []
    for text, key_id in keys:
        answers: list[Answer] = []
        over = asyncio.Event()
        asking = [asyncio.create_task(_keep_asking(contender.port, text, answers, over)) for _ in range(ASKERS)]
        await asyncio.sleep(BEFORE_SECONDS)
        receipt = await _ask(*revoker, request(f"{KEYS_PATH}/{key_id}", session, method="DELETE"))
        assert receipt.status == GOOD, receipt
        await asyncio.sleep(AFTER_SECONDS)
        over.set()
        await asyncio.gather(*asking)
        told.append((receipt, answers))
    revoker[1].close()
    return told


async def _keep_asking(port: int, text: str, answers: list[Answer], over: asyncio.Event) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    while not over.is_set():
        answers.append(await _ask(reader, writer, request(PATH, text)))
    writer.close()


async def _ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, sent: bytes) -> Answer:
    started = time.monotonic()
    writer.write(sent)
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    length = next(int(line[15:]) for line in head.split(b"\r\n") if line.startswith(b"content-length:"))
    await reader.readexactly(length)
    return Answer(started, time.monotonic(), int(head[9:12]))


def _late(receipt: Answer, answers: list[Answer]) -> int:
    """Count what was asked after the receipt and accepted all the same."""
    return sum(one.status == GOOD and one.sent > receipt.came for one in answers)


def _first_refusal(answers: list[Answer]) -> float:
    return min(one.came for one in answers if one.status != GOOD)
