"""Results as JSON, and the answer that carries them.

Promise: every time is RFC 3339 in UTC with `Z` and microseconds, wherever it stands in a result.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import cache
from typing import Any

import msgspec
from litestar import Response
from msgspec import Struct
from msgspec import inspect as shape
from msgspec.structs import astuple

from lumio.kernel import clock

TYPE = "application/json"


def encode(value: Any) -> bytes:
    """Return a result as JSON; times are RFC 3339 in UTC with Z."""
    return msgspec.json.encode(_with_zulu(value))


def _with_zulu(value: Any) -> Any:
    """Return a value with its times as text; a struct that cannot hold one is left to the encoder as it is."""
    if isinstance(value, Struct):
        if not _may_hold_times(type(value)):
            return value
        value = msgspec.to_builtins(value, builtin_types=(datetime,))
    match value:
        case datetime():
            return clock.rfc3339(value)
        case dict():
            return {name: _with_zulu(inner) for name, inner in value.items()}
        case list() | tuple():
            return [_with_zulu(inner) for inner in value]
    return value


@cache
def _may_hold_times(kind: type[Struct]) -> bool:
    """Tell whether a time, or something that nobody knows, can stand anywhere in a struct of this kind."""
    return any(isinstance(one, _TIMES) for one in _inside(shape.type_info(kind), set()))


_TIMES = (shape.DateTimeType, shape.AnyType, shape.CustomType)


def _inside(part: Any, seen: set[type]) -> Iterator[shape.Type]:
    """Yield every type that stands in a part of a type's description; a struct that stands in itself only once."""
    if isinstance(part, shape.StructType):
        if part.cls in seen:
            return
        seen.add(part.cls)
    if isinstance(part, shape.Type):
        yield part
    inner = part if isinstance(part, tuple) else astuple(part) if isinstance(part, shape.Type | shape.Field) else ()
    for one in inner:
        yield from _inside(one, seen)


class JsonAnswer(Response[bytes]):
    """A whole answer in JSON: the framework's own, without what it does for answers of other kinds."""

    def __init__(self, body: bytes, status: int, headers: Mapping[str, str]) -> None:
        """Answer with encoded JSON; headers and cookies can be added until it is handed over."""
        super().__init__(body, status_code=status, media_type=TYPE, headers=dict(headers))

    def to_asgi_response(self, app: Any, request: Any, **given: Any) -> Any:
        """Return what sends it."""
        if self.cookies or self.background is not None or given.get("headers") or given.get("cookies"):
            return super().to_asgi_response(app, request, **given)
        headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in self.headers.items()]
        headers += [(b"content-type", TYPE.encode()), (b"content-length", str(len(self.content)).encode())]
        start = {"type": "http.response.start", "status": self.status_code, "headers": headers}
        end = {"type": "http.response.body", "body": self.content, "more_body": False}

        async def answer(_scope: Any, _receive: Any, send: Any) -> None:
            await send(start)
            await send(end)

        return answer
