"""`/v1/auth/introspect` and `/v1/auth/verify`."""

from typing import Any

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency

from lumio.access.perform import Perform
from lumio.introspection.model import Introspect, Introspected, Verified
from lumio.introspection.service import Introspection
from lumio.surface.http.gate import FORWARDED
from lumio.surface.rest import exchange
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
        found = await perform(introspection.verify, exchange.asker(request), form, lax=True)
        answer = exchange.bare(found)
        for name, value in _headers(found).items():
            answer.headers[name] = value
        return answer


def _headers(found: Verified) -> dict[str, str]:
    """Return the answer as headers; what does not apply is left out."""
    told = {
        "X-Lumio-Kind": found.kind,
        "X-Lumio-Subject": found.subject,
        "X-Lumio-Account": found.account,
        "X-Lumio-Permissions": " ".join(found.permissions),
        "X-Lumio-Credential": found.credential,
    }
    return {name: value for name, value in told.items() if value}
