"""Gives every command the global options and its `Run`, so that they work before and after its name alike.

Promise: a command is an ordinary function of a `Run` and its own options; this module adds the rest.
"""

import inspect
import sys
from collections.abc import Callable
from typing import Annotated, Any

import typer

from lumio.cli.errors import usage_error
from lumio.cli.output import make_output
from lumio.cli.run import GlobalOptions, Run
from lumio.cli.settings import surroundings

_KEY_LIMIT = 4096  # characters read from stdin at most: a key has 64

# Name of the parameter, how it is written and what it does, metavar. One without a metavar is a switch.
_TABLE = (
    ("server", ("--server",), "The server. [env: LUMIO_SERVER]", "URL"),
    ("profile", ("--profile",), "The stored sign-in to use.", "NAME"),
    ("token", ("--token",), "The key; - reads it from stdin. [env: LUMIO_TOKEN]", "KEY"),
    ("json", ("--json",), "Results and errors as JSON.", None),
    ("quiet", ("--quiet", "-q"), "Results and errors only.", None),
    ("no_color", ("--no-color",), "Plain text. [env: NO_COLOR]", None),
    ("debug", ("--debug",), "Show requests and stacks, keys masked.", None),
)


def global_parameters() -> list[inspect.Parameter]:
    """Return the global options as parameters that Typer understands."""
    kind = inspect.Parameter.KEYWORD_ONLY
    parameters = []
    for name, flags, help_text, metavar in _TABLE:
        option = typer.Option(*flags, help=help_text, metavar=metavar)
        annotation: Any = Annotated[str | None, option] if metavar else Annotated[bool, option]
        default = None if metavar else False
        parameters.append(inspect.Parameter(name, kind, annotation=annotation, default=default))
    return parameters


def take_global(values: dict[str, Any]) -> GlobalOptions:
    """Remove the global options from a command's values and return them."""
    taken = {name: values.pop(name) for name, *_ in _TABLE}
    return GlobalOptions(
        server=taken["server"],
        profile=taken["profile"],
        key=taken["token"],
        as_json=taken["json"],
        quiet=taken["quiet"],
        no_color=taken["no_color"],
        debug=taken["debug"],
    )


def key_from_stdin() -> str:
    """Return the first line of stdin."""
    line = sys.stdin.readline(_KEY_LIMIT).strip()
    if not line:
        what = "There was no key on stdin"
        raise usage_error(what, next_step="Example: lumio login --with-token < key.txt")
    return line


def key_from_prompt() -> str:
    """Ask for the key without showing it."""
    import getpass

    return getpass.getpass("Key: ", stream=sys.stderr).strip()


def _key_reader(given: str | None) -> Callable[[], str]:
    """Return how to get the key of `--token`: as given, from stdin (`-`), by a hidden prompt (no value)."""
    if given == "-":
        return key_from_stdin
    if given:
        return lambda: given
    return _prompted


def _prompted() -> str:
    if not sys.stdin.isatty():
        what = "No key was given"
        next_step = "Pass it on stdin: lumio login --with-token < key.txt"
        raise usage_error(what, "nobody is there to type one", next_step)
    return key_from_prompt()


def make_run(options: GlobalOptions) -> Run:
    """Build the run from the options and the surroundings."""
    around = surroundings()
    out = make_output(
        around, as_json=options.as_json, quiet=options.quiet, no_color=options.no_color, debug=options.debug
    )
    interactive = sys.stdin.isatty() and sys.stderr.isatty() and not around.ci and not options.as_json
    return Run(options, around, out, _key_reader(options.key), interactive)


def command(function: Callable[..., None]) -> Callable[..., None]:
    """Turn `function(run, …own options…)` into a command of Typer with the global options added."""
    signature = inspect.signature(function, eval_str=True)
    own = [each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in list(signature.parameters.values())[1:]]

    def call(context: typer.Context, **values: Any) -> None:
        outer = context.find_root().obj
        options = take_global(values)
        run = make_run(options.over(outer) if isinstance(outer, GlobalOptions) else options)
        try:
            function(run, **values)
            _after(run)
        finally:
            run.close()

    first = inspect.Parameter("context", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context)
    parameters = [first, *own, *global_parameters()]
    call.__name__ = function.__name__
    call.__doc__ = function.__doc__
    call.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined] # read by inspect.signature
    call.__annotations__ = {each.name: each.annotation for each in parameters}
    return call


def _after(run: Run) -> None:
    """Say what is worth saying after a command that asked the server."""
    if run.used_the_server and not run.out.silent:
        from lumio.cli.hints import mention_age

        mention_age(run)
