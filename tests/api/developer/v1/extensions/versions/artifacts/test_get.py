"""`GET …/versions/{versionId}/artifacts/{name}`: the file as it was uploaded."""

import os

from tests.support.developers import EXTENSIONS, Team, bundle, make_extension, parts, send, stored
from tests.support.world import World


async def test_what_comes_down_is_what_went_up_as_a_file_to_be_saved(team: Team) -> None:
    extension_id = await make_extension(team.ci, slug="confetti")
    built, source = bundle({"noise.bin": os.urandom(700_000)}), bundle({"src/app.ts": b"start()"})
    made = await send(team.ci, extension_id, parts("1.2.0", built, source=("s.tgz", source, "application/gzip")))
    assert [file["name"] for file in made.json()["artifacts"]] == ["bundle", "source"]
    for name, content in (("bundle", built), ("source", source)):
        path = f"{EXTENSIONS}/{extension_id}/versions/{made.json()['id']}/artifacts/{name}"
        answer = await team.member.get(path)
        assert answer.status_code == 200
        assert answer.content == content
        headers = answer.headers
        assert headers["Content-Disposition"] == f'attachment; filename="confetti-1.2.0-{name}.tar.gz"'
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Content-Type"] == "application/gzip"
        assert headers["Content-Length"] == str(len(content))
        assert "no-store" in headers["Cache-Control"]
        assert headers["Content-Security-Policy"].startswith("default-src 'none'")


async def test_a_file_that_the_version_does_not_have_is_not_found(team: Team) -> None:
    extension_id = await make_extension(team.ci)
    made = (await send(team.ci, extension_id)).json()
    digest = made["artifacts"][0]["sha256"]
    for wrong in ("source", "manifest", digest, "..%2f..%2flumio.db", "%2e%2e"):
        answer = await team.ci.get(f"{EXTENSIONS}/{extension_id}/versions/{made['id']}/artifacts/{wrong}")
        assert answer.status_code in {404, 405}, wrong


async def test_a_file_that_is_gone_from_the_disk_is_not_found_and_no_traceback(world: World, team: Team) -> None:
    extension_id = await make_extension(team.ci)
    made = (await send(team.ci, extension_id)).json()
    for path in stored(world):
        path.unlink()
    answer = await team.ci.get(f"{EXTENSIONS}/{extension_id}/versions/{made['id']}/artifacts/bundle")
    assert answer.status_code == 404
