"""`GET /v1/admin/users`: finding people."""

import pytest

from tests.support.operators import USERS, found
from tests.support.world import OPERATOR, World


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


@pytest.mark.parametrize("query", ["KIM@EXAMPLE", "äNNe", "Änn", "  kim@example.com ", "ANN\u00c4"])
async def test_a_part_of_address_or_name_finds_a_person_in_any_case(world: World, query: str) -> None:
    await world.new_person("kim@example.com")
    await world.new_person("lee@example.com")
    robin = await world.sign_in()
    await world.anonymous().post(
        "/v1/auth/signup",
        json={"email": "anna@example.com", "password": "violet-otter-sings-9-times", "display_name": "Änne Annä"},
    )
    wanted = "kim@example.com" if "kim" in query.lower() else "anna@example.com"
    assert [one["email"] for one in await found(robin, query)] == [wanted]


@pytest.mark.parametrize("query", ["%", "_", "k%m", "/", "\\", "' OR 1=1 --"])
async def test_a_query_is_text_and_never_a_pattern(world: World, query: str) -> None:
    await world.new_person("kim@example.com")
    assert await found(await world.sign_in(), query) == []


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


@pytest.mark.parametrize(
    ("query", "field"),
    [("limit=0", "limit"), ("limit=201", "limit"), ("cursor=x", "cursor"), ("role=owner", "role"),
     (f"query={'x' * 255}", "query")],
)  # fmt: skip
async def test_bad_input_names_its_field(world: World, query: str, field: str) -> None:
    answer = await (await world.sign_in()).get(f"{USERS}?{query}")
    assert answer.status_code == 422
    assert [one["field"] for one in answer.json()["errors"]] == [field]
