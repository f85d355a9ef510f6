"""`GET /v1/admin/users`: finding people."""

from tests.support.operators import USERS, found
from tests.support.world import OPERATOR, PASSWORD, World


async def test_an_item_says_who_a_person_is_where_they_belong_and_what_they_may(world: World) -> None:
    robin = await world.sign_in()
    kim = await world.new_person("kim@example.com")
    (item,) = await found(robin, "kim@")
    assert item == {
        "id": kim["user_id"],
        "email": "kim@example.com",
        "display_name": "Kim",
        "verified": True,
        "suspended_at": None,
        "created_at": item["created_at"],
        "admin_roles": [],
        "accounts": [{"id": kim["account_id"], "name": "Home of kim@example.com", "role": "owner"}],
    }
    (own,) = await found(robin, OPERATOR)
    assert own["admin_roles"] == ["system_admin"]
    assert "password" not in str(item)


async def test_a_part_of_address_or_name_finds_a_person_in_any_case(world: World) -> None:
    await world.new_person("kim@example.com")
    robin = await world.sign_in()
    anna = {"email": "anna@example.com", "password": PASSWORD, "display_name": "Änne Annä"}
    await world.anonymous().post("/v1/auth/signup", json=anna)
    for query in ("KIM@EXAMPLE", "  kim@example.com "):
        assert [one["email"] for one in await found(robin, query)] == ["kim@example.com"]
    for query in ("äNNe", "Änn", "ANN\u00c4", "nne anna\u0308"):
        assert [one["email"] for one in await found(robin, query)] == ["anna@example.com"], query


async def test_a_query_is_text_and_never_a_pattern(world: World) -> None:
    await world.new_person("kim@example.com")
    robin = await world.sign_in()
    for query in ("%", "_", "k%m", "/", "\\", "' OR 1=1 --"):
        assert await found(robin, query) == [], query


async def test_pages_follow_each_other_without_gap_or_repetition(world: World) -> None:
    for name in ("ada", "bo", "cy", "di"):
        await world.new_person(f"{name}@example.com")
    robin = await world.sign_in()
    seen: list[str] = []
    address: str | None = f"{USERS}?limit=2&query=example.com"
    while address is not None:
        answer = (await robin.get(address)).json()
        seen += [item["email"].partition("@")[0] for item in answer["data"]]
        address = answer["_links"].get("next", {}).get("href")
    assert seen == ["di", "cy", "bo", "ada", "robin"]


async def test_bad_input_names_its_field(world: World) -> None:
    robin = await world.sign_in()
    bad = {"limit=0": "limit", "limit=201": "limit", "cursor=x": "cursor", "role=owner": "role"}
    for query, field in {**bad, f"query={'x' * 255}": "query"}.items():
        answer = await robin.get(f"{USERS}?{query}")
        assert answer.status_code == 422, query
        assert [one["field"] for one in answer.json()["errors"]] == [field]
