"""`lumio.config.json`: reading it, telling what is wrong with it field by field, writing it.

Promise: a project that passes `checked` has every field in the form of the specification (api, section 5);
a mistake is named by its field and rule before anything is sent.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from lumio.cli import rules
from lumio.cli.errors import CommandError, FieldError
from lumio.cli.text import hide_keys

FILE_NAME = "lumio.config.json"

Rule = Callable[[Any], str | None]

FIELDS: Mapping[str, Rule] = {
    "extensionId": rules.extension_id,
    "name": rules.line(rules.NAME_LENGTH),
    "description": rules.prose(rules.DESCRIPTION_LENGTH),
    "category": rules.line(rules.NAME_LENGTH),
    "version": rules.version,
    "targets": rules.targets,
    "server": rules.line(rules.NAME_LENGTH),
    "permissions": rules.texts,
    "visibility": rules.one_of(rules.VISIBILITIES),
    "pricing": rules.pricing,
}
_LOCAL = frozenset({"server"})  # where to deploy to is no property of what is deployed


@dataclass(frozen=True, slots=True)
class Project:
    """The content of a project file and where it lies."""

    path: Path
    values: dict[str, Any]

    def _text(self, name: str) -> str | None:
        value = self.values.get(name)
        return value if isinstance(value, str) and value else None

    @property
    def server(self) -> str | None:
        """Return the server that the file names."""
        return self._text("server")

    @property
    def extension_id(self) -> str | None:
        """Return the id of the extension that this folder builds."""
        return self._text("extensionId")

    @property
    def version(self) -> str:
        """Return the version; only meaningful after `checked`."""
        return self._text("version") or ""

    @property
    def name(self) -> str:
        """Return the name; only meaningful after `checked`."""
        return self._text("name") or ""

    def with_values(self, **values: Any) -> "Project":
        """Return a project that differs in these fields."""
        return replace(self, values={**self.values, **values})

    def manifest(self) -> bytes:
        """Return the manifest of a deployment: the file's fields in one fixed spelling, without `server`."""
        sent = {name: value for name, value in self.values.items() if name not in _LOCAL}
        return json.dumps(sent, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        message = f"{twice} is there twice"
        raise ValueError(message)
    return values


def read_project(path: Path) -> Project:
    """Read the file. Raises CommandError when it is missing, unreadable or no JSON object."""
    try:
        values = json.loads(path.read_text(encoding="utf-8"), object_pairs_hook=_once)
    except FileNotFoundError as error:
        what = f"There is no {path.name} in {path.parent}"
        raise CommandError(what, next_step="Run lumio init to make one, or change to the project's folder",
                           code="no_project") from error  # fmt: skip
    except OSError as error:
        what = f"{path} cannot be read"
        raise CommandError(what, error.strerror or "the system refused", code="invalid_project") from error
    except ValueError as error:
        what = f"{path.name} is not valid JSON"
        raise CommandError(what, hide_keys(str(error)), "Correct it and try again", code="invalid_project") from error
    if not isinstance(values, dict):
        what = f"{path.name} is not a JSON object"
        raise CommandError(what, next_step="lumio init --force writes a new one", code="invalid_project")
    return Project(path, values)


def find_project(folder: Path) -> Project | None:
    """Return the project of this folder, None when it has no project file."""
    path = folder / FILE_NAME
    return read_project(path) if path.exists() else None


def _unknown(name: str) -> FieldError:
    near = get_close_matches(name, FIELDS, n=1)
    return FieldError(name, "is not a known field" + (f"; did you mean {near[0]}?" if near else ""))


def mistakes(values: Mapping[str, Any], required: tuple[str, ...] = ()) -> list[FieldError]:
    """Return every mistake: missing fields first, then unknown ones, then broken rules."""
    found = [FieldError(name, "is missing") for name in required if values.get(name) in (None, "")]
    reported = {each.field for each in found}
    found += [_unknown(name) for name in values if name not in FIELDS]
    for name, rule in FIELDS.items():
        if name in values and name not in reported:
            message = rule(values[name])
            found += [FieldError(name, message)] if message else []
    return found


def checked(project: Project, required: tuple[str, ...] = ("name", "version")) -> Project:
    """Return the project if it has no mistakes; raises CommandError with all of them."""
    found = mistakes(project.values, required)
    if not found:
        return project
    what = f"{project.path.name} has {len(found)} mistake{'s' if len(found) > 1 else ''}"
    raise CommandError(what, next_step="Correct the file and try again", code="invalid_project", fields=found)


def write_project(project: Project) -> None:
    """Write the file in one step, two spaces deep, fields in the order they are in."""
    draft = project.path.with_name(f".{project.path.name}.new")
    try:
        draft.write_text(json.dumps(project.values, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        draft.replace(project.path)
    except OSError as error:
        draft.unlink(missing_ok=True)
        what = f"{project.path} cannot be written"
        raise CommandError(what, error.strerror or "the system refused", code="unwritable_file") from error
