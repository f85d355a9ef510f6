"""The command line `lumio`: its commands, and the one place where an error becomes an exit code.

Promise: every way out has a documented exit code and a sentence; a traceback is shown with `--debug` only.
"""

import os
import sys
from collections.abc import Callable, Sequence
from typing import Annotated, Any

import typer
from typer.main import get_command

from lumio.cli.commands import audit, completion, deploy, extensions, init, keys, login, publish, team, versions
from lumio.cli.errors import CommandError, ExitCode, usage_error
from lumio.cli.interrupts import interrupted
from lumio.cli.light import LightCommand, LightGroup
from lumio.cli.options import global_parameters, take_global
from lumio.cli.output import Output, make_output
from lumio.cli.settings import APPLICATION, surroundings
from lumio.kernel.version import VERSION

_HELP = """Ship extensions from the terminal.

Start with lumio login, lumio init, lumio deploy. Results go to stdout, everything else to stderr.

Exit codes: 0 done, 1 failed, 2 wrong usage, 4 not signed in or not allowed, 130 interrupted."""

app = typer.Typer(
    cls=LightGroup,
    help=_HELP,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version_of_program(wanted: bool) -> None:
    if wanted:
        sys.stdout.write(f"{APPLICATION} {VERSION}\n")
        raise typer.Exit


def _root(context: typer.Context, **values: Any) -> None:
    values.pop("version", None)
    context.obj = take_global(values)
    if context.invoked_subcommand is None:
        sys.stdout.write(context.get_help() + "\n")


def _with_global_options(function: Callable[..., None]) -> Callable[..., None]:
    import inspect

    kind = inspect.Parameter.KEYWORD_ONLY
    version = inspect.Parameter(
        "version",
        kind,
        annotation=Annotated[
            bool,
            typer.Option("--version", callback=_version_of_program, is_eager=True, help="Show the version."),
        ],
        default=False,
    )
    context = inspect.Parameter("context", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context)
    parameters = [context, *global_parameters(), version]
    function.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined] # read by inspect.signature
    function.__annotations__ = {each.name: each.annotation for each in parameters}
    return function


app.callback(invoke_without_command=True)(_with_global_options(_root))
for _name, _function in (
    ("login", login.login),
    ("logout", login.logout),
    ("whoami", login.whoami),
    ("init", init.init),
    ("deploy", deploy.deploy),
    ("publish", publish.publish),
    ("completion", completion.completion),
):
    app.command(_name, cls=LightCommand)(_function)
for _name, _group in (
    ("extensions", extensions.app),
    ("versions", versions.app),
    ("keys", keys.app),
    ("team", team.app),
    ("audit", audit.app),
):
    app.add_typer(_group, name=_name)


def _prompted_where_empty(arguments: Sequence[str]) -> list[str]:
    """Let `--token` stand without a value: it then asks for the key, hidden."""
    result = []
    for index, argument in enumerate(arguments):
        following = arguments[index + 1 : index + 2]
        bare = argument == "--token" and (not following or following[0].startswith("--"))
        result.append("--token=" if bare else argument)
    return result


def _voice(arguments: Sequence[str]) -> Output:
    """Return the output for errors that come before or outside a command's own options."""
    given = set(arguments)
    return make_output(
        surroundings(),
        as_json="--json" in given,
        quiet=False,
        no_color="--no-color" in given,
        debug="--debug" in given,
    )


def _as_command_error(error: BaseException) -> CommandError:
    if isinstance(error, CommandError):
        return error
    if isinstance(error, KeyboardInterrupt | typer.Abort):
        return interrupted()
    if isinstance(error, typer.TyperException) and error.exit_code == ExitCode.USAGE:
        context = getattr(error, "ctx", None)
        path = context.command_path if context is not None else APPLICATION
        return usage_error(error.format_message().rstrip("."), next_step=f"{path} --help shows how it is called")
    what = "Something went wrong that should not have"
    return CommandError(
        what, type(error).__name__, "Run it again with --debug and report what it shows", code="internal"
    )


def hush_stdout() -> int:
    """Point stdout nowhere, for its reader went away and Python would complain at exit; return the exit code."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return ExitCode.FAILED


def _know_shells() -> None:
    """Let Typer answer the completion scripts of every shell."""
    if surroundings().completing:
        from typer.completion import completion_init  # type: ignore[attr-defined] # not re-exported

        completion_init()


def run(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code."""
    out = _voice(arguments)
    try:
        _know_shells()
        result = get_command(app).main(_prompted_where_empty(arguments), prog_name=APPLICATION, standalone_mode=False)
        sys.stdout.flush()
    except BrokenPipeError:
        return hush_stdout()
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - the last stop: nothing may end in a traceback
        found = _as_command_error(error)
        out.trace(error)
        out.error(found)
        return found.exit_code
    if result == ExitCode.INTERRUPTED:
        out.error(interrupted())
    return result if isinstance(result, int) else ExitCode.OK
