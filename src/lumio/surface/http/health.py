"""What a load balancer asks: whether the process is there, and whether it can answer safely.

Promise: ready means that the authority answers from now; a server that could only guess says so with 503.
"""

from typing import Any

from litestar import Response, get
from litestar.di import NamedDependency

from lumio.authority.interface import Authority
from lumio.surface.http.gate import OPEN


@get("/healthz", opt={OPEN: True})
async def healthz() -> Response[Any]:
    """Tell that the process serves; asks nothing of the database."""
    return Response({"status": "ok"})


@get("/readyz", opt={OPEN: True})
async def readyz(authority: NamedDependency[Authority]) -> Response[Any]:
    """Tell that credentials can be judged right now; answers 503 when they cannot."""
    await authority.stamp()
    return Response({"status": "ready"})
