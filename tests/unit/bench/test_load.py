"""The generator in plain asyncio: how it asks, what it counts, and what it refuses to count."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from bench.load import Order, drive, load, whole
from bench.rotation import request

STALL_SECONDS = 0.2


class Answering:
    """A server that answers `/<status>`, `/busy` with 503 and then with 200, and stalls once where told."""

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()
        self.stalls = False

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while head := await reader.readuntil(b"\r\n\r\n") if not reader.at_eof() else b"":
            path = head.split()[1].decode().strip("/")
            self.asked[path] += 1
            if self.stalls:
                self.stalls = False
                await asyncio.sleep(STALL_SECONDS)
            status = {"busy": 503 if self.asked[path] == 1 else 200, "gone": 0}.get(path) or int(path or 0)
            if not status:
                break
            answer = f"HTTP/1.1 {status} x\r\nContent-Length: 5\r\n\r\n".encode()
            writer.write(answer)
            await asyncio.sleep(0)
            writer.write(b"hello")  # an answer may come in pieces
        writer.close()


@pytest_asyncio.fixture
async def server() -> AsyncIterator[tuple[Answering, int]]:
    answering = Answering()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await answering.serve(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    opened = await asyncio.start_server(serve, "127.0.0.1", 0)
    yield answering, opened.sockets[0].getsockname()[1]
    opened.close()
    await opened.wait_closed()


async def test_each_request_is_sent_once_whatever_the_number_of_connections(server: tuple[Answering, int]) -> None:
    answering, port = server
    requests = [request("/200"), request("/401"), request("/429")] * 4
    run = await drive(port, requests, Order(5, 5, once=True))
    assert run.statuses == {200: 4, 401: 4, 429: 4}
    assert answering.asked == {"200": 4, "401": 4, "429": 4}
    assert len(run.took) == len(run.due) == 12


async def test_an_answer_is_timed_from_the_moment_its_request_was_due(server: tuple[Answering, int]) -> None:
    answering, port = server
    answering.stalls = True
    run = await drive(port, [request("/200")], Order(STALL_SECONDS * 2, 1, rate=100))
    late = [took for took in run.took if took > STALL_SECONDS / 4]
    # One request stalled; whatever was due meanwhile waited for it, and must not be forgotten.
    assert len(late) > 5
    assert 35 <= len(run.took) <= 41


async def test_who_is_patient_asks_again_after_503_and_counts_one_answer(server: tuple[Answering, int]) -> None:
    _, port = server
    run = await drive(port, [request("/busy")], Order(5, 1, once=True, patient=True))
    assert (run.statuses, run.again) == ({200: 1}, 1)


async def test_a_load_of_wrong_answers_has_no_figure(server: tuple[Answering, int]) -> None:
    _, port = server
    with pytest.raises(AssertionError):
        await load(port, "/401", "k", 0.02, connections=1)


async def test_a_connection_that_breaks_off_ends_the_load(server: tuple[Answering, int]) -> None:
    _, port = server
    with pytest.raises(OSError, match="closed"):
        await drive(port, [request("/gone")], Order(0.2, 2))


def test_an_answer_is_whole_with_the_last_byte_of_its_body() -> None:
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
    assert whole(answer[:20]) is None
    assert whole(answer) == len(answer)
    with pytest.raises(AssertionError, match="without a length"):
        whole(b"HTTP/1.1 200 OK\r\n\r\n")
