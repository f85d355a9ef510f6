"""`/v1/auth/introspect` and `/v1/auth/verify`.

The second stands in front of every request to somebody else's service: it has a direct way beside the framework.
"""

from collections.abc import Awaitable, Callable
from functools import lru_cache
from typing import Any

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency

from lumio.access.perform import Perform
from lumio.access.principal import Asker
from lumio.introspection.model import Introspect, Introspected, Verified
from lumio.introspection.service import REMEMBERED_MAX, Introspection
from lumio.surface.http.direct import Answer
from lumio.surface.http.gate import FORWARDED
from lumio.surface.rest import exchange
from lumio.surface.rest.encoding import encode
from lumio.surface.rest.exchange import Web
from lumio.surface.rest.openapi import shows

ANSWERS_FOR_OTHERS = shows(Introspection.verify, Verified, bare=True)["opt"] | {FORWARDED: True}


class IntrospectionRoutes(Controller):
    """Questions of other services; never answered to a browser's cookie."""

    path = "/auth"

    @post(
        "/introspect",
        status_code=200,
        **shows(Introspection.introspect, Introspected, body=Introspect, bare=True, takes=exchange.FORM),
    )
    async def introspect(
        self, request: Web, introspection: NamedDependency[Introspection], perform: NamedDependency[Perform]
    ) -> Response[Any]:
        """Tell a service what a credential is that it was shown (RFC 7662)."""
        form = await exchange.form_body(request)
        return exchange.bare(await perform(introspection.introspect, exchange.asker(request), form))

    @get("/verify", opt=ANSWERS_FOR_OTHERS)
    async def verify(
        self, request: Web, introspection: NamedDependency[Introspection], perform: NamedDependency[Perform]
    ) -> Response[Any]:
        """Tell a proxy who a request comes from, in headers and as JSON."""
        form = exchange.query(request)
        found: Verified = await perform(introspection.verify, exchange.asker(request), form, lax=True)
        told = _told(found)
        return Response(told.body, headers={name.decode(): value.decode() for name, value in told.headers})


def direct_verify(introspection: Introspection, perform: Perform) -> Callable[[Asker, bytes], Awaitable[Answer]]:
    """Return the direct way of `GET /v1/auth/verify`."""

    async def verify(asker: Asker, query: bytes) -> Answer:
        found: Verified = await perform(introspection.verify, asker, exchange.plain_query(query), lax=True)
        return _told(found)

    return verify


@lru_cache(REMEMBERED_MAX)
def _told(found: Verified) -> Answer:
    """Return the answer in headers and as JSON; a header that does not apply is left out."""
    headers = {
        "x-lumio-kind": found.kind,
        "x-lumio-subject": found.subject,
        "x-lumio-account": found.account,
        "x-lumio-permissions": " ".join(found.permissions),
        "x-lumio-credential": found.credential,
    }
    body = encode(found)
    form = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    return Answer(200, [(name.encode(), value.encode()) for name, value in headers.items() if value] + form, body)
