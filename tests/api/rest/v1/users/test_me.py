"""GET /v1/users/me."""

from lumio.access.policy import ADMIN_ROLES, ROLES, SYSTEM_ADMIN, Role
from tests.api.rest.outward import change
from tests.support.world import OPERATOR, World

ME = "/v1/users/me"
FIELDS = {"kind", "label", "user", "account", "role", "permissions", "credential_id"}


async def test_a_session_is_shown_with_person_account_role_and_rights(world: World) -> None:
    answer = await (await world.sign_in()).get(ME)
    me = answer.json()["data"]
    assert set(me) == FIELDS
    assert (me["kind"], me["label"], me["role"]) == ("session", OPERATOR, "owner")
    assert (me["user"]["email"], me["user"]["display_name"]) == (OPERATOR, "Robin Vale")
    assert (me["account"]["slug"], me["account"]["name"]) == ("acme-overlays", "Acme Overlays")
    assert set(me["permissions"]) == ROLES[Role.OWNER] | ADMIN_ROLES[SYSTEM_ADMIN]
    assert answer.json()["_links"] == {"self": {"href": ME}}


async def test_a_key_is_shown_by_its_label_with_its_holders_rights(world: World) -> None:
    robin = await world.sign_in()
    made = await world.mint_key(robin)
    me = (await world.bearer(made["key"]).get(ME)).json()["data"]
    assert (me["kind"], me["label"], me["credential_id"]) == ("api_key", "ci-github-actions", made["id"])
    assert set(me["permissions"]) == ROLES[Role.OWNER]


async def test_each_role_is_shown_its_own_rights_and_not_more(world: World) -> None:
    home = await world.account_id(await world.sign_in())
    for role in (Role.ADMIN, Role.MEMBER):
        await world.new_person(f"{role}@example.com", role, home)
        me = (await (await world.sign_in(f"{role}@example.com")).get(ME)).json()["data"]
        assert set(me["permissions"]) == ROLES[role]


async def test_a_change_of_role_shows_at_once(world: World) -> None:
    who = await world.new_person("sam@example.com")
    sam = await world.sign_in("sam@example.com")
    for role in ("admin", "member", "owner"):
        await change(world, "UPDATE member SET role = :role WHERE id = :id", role=role, id=who["member_id"])
        assert (await sam.get(ME)).json()["data"]["role"] == role


async def test_who_is_no_member_any_more_is_nobody_at_once(world: World) -> None:
    who = await world.new_person("sam@example.com")
    sam = await world.sign_in("sam@example.com")
    await change(world, "DELETE FROM member WHERE id = :id", id=who["member_id"])
    assert (await sam.get(ME)).status_code == 401


async def test_nobody_is_told_to_bring_a_credential(world: World) -> None:
    answer = await world.anonymous().get(ME)
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized")
    assert answer.headers["www-authenticate"] == 'Bearer error="invalid_token"'


async def test_the_password_never_comes_back_in_any_form(world: World) -> None:
    answer = await (await world.sign_in()).get(ME)
    assert "argon2" not in answer.text
    assert "password" not in answer.text
