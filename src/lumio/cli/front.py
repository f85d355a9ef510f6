"""The front door of `lumio`: answers `--help`, `--version` and a mistyped verb before a command is loaded.

Promise: it says to the letter what the commands themselves would say, or leaves the answer to them. `help.txt` holds
what they say; `make golden` writes it anew, and a test compares it.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

from lumio.cli.settings import surroundings

FULL_WIDTH = 80  # columns: Typer breaks its lines no later, however wide the terminal is
_ASKS = ("--help", "-h")
_HEAD, _TAIL = "=== lumio", " ===\n"


def written(helps: dict[str, str]) -> str:
    """Return the text of `help.txt` for what each command says, by its words (`keys list`; the program: empty)."""
    return "".join(f"{_HEAD} {words}".rstrip() + _TAIL + text for words, text in helps.items())


def kept_help() -> dict[str, str]:
    """Return what each command says of itself at full width, by its words."""
    text = "\n" + Path(__file__).with_name("help.txt").read_text("utf-8")
    parts = (part.partition(_TAIL) for part in text.split("\n" + _HEAD)[1:])
    return {words.strip(): said.rstrip("\n") + "\n" for words, _, said in parts}


def answer(arguments: Sequence[str]) -> str | None:
    """Return what is printed for these words, None where a command must be asked."""
    if list(arguments) == ["--version"]:
        from lumio.kernel.version import VERSION

        return f"lumio {VERSION}\n"
    *words, asks = arguments or ("--help",)
    return kept_help().get(" ".join(words)) if asks in _ASKS and _is_wide() else None


def _is_wide() -> bool:
    import shutil

    return shutil.get_terminal_size().columns >= FULL_WIDTH


def _mistyped(arguments: Sequence[str]) -> int | None:
    """Say that the last word is no command and return the exit code; None where it may be one."""
    *words, last = arguments
    plain = all(word.isalpha() and word.isascii() for word in arguments)
    group = " ".join(words)
    start = f"{group} ".lstrip()
    verbs = {name.removeprefix(start).partition(" ")[0] for name in kept_help() if name and name.startswith(start)}
    if not plain or not verbs or last in verbs:
        return None
    from difflib import get_close_matches

    from lumio.cli.errors import usage_error
    from lumio.cli.output import make_output

    close = ", ".join(map(repr, get_close_matches(last, sorted(verbs))))
    what = f"No such command {last!r}" + (f". Did you mean {close}?" if close else "")
    error = usage_error(what, next_step=f"lumio {start}--help shows how it is called")
    make_output(surroundings(), as_json=False, quiet=False, no_color=False, debug=False).error(error)
    return error.exit_code


def run(arguments: Sequence[str]) -> int:
    """Answer these words, by a command where one is needed, and return the exit code."""
    if not surroundings().completing:
        said = answer(arguments)
        if said is not None:
            return _print(said)
        code = _mistyped(arguments) if arguments else None
        if code is not None:
            return code
    from lumio.cli import main

    return main.run(arguments)


def _print(text: str) -> int:
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        from lumio.cli.main import hush_stdout

        return hush_stdout()
    return 0


def main() -> None:
    """Entry point of the installed program."""
    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
