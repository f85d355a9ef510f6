"""One place that checks input, for every surface: a decoder of a surface is never believed.

Promise: every broken rule of every field is named at once, an unknown field is refused, and nothing that
looks like a credential is kept in a field that is not meant for one.
"""

import re
from collections.abc import Hashable, Iterator, Mapping
from functools import cache
from typing import Any, TypeVar, cast

import msgspec
from msgspec.structs import FieldInfo, fields

from lumio.crypto import opaque
from lumio.kernel.errors import FieldError, Invalid

Input = TypeVar("Input")

SECRET = {"secret": True}
"""The `extra` of a msgspec `Meta` that marks a field whose content is a credential."""
STRANGE_MAX = 20
NAME_SHOWN = 64

_RULES = (
    (re.compile(r"of length >= (\d+)"), "length", "Must have at least {} character(s)."),
    (re.compile(r"of length <= (\d+)"), "length", "Must have at most {} characters."),
    (re.compile(r">= (-?\d+)"), "range", "Must be {} or more."),
    (re.compile(r"<= (-?\d+)"), "range", "Must be {} or less."),
    (re.compile(r"matching regex"), "pattern", "Has characters or a form that are not allowed here."),
    (re.compile(r"Invalid enum value"), "choice", "Is not one of the choices."),
    (re.compile(r"RFC3339|datetime"), "time", "Must be a time such as 2026-11-21T23:38:54Z."),
)
_NAMES = {
    "str": "text", "int": "a whole number", "bool": "true or false", "array": "a list", "object": "an object",
    "float": "a number", "null": "nothing",
}  # fmt: skip


def validate(kind: type[Input], raw: object, *, lax: bool = False) -> Input:
    """Return `raw` as a `kind`.

    Args:
        kind: a msgspec Struct, or NoneType for an action without input.
        raw: a mapping of plain values, as JSON, a form or GraphQL gives them.
        lax: read numbers and booleans from text, for forms and query strings.

    Raises:
        Invalid: names every field that breaks a rule, and the rule.
    """
    if kind is type(None):
        return None
    if raw == {} and not _required(cast("Hashable", kind)):
        return msgspec.convert({}, kind)
    if not isinstance(raw, Mapping):
        raise Invalid([FieldError("", "type", "Must be an object.")])
    known = _fields_of(cast("Hashable", kind))
    strange = [name for name in raw if name not in known][:STRANGE_MAX]
    problems = [FieldError(_shown(str(name)), "unknown", "There is no such field.") for name in strange]
    for name, field in known.items():
        problems.extend(_check(field, name, raw, lax=lax))
    if problems:
        raise Invalid(problems)
    return msgspec.convert(raw, kind, strict=not lax)


@cache
def _fields_of(kind: Hashable) -> Mapping[str, FieldInfo]:
    return {field.encode_name: field for field in fields(kind)}  # type: ignore[arg-type]


@cache
def _required(kind: Hashable) -> bool:
    return any(field.required for field in _fields_of(kind).values())


def _check(field: FieldInfo, name: str, raw: Mapping[str, object], *, lax: bool) -> Iterator[FieldError]:
    if name not in raw:
        if field.required:
            yield FieldError(name, "required", "Is required.")
        return
    if not storable(raw[name]):
        yield FieldError(name, "characters", "Must not contain NUL or broken characters.")
        return
    if not _takes_secrets(field) and _holds_secret(raw[name]):
        yield FieldError(name, "secret", "Looks like a credential: never put one here, and revoke it if it is one.")
        return
    try:
        msgspec.convert(raw[name], field.type, strict=not lax)
    except msgspec.ValidationError as error:
        yield _explain(name, str(error), field)


def storable(value: object) -> bool:
    """Tell whether every text inside can be kept by both databases: no NUL, no lone surrogate."""
    match value:
        case str():
            return ("\0" not in value and value.isascii()) or not re.search("[\0\ud800-\udfff]", value)
        case Mapping():
            return all(storable(key) and storable(inner) for key, inner in value.items())
        case list() | tuple():
            return all(storable(inner) for inner in value)
        case _:
            return True


def _holds_secret(value: object) -> bool:
    match value:
        case str():
            return opaque.holds_one(value)
        case Mapping():
            return any(_holds_secret(key) or _holds_secret(inner) for key, inner in value.items())
        case list() | tuple():
            return any(_holds_secret(inner) for inner in value)
        case _:
            return False


def _takes_secrets(field: FieldInfo) -> bool:
    marks = [getattr(meta, "extra", None) or {} for meta in getattr(field.type, "__metadata__", ())]
    return any(SECRET.keys() <= extra.keys() for extra in marks)


def _shown(name: str) -> str:
    """Return a name that we did not choose as it may stand in an answer: short, storable, without a secret."""
    return opaque.mask(name[:NAME_SHOWN]) if storable(name) else "?"


def _explain(name: str, message: str, field: FieldInfo) -> FieldError:
    what, _, where = message.partition(" - at `$")
    path = name + where.rstrip("`")
    for pattern, rule, sentence in _RULES:
        found = pattern.search(what)
        if found:
            text = _own_words(field) if rule in {"pattern", "choice"} else None
            return FieldError(path, rule, text or sentence.format(*found.groups()))
    expected = re.match(r"Expected `([^`]+)`", what)
    if expected:
        wanted = " or ".join(_NAMES.get(part, part) for part in expected.group(1).split(" | "))
        return FieldError(path, "type", f"Must be {wanted}.")
    return FieldError(path, "type", what)


def _own_words(field: FieldInfo) -> str | None:
    """Return the field's own description of its rule, when the model gives one."""
    for meta in getattr(field.type, "__metadata__", ()):
        description: Any = getattr(meta, "description", None)
        if description:
            return str(description)
    return None
