"""`GET …/versions` and `…/versions/{versionId}`: reading."""

from tests.support.developers import EXTENSIONS, Team, deploy, make_extension


async def test_the_list_has_the_newest_first_and_shows_each_as_it_is_by_itself(team: Team) -> None:
    extension_id = await make_extension(team.ci)
    made = [await deploy(team.ci, extension_id, number) for number in ("1.0.0", "1.1.0-rc.1", "1.1.0+build.7")]
    path = f"{EXTENSIONS}/{extension_id}/versions"
    listed = (await team.member.get(path)).json()
    assert listed == {"versions": made[::-1]}
    for version in made:
        assert (await team.member.get(f"{path}/{version['id']}")).json() == version


async def test_a_version_is_found_under_its_own_extension_only(team: Team) -> None:
    one, other = await make_extension(team.ci, "One"), await make_extension(team.ci, "Other")
    version = await deploy(team.ci, one)
    for tail in ("", "/artifacts/bundle"):
        answer = await team.ci.get(f"{EXTENSIONS}/{other}/versions/{version['id']}{tail}")
        assert answer.status_code == 404
    assert (await team.ci.post(f"{EXTENSIONS}/{other}/versions/{version['id']}/publish")).status_code == 404
    assert (await team.ci.delete(f"{EXTENSIONS}/{other}/versions/{version['id']}")).status_code == 404
