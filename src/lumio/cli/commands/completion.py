"""`lumio completion`: print what a shell needs to complete our commands and options.

Promise: the script asks the installed `lumio` each time, so it never grows old.
"""

from typing import Annotated, Literal

import typer

from lumio.cli.options import command
from lumio.cli.run import Run
from lumio.cli.settings import APPLICATION, COMPLETION_VARIABLE

_HOW = {
    "bash": "# Add to ~/.bashrc:  source <(lumio completion bash)",
    "zsh": "# Add to ~/.zshrc, after compinit:  source <(lumio completion zsh)",
    "fish": "# Save as ~/.config/fish/completions/lumio.fish",
}


@command
def completion(
    run: Run,
    shell: Annotated[Literal["bash", "zsh", "fish"], typer.Argument(metavar="SHELL", help="bash, zsh or fish.")],
) -> None:
    """Print the completion script for a shell."""
    from typer.completion import get_completion_script  # type: ignore[attr-defined] # not re-exported

    script = get_completion_script(prog_name=APPLICATION, complete_var=COMPLETION_VARIABLE, shell=shell)
    # zsh reads `#compdef` only from the first line.
    parts = [script, _HOW[shell]] if shell == "zsh" else [_HOW[shell], script]
    run.out.script("\n".join(parts))
