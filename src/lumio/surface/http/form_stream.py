"""Multipart bodies (RFC 7578) read part by part as they arrive: nothing of them is collected here.

Promise: memory is bounded by one chunk of the network, whatever is sent; a body of another form, a broken one
and one that is longer than the limit end the reading with one error.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from litestar import Request
from multipart import MultipartError, MultipartSegment, PushMultipartParser, parse_options_header

from lumio.kernel.errors import FieldError, Malformed, TooLarge

_DRAIN_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Part:
    """One part: its name, and its content in pieces; whatever is not read of it is passed over."""

    name: str
    content: AsyncIterator[bytes]


class FormStream:
    """The parts of one request body, in the order of their arrival."""

    def __init__(self, request: Request[Any, Any, Any], limit: int, parts_max: int) -> None:
        """Read at most `limit` bytes and `parts_max` parts of `request`."""
        self._request = request
        self._limit = limit
        self._parts_max = parts_max
        self._began = False
        self._left = limit
        self._more = True

    async def parts(self) -> AsyncIterator[Part]:
        """Yield the parts; each must be done with before the next is asked for.

        Raises:
            Malformed: no multipart/form-data, or a broken or unfinished one.
            TooLarge: more than the limit.
        """
        events = self._events()
        async for event in events:
            if isinstance(event, MultipartSegment):
                content = _content(events)
                yield Part(event.name or "", content)
                async for _ in content:
                    pass

    async def drain(self) -> None:
        """Take the rest of a body whose reading ended early, so that its sender gets to the answer.

        Does nothing when reading never began, takes no more than the limit, and gives up after a while.
        """
        if not self._began or not self._more:
            return
        try:
            async with asyncio.timeout(_DRAIN_SECONDS):
                async for _ in self._chunks():
                    pass
        except (TimeoutError, Malformed, TooLarge):
            return

    async def _events(self) -> AsyncIterator[MultipartSegment | bytes | None]:
        parser = self._parser()
        try:
            async for chunk in self._chunks():
                for event in parser.parse(chunk):
                    yield event
            parser.close()
        except MultipartError as error:
            raise _malformed("The body is not well-formed multipart/form-data.") from error

    def _parser(self) -> PushMultipartParser:
        kind, options = parse_options_header(self._request.headers.get("content-type", ""))
        boundary = options.get("boundary", "")
        if kind != "multipart/form-data" or not 1 <= len(boundary) <= 70:  # noqa: PLR2004 - RFC 2046, 5.1.1
            raise _malformed("The Content-Type must be multipart/form-data with a boundary.")
        # Not strict: what stands before the first and after the last boundary is passed over (RFC 2046, 5.1.1),
        # and the parser's strict mode would refuse it or not by how the network cut the body into chunks.
        try:
            return PushMultipartParser(boundary, max_segment_count=self._parts_max)
        except (MultipartError, UnicodeError) as error:
            raise _malformed("The boundary cannot be used.") from error

    async def _chunks(self) -> AsyncIterator[bytes]:
        announced = self._request.headers.get("content-length", "")
        if not self._began and announced.isdecimal() and int(announced[:20]) > self._limit:
            self._more = False
            raise self._too_large()
        self._began = True
        while self._more:
            message: Any = await self._request.receive()
            if message["type"] != "http.request":
                self._more = False
                raise _malformed("The body stopped before its end.")
            body = message.get("body", b"")
            self._more = message.get("more_body", False)
            self._left -= len(body)
            if self._left < 0:
                self._more = False
                raise self._too_large()
            if body:
                yield body

    def _too_large(self) -> TooLarge:
        return TooLarge(f"The request body is larger than {self._limit} bytes.")


def _malformed(sentence: str) -> Malformed:
    return Malformed([FieldError("", "multipart", sentence)])


async def _content(events: AsyncIterator[MultipartSegment | bytes | None]) -> AsyncIterator[bytes]:
    """Yield the content of the part that was just begun."""
    async for event in events:
        if event is None:
            return
        if isinstance(event, bytes | bytearray):
            yield bytes(event)
