"""A deployment: check the project, pack the built folder, send it, name the draft that came of it.

Promise: the last line of stdout is the version's id and address, and what is said of the version is so now; an
upload that was stopped half-way leaves no version, and where that is not certain it is said.
"""

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lumio.cli import progress
from lumio.cli.client import Call
from lumio.cli.errors import CommandError
from lumio.cli.ids import segment
from lumio.cli.interrupts import interrupted, stoppable
from lumio.cli.pack import Archive, pack
from lumio.cli.project import FILE_NAME, Project, checked, read_project
from lumio.cli.refusals import Advice, Explanations
from lumio.cli.run import Run
from lumio.cli.upload import Upload, send


@dataclass(frozen=True, slots=True)
class Wish:
    """What the command line asked for. `version` and `description` are None when nothing was said."""

    version: str | None
    description: str | None
    breaking: bool
    outdir: Path
    with_source: bool


def _explanations(project: Project) -> Explanations:
    return {
        403: Advice("This key may not deploy", "", "lumio whoami shows the account and role it acts with"),
        404: Advice(
            f"There is no extension {project.extension_id} that this key can see",
            "it may be in another account, or was deleted",
            f"lumio extensions list shows the ones there are; correct extensionId in {FILE_NAME}",
        ),
        409: Advice(
            f"Version {project.version} was not made",
            "",
            f"A version number is used once: raise version in {FILE_NAME}, or pass -v with a new one",
        ),
        413: Advice("The bundle is too large", "", "Leave out what the extension does not need, or use --no-source"),
        422: Advice(
            "The server did not accept the version",
            "",
            f"Correct {FILE_NAME} or the build, then deploy again",
        ),
    }


def _project(version: str | None) -> Project:
    found = read_project(Path.cwd() / FILE_NAME)
    project = checked(found if version is None else found.with_values(version=version))
    if project.extension_id is None:
        raise CommandError(
            f"{FILE_NAME} has no extensionId",
            "a version belongs to an extension",
            f'Run lumio extensions create --name "{project.name}", which can write the id into the file',
            code="no_extension",
        )
    return project


def _bundle(folder: Path) -> Archive:
    if not folder.is_dir():
        what = f"There is no built folder {folder}"
        raise CommandError(what, next_step="Build the extension first, or name the folder with --outdir",
                           code="nothing_built")  # fmt: skip
    archive = pack(folder)
    if archive.entries == 0:
        what = f"The built folder {folder} is empty"
        raise CommandError(what, next_step="Build the extension first", code="nothing_built")
    return archive


def _packed(run: Run, name: str, archive: Archive) -> None:
    skipped = f", {archive.skipped_links} links left out" if archive.skipped_links else ""
    size = progress.size_text(archive.size)
    _say(run, f"Packed {name}: {archive.entries} files, {size}, sha256 {archive.sha256[:12]}{skipped}")


def _say(run: Run, text: str) -> None:
    if run.out.draws:
        run.out.note(text)
    else:
        run.out.stamped(text)


def _versions(project: Project) -> str:
    return f"/developer/v1/extensions/{segment(project.extension_id or '', 'an extension')}/versions"


def _send(run: Run, project: Project, upload: Upload) -> dict[str, Any]:
    path = _versions(project)
    with progress.metered(run.out, upload.size) as meter:
        try:
            return send(run.client, path, upload, meter, _explanations(project)).object()
        except KeyboardInterrupt as error:
            if not meter.complete:
                raise interrupted(
                    "Interrupted, no version was made",
                    "the upload had not arrived in full",
                    "Run lumio deploy again",
                ) from error
            raise interrupted(
                "Interrupted while the server was at work",
                "everything had been sent, so the version may exist",
                "Run lumio deploy again: it finds that version, or makes it, never twice",
            ) from error


def _as_it_stands(run: Run, project: Project, made: dict[str, Any]) -> dict[str, Any]:
    """Return the version as it is now: a build that came before is answered as it was answered then.

    Whoever may not ask keeps that answer; the deployment itself has succeeded.
    """
    path = f"{_versions(project)}/{segment(str(made.get('id')), 'a version')}"
    try:
        return run.client.send(Call("GET", path, again=True), {}).object()
    except CommandError:
        return made


def _report(run: Run, project: Project, version: dict[str, Any]) -> None:
    address = f"{run.origin}/dashboard/extensions/{project.extension_id}"
    if run.out.as_json:
        run.out.json({**version, "url": address})
        return
    _say(run, _sentence(project.name, str(version.get("version", project.version)), version.get("status")))
    run.out.line(version.get("id"), address)


def _sentence(name: str, number: str, status: object) -> str:
    match status:
        case "published":
            return f"Version {number} of {name} is published already. Nothing new was made."
        case "superseded":
            return f"Version {number} of {name} was published before; a newer one is current. Nothing new was made."
    return f"Draft {number} of {name} is there. Publish it with: lumio publish {number}"


def _upload(run: Run, project: Project, wish: Wish) -> Upload:
    bundle = _bundle(wish.outdir)
    try:
        _packed(run, "the build", bundle)
        source = pack(Path.cwd(), source=True, without=wish.outdir) if wish.with_source else None
    except BaseException:
        bundle.close()
        raise
    if source is not None:
        _packed(run, "the source", source)
    return Upload(project.manifest(), bundle, source, wish.description, wish.breaking)


def _prepare(run: Run, wish: Wish) -> tuple[Project, Upload]:
    """Do everything that needs no server, so that a mistake is found before anything is sent."""
    try:
        project = _project(wish.version)
        run.signed_in()
        return project, _upload(run, project, wish)
    except KeyboardInterrupt as error:
        raise interrupted("Interrupted, no version was made", "nothing was sent yet") from error


def carry_out(run: Run, wish: Wish) -> None:
    """Deploy the project in the current folder. Raises CommandError for all that can go wrong."""
    with stoppable():
        project, upload = _prepare(run, wish)
        with closing(upload):
            _say(run, f"Deploying {project.name} {project.version} to {run.origin}")
            made = _as_it_stands(run, project, _send(run, project, upload))
    _report(run, project, made)
