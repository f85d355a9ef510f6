"""`GET /developer/v1/extensions` and `…/{id}`: reading."""

from tests.support.developers import EXTENSIONS, Team, make_extension


async def test_the_list_has_the_newest_first_in_the_promised_shape(team: Team) -> None:
    made = [await make_extension(team.ci, name) for name in ("First", "Second", "Third")]
    answer = await team.member.get(EXTENSIONS)
    assert answer.status_code == 200
    assert set(answer.json()) == {"extensions"}
    listed = answer.json()["extensions"]
    assert [item["id"] for item in listed] == made[::-1]
    names = {
        "id", "slug", "name", "visibility", "status", "installCount", "currentVersionId", "createdAt", "updatedAt",
    }  # fmt: skip
    assert set(listed[0]) == names
    assert listed[0]["createdAt"].endswith("Z")


async def test_an_id_of_nothing_is_404_in_the_form_of_this_surface(team: Team) -> None:
    for wrong in ("ext_0", "x" * 64, "ext_%00", "..%2f..%2fetc"):
        answer = await team.ci.get(f"{EXTENSIONS}/{wrong}")
        assert answer.status_code in {404, 422}, wrong
        assert set(answer.json()) == {"error"}


async def test_an_address_of_nothing_and_a_wrong_method_have_the_form_of_this_surface(team: Team) -> None:
    nothing = await team.ci.get("/developer/v1/nothing")
    assert (nothing.status_code, nothing.json()["error"]["code"]) == (404, "not_found")
    wrong = await team.ci.put(EXTENSIONS, json={})
    assert (wrong.status_code, wrong.json()["error"]["code"]) == (405, "method_not_allowed")
    assert "POST" in wrong.headers["Allow"]
