"""What a command says, and where: results on stdout, everything else on stderr.

Promise: no line leaves here with a control character of foreign origin or a whole key in it.
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TextIO

from lumio.cli.errors import CommandError
from lumio.cli.settings import Surroundings
from lumio.cli.text import hide_keys, hide_whole_keys, json_text, visible
from lumio.kernel import clock

Row = Sequence[object]


@dataclass(frozen=True, slots=True)
class Output:
    """The two streams of one run. `plain` means no colour and no line that is drawn over."""

    stdout: TextIO
    stderr: TextIO
    as_json: bool = False
    quiet: bool = False
    plain: bool = False
    tracing: bool = False

    @property
    def draws(self) -> bool:
        """Tell whether a progress bar may be drawn on stderr."""
        return not (self.plain or self.quiet or self.as_json) and self.stderr.isatty()

    @property
    def silent(self) -> bool:
        """Tell whether notes are left out; errors never are."""
        return self.quiet or self.as_json

    def line(self, *parts: object) -> None:
        """Print one line of the result."""
        self.stdout.write(hide_whole_keys(" ".join(visible(part) for part in parts)) + "\n")

    def json(self, value: object) -> None:
        """Print the result as JSON."""
        self.stdout.write(hide_whole_keys(json_text(value)) + "\n")

    def script(self, text: str) -> None:
        """Print text of our own making, line ends included."""
        self.stdout.write(text + "\n")

    def bytes(self, content: bytes) -> None:
        """Pass on a piece of a file that is harmless by its form."""
        self.stdout.flush()
        self.stdout.buffer.write(content)
        self.stdout.buffer.flush()

    def note(self, text: str) -> None:
        """Say something by the way."""
        if not self.silent:
            self._say(visible(text))

    def stamped(self, text: str) -> None:
        """Say something by the way, with the time in front (RFC 3339, seconds): the form for CI logs."""
        if not self.silent:
            self._say(f"{clock.now():%Y-%m-%dT%H:%M:%SZ} {visible(text)}")

    def debug(self, text: str) -> None:
        """Say something that only `--debug` wants to know."""
        if self.tracing:
            self._say(f"debug: {visible(text)}")

    def _say(self, text: str) -> None:
        self.stderr.write(hide_keys(text) + "\n")
        self.stderr.flush()

    def table(self, columns: Sequence[str], rows: Sequence[Row]) -> None:
        """Print rows: aligned on a terminal, separated by tabs in a pipe."""
        cells = [[hide_whole_keys(visible(cell)) for cell in row] for row in rows]
        if self.plain or not self.stdout.isatty():
            lines = ["\t".join(row) for row in [list(columns), *cells]]
            self.stdout.write("".join(f"{line}\n" for line in lines))
            return
        from rich import box
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text

        table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
        for column in columns:
            table.add_column(column, overflow="fold")
        for row in cells:
            table.add_row(*(Text(cell) for cell in row))
        Console(file=self.stdout, highlight=False, markup=False, emoji=False).print(table)

    def facts(self, pairs: Sequence[tuple[str, object]]) -> None:
        """Print named facts below each other; empty ones are left out."""
        shown = [(name, value) for name, value in pairs if value not in (None, "")]
        width = max((len(name) for name, _ in shown), default=0)
        for name, value in shown:
            self.line(f"{name:<{width}}  {visible(value)}")

    def error(self, error: CommandError) -> None:
        """Print what ended the command: as text, or as one JSON object with `--json`."""
        if self.as_json:
            self.stderr.write(hide_keys(json_text(error.as_json())) + "\n")
            return
        lines = [f"{self._red('Error:')} {visible(error)}"]
        lines += [f"  {visible(each.field)}: {visible(each.message)}" for each in error.fields]
        if error.next_step:
            lines.append(f"  {visible(error.next_step)}")
        if error.request_id:
            lines.append(f"  Request id: {visible(error.request_id)}")
        self.stderr.write(hide_keys("\n".join(lines)) + "\n")

    def _red(self, text: str) -> str:
        return text if self.plain or not self.stderr.isatty() else f"\x1b[1;31m{text}\x1b[0m"

    def trace(self, error: BaseException) -> None:
        """Print the stack of an error with `--debug`; local variables are never shown."""
        if self.tracing and not self.as_json:
            import traceback

            for line in "".join(traceback.format_exception(error)).splitlines():
                self._say(visible(line))


def make_output(around: Surroundings, *, as_json: bool, quiet: bool, no_color: bool, debug: bool) -> Output:
    """Join the options of a run with what the surroundings ask for."""
    plain = no_color or around.no_color or around.dumb or around.ci
    return Output(sys.stdout, sys.stderr, as_json=as_json, quiet=quiet, plain=plain, tracing=debug)
