"""Addresses of the pages themselves: the way in, and the static files."""

from pathlib import PurePath

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect

from lumio.kernel.errors import NotFound
from lumio.surface.html.pages import see_other
from lumio.surface.html.templating import TYPES, StaticFiles
from lumio.surface.http.gate import OPEN

YEAR = "public, max-age=31536000, immutable"


@get("/", opt={OPEN: True})
async def root() -> Redirect:
    """Lead to the dashboard."""
    return see_other("/dashboard")


@get("/dashboard")
async def dashboard() -> Redirect:
    """Lead to the first page of the dashboard."""
    return see_other("/dashboard/extensions")


@get("/static/{build:str}/{name:str}", opt={OPEN: True})
async def static_file(
    build: FromPath[str], name: FromPath[str], static: NamedDependency[StaticFiles]
) -> Response[bytes]:
    """Send a static file; an older build's address is gone, never another build's content."""
    body = static.files.get(name)
    if body is None or build != static.build:
        raise NotFound
    return Response(body, media_type=TYPES[PurePath(name).suffix], headers={"Cache-Control": YEAR})
