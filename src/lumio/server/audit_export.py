"""`lumio-server audit export`: the log as a file that proves itself, rows kept by a legal hold among it.

Promise: a file appears whole or not at all, readable by its owner only, and the export stands in the log first.
"""

import asyncio
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, BinaryIO, Literal, NoReturn

import typer

from lumio.server.options import read_settings
from lumio.settings import Settings

if TYPE_CHECKING:
    from lumio.audit.exports import Exports
    from lumio.audit.model import ExportPlatformLog


def export(
    *,
    account: Annotated[str | None, typer.Option(help="Only the chain of this account; the default is all.")] = None,
    form: Annotated[Literal["ndjson", "csv"], typer.Option("--format", help="The form of the file.")] = "ndjson",
    since: Annotated[str | None, typer.Option(metavar="TIME", help="From then on (RFC 3339).")] = None,
    until: Annotated[str | None, typer.Option(metavar="TIME", help="Up to then (RFC 3339).")] = None,
    output: Annotated[Path | None, typer.Option(help="The file to write; the default is stdout.")] = None,
) -> None:
    """Write the log in the order of its chain; the last line is signed."""
    from lumio.kernel.errors import Invalid, LumioError

    given = {"account_id": account, "format": form, "since": since, "until": until}
    try:
        asyncio.run(_export(read_settings(), {name: value for name, value in given.items() if value}, output))
    except Invalid as error:
        _end(" ".join(f"{one.field}: {one.message}" for one in error.fields), 2)
    except LumioError as error:
        _end(error.internal, 1)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(1) from None
    except (OSError, ValueError) as error:
        _end(str(error), 1)


def _end(sentence: str, code: int) -> NoReturn:
    typer.echo(f"error: {sentence}", err=True)
    raise typer.Exit(code)


async def _export(settings: Settings, given: dict[str, Any], output: Path | None) -> None:
    from lumio.access.validate import validate
    from lumio.app import build
    from lumio.audit.model import ExportPlatformLog

    form = validate(ExportPlatformLog, given)
    if not settings.root_secret_file.exists():
        message = f"There is no root secret at {settings.root_secret_file}: nothing could be signed."
        raise ValueError(message)
    house = build(settings)
    await house.database.open()
    try:
        await _write(house.exports, form, output)
    finally:
        await house.database.close()
        house.close_pools()


async def _write(exports: "Exports", form: "ExportPlatformLog", output: Path | None) -> None:
    if output is None:
        await _pour(exports, form, sys.stdout.buffer)
        return
    draft = output.with_name(f".{output.name}.part")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            await _pour(exports, form, file)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(output)
    finally:
        with suppress(FileNotFoundError):
            draft.unlink()


async def _pour(exports: "Exports", form: "ExportPlatformLog", file: BinaryIO) -> None:
    order = await exports.order_here(form)
    async for piece in exports.write(order, _go_on):
        file.write(piece)
    file.flush()


async def _go_on() -> None:
    """Nobody stops whoever has the database."""
