"""`GET /developer/v1/me`: who is asking."""

from tests.support.developers import Team
from tests.support.world import World


async def test_a_key_learns_its_account_role_and_rights(team: Team) -> None:
    answer = await team.ci.get("/developer/v1/me")
    assert answer.status_code == 200
    me = answer.json()
    assert set(me) == {"kind", "label", "user", "account", "role", "permissions"}
    assert (me["kind"], me["label"], me["role"]) == ("api_key", "ci-github-actions", "owner")
    assert me["account"] == {"id": team.account_id, "slug": "acme-overlays", "name": "Acme Overlays"}
    assert set(me["user"]) == {"id", "email", "displayName"}
    assert "extensions:publish" in me["permissions"]


async def test_a_member_learns_what_a_member_may(team: Team) -> None:
    me = (await team.member.get("/developer/v1/me")).json()
    assert (me["kind"], me["role"]) == ("session", "member")
    assert "extensions:deploy" in me["permissions"]
    assert "extensions:publish" not in me["permissions"]


async def test_nobody_learns_nothing(world: World) -> None:
    answer = await world.anonymous().get("/developer/v1/me")
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"]
