"""Reads the values of options without Typer's validation library, which is slow to load.

Promise: text, paths, numbers, switches, words out of a list and lists of text are read as Typer reads them;
whatever else an option may hold is left to Typer.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import typer
from typer.core import TyperCommand, TyperGroup


def _text(value: Any) -> str:
    return str(value)


def _whole(low: float | None, high: float | None) -> Callable[[Any], int]:
    def read(value: Any) -> int:
        try:
            number = int(value)
        except ValueError as error:
            message = f"{value} is not a whole number"
            raise ValueError(message) from error
        if (low is not None and number < low) or (high is not None and number > high):
            message = f"{number} is not between {low} and {high}"
            raise ValueError(message)
        return number

    return read


def _word(words: tuple[str, ...]) -> Callable[[Any], str]:
    def read(value: Any) -> str:
        if value not in words:
            message = f"{value} is none of {', '.join(words)}"
            raise ValueError(message)
        return str(value)

    return read


def _texts(value: Iterable[Any]) -> list[str]:
    return [str(each) for each in value]


def _reader(annotation: Any, limits: Any) -> Callable[[Any], Any] | None:
    if annotation is bool:
        return bool
    if annotation is str:
        return _text
    if annotation is Path:
        return Path
    if annotation is int:
        return _whole(limits.min, limits.max)
    if get_origin(annotation) is Literal:
        return _word(get_args(annotation))
    return _texts if annotation == list[str] else None


@dataclass(frozen=True)
class _LightValue:
    """Stands where Typer keeps the object that turns words of the command line into values."""

    read: Callable[[Any], Any]

    def coerce(self, value: Any, param: Any, ctx: Any) -> Any:
        """Return the value; raises BadParameter when it does not fit."""
        if value is None:
            return () if param.multiple else None
        try:
            return self.read(value)
        except ValueError as error:
            raise typer.BadParameter(str(error), ctx=ctx, param=param) from error


def _lighten(parameters: list[Any]) -> list[Any]:
    for parameter in parameters:
        described = getattr(parameter, "type_descriptor", None)
        reader = None if described is None else _reader(described.annotation, described.parameter_info)
        if reader is not None:
            parameter._runtime_param = _LightValue(reader)  # noqa: SLF001 - the one seam there is
    return parameters


class LightCommand(TyperCommand):
    """A command whose options are read by this module."""

    def get_params(self, ctx: typer.Context) -> list[Any]:  # type: ignore[override] # the same context, re-exported
        """Return the parameters, `--help` among them."""
        return _lighten(super().get_params(ctx))


class LightGroup(TyperGroup):
    """A group of commands whose own options are read by this module."""

    def get_params(self, ctx: typer.Context) -> list[Any]:  # type: ignore[override] # the same context, re-exported
        """Return the parameters, `--help` among them."""
        return _lighten(super().get_params(ctx))
