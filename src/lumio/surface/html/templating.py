"""Templates and static files: `<domain>/x.html` lies in that domain's folder, other names in the surface's.

Promise: everything is escaped, and a value that is missing is an error, not an empty place.
"""

from collections.abc import Mapping
from pathlib import Path

from jinja2 import BaseLoader, Environment, StrictUndefined, TemplateNotFound

from lumio.crypto.hashing import digest
from lumio.surface.html import format as words

ROOT = Path(__file__).parents[2]
STATIC = Path(__file__).parent / "static"
FILTERS = ("ago", "utc", "iso", "minute", "size", "visible")
TYPES = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}


class Loader(BaseLoader):
    """Finds a template by its name; read once, since an installed template does not change."""

    def get_source(self, _environment: Environment, template: str) -> tuple[str, str, None]:
        """Return the text and path of a template."""
        domain, _, rest = template.partition("/")
        owned = ROOT / domain / "templates" / rest
        shared = ROOT / "surface" / "html" / "templates" / template
        for path in (owned, shared):
            if path.is_file():
                return path.read_text("utf-8"), str(path), None
        raise TemplateNotFound(template)


def environment() -> Environment:
    """Return the templates' environment."""
    env = Environment(loader=Loader(), autoescape=True, undefined=StrictUndefined, cache_size=200)
    env.filters.update({name: getattr(words, name) for name in FILTERS})
    return env


class StaticFiles:
    """The files of the pages, under an address that changes when any of them does."""

    def __init__(self, folder: Path = STATIC) -> None:
        """Read the folder whole: it is small, and serving it touches no disk."""
        self.files: Mapping[str, bytes] = {path.name: path.read_bytes() for path in sorted(folder.iterdir())}
        content = b"".join(name.encode() + b"\0" + body for name, body in self.files.items())
        # One name for all: a script imports its neighbours by relative address, so they must share the folder.
        self.build = digest(content)[:16]

    def address(self, name: str) -> str:
        """Return the address of a file. Raises KeyError for an unknown name: a mistake in a template."""
        if name not in self.files:
            raise KeyError(name)
        return f"/static/{self.build}/{name}"
